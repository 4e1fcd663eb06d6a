/** What the main thread and its engine threads say to each other: plain data, one union per direction. */

import { type ErrorCode, type ErrorLocation, messageOf, StreamError } from '../common/errors.ts'
import type { Snapshot } from '../metrics/snapshot.ts'
import type { EngineSettings } from '../runtime/engine.ts'
import type { Answer } from './queries/answer.ts'
import type { Question } from './queries/question.ts'

/** All that an engine thread is started with. */
export interface ThreadStart {
  /** Topology file, absolute. */
  readonly file: string
  readonly appId: string
  readonly bootstrap: readonly string[]
  /** Partition counts of the user's topics, so that every engine has the plan of the main thread. */
  readonly external: ReadonlyMap<string, number>
  readonly settings: EngineSettings
}

export type ToThread =
  | { readonly kind: 'stop' }
  /** Answered with its number. */
  | { readonly kind: 'ask'; readonly query: number; readonly question: Question }

export type FromThread =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly message: string }
  | { readonly kind: 'answer'; readonly query: number; readonly answer: Answer }
  | { readonly kind: 'answer'; readonly query: number; readonly error: ErrorData }
  | { readonly kind: 'ended'; readonly error: ErrorData | null }

/** A StreamError without its class, which does not cross threads. */
export interface ErrorData {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string | null
  readonly where: ErrorLocation
  readonly stack: string | null
}

export function errorData(thrown: unknown): ErrorData {
  const error = thrown instanceof StreamError ? thrown : new StreamError('INTERNAL', messageOf(thrown))
  const stack = thrown instanceof Error ? (thrown.stack ?? null) : null
  return { code: error.code, message: error.message, hint: error.hint ?? null, where: error.where, stack }
}

export function errorFrom({ code, message, hint, where, stack }: ErrorData): StreamError {
  const error = new StreamError(code, message, { where, ...(hint !== null && { hint }) })
  if (stack !== null) error.stack = stack
  return error
}
