/** The one error type of the product: a stable code, where it happened, and what to do next. */

/** What went wrong, as a stable word that scripts may compare. Each maps to an exit code in the command line. */
export type ErrorCode =
  /** The topology file or the graph it builds is not valid. */
  | 'INVALID_TOPOLOGY'
  /** The topology is not the one that the application's state and internal topics were made by. */
  | 'TOPOLOGY_CHANGED'
  /** An argument, option or setting is not valid. */
  | 'INVALID_ARGUMENT'
  /** No broker or registry answers at the address. */
  | 'UNREACHABLE'
  /** The broker refused the credentials or the operation. */
  | 'UNAUTHORIZED'
  /** The broker is too old for a request the engine cannot do without. */
  | 'UNSUPPORTED_VERSION'
  | 'TOPIC_MISSING'
  /** Partition counts of topics that are read together differ, or a topic has another count than the state was built with. */
  | 'NOT_COPARTITIONED'
  /** Bytes on a topic could not be turned into a value. */
  | 'DESERIALIZATION'
  /** A value could not be turned into bytes. */
  | 'SERIALIZATION'
  /** The user's function threw. */
  | 'PROCESSING'
  /** The broker refused a record (too large, for instance). */
  | 'PRODUCTION'
  /** The committed position is below the start of the log, or above its end. */
  | 'OFFSET_OUT_OF_RANGE'
  /** No position is committed, and the source may not choose one. */
  | 'NO_OFFSET'
  /** Another member owns the work now; the open transaction is void. */
  | 'FENCED'
  /** A request ended without an answer, so its outcome is not known. */
  | 'UNKNOWN_OUTCOME'
  /** The group changed its generation. */
  | 'REBALANCE'
  /** A record batch or a store is damaged. */
  | 'CORRUPT'
  /** A directory or store is held by another process. */
  | 'LOCKED'
  | 'TIMEOUT'
  /** A state that should not exist: a bug in streamctl. */
  | 'INTERNAL'

/** Coordinates of an error; each is given when known. */
export interface ErrorLocation {
  readonly file?: string
  readonly line?: number
  readonly column?: number
  /** Name of the processor, store or topic of the topology. */
  readonly node?: string
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  readonly task?: string
}

export interface ErrorDetails {
  readonly cause?: unknown
  /** What to do next, in one sentence. */
  readonly hint?: string
  readonly where?: ErrorLocation
}

export class StreamError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly where: ErrorLocation

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'StreamError'
    this.code = code
    this.hint = details.hint
    this.where = details.where ?? {}
  }
}

/** The same error with more coordinates; those already known win. */
export function located(error: StreamError, where: ErrorLocation): StreamError {
  return relocated(error, { ...where, ...error.where })
}

/** The same error at these coordinates instead of its own. */
export function relocated(error: StreamError, where: ErrorLocation): StreamError {
  const more: { cause?: unknown; hint?: string; where: ErrorLocation } = { where }
  if (error.cause !== undefined) more.cause = error.cause
  if (error.hint !== undefined) more.hint = error.hint
  const result = new StreamError(error.code, error.message, more)
  if (error.stack !== undefined) result.stack = error.stack
  return result
}

/** The message of anything thrown, without its stack. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
