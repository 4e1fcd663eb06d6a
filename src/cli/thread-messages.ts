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

/** An error as plain data: between threads neither its class nor the code that Node gives it would be left. */
export type ErrorData = StreamErrorData | SystemErrorData

interface StreamErrorData {
  readonly kind: 'stream'
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string | null
  readonly where: ErrorLocation
  readonly stack: string | null
}

/** What the system refused, a file mostly: the user's to mend, so whoever reports it must know it again. */
interface SystemErrorData {
  readonly kind: 'system'
  /** Such as `EACCES`. */
  readonly code: string
  readonly message: string
  readonly path: string | null
  readonly stack: string | null
}

export function errorData(thrown: unknown): ErrorData {
  const stack = thrown instanceof Error ? (thrown.stack ?? null) : null
  if (isSystemError(thrown)) {
    const { code, message, path = null } = thrown
    return { kind: 'system', code, message, path, stack }
  }
  const error = thrown instanceof StreamError ? thrown : new StreamError('INTERNAL', messageOf(thrown))
  const { code, message, hint = null, where } = error
  return { kind: 'stream', code, message, hint, where, stack }
}

export function errorFrom(data: ErrorData): Error {
  const { message, stack } = data
  const error =
    data.kind === 'system'
      ? Object.assign(new Error(message), { code: data.code, ...(data.path !== null && { path: data.path }) })
      : new StreamError(data.code, message, { where: data.where, ...(data.hint !== null && { hint: data.hint }) })
  if (stack !== null) error.stack = stack
  return error
}

interface SystemError extends Error {
  readonly code: string
  readonly path?: string
}

/** Node's own: they alone name the call that failed. */
function isSystemError(thrown: unknown): thrown is SystemError {
  return thrown instanceof Error && 'syscall' in thrown && 'code' in thrown && typeof thrown.code === 'string'
}
