/** How long a table's updates are held back, and in how much memory: values to give to `suppress`. */

import { StreamError } from '../common/errors.ts'
import { type Duration, durationMs } from '../common/time.ts'

interface MaxRecords<Full> {
  /** Most keys that are held back in one partition. */
  readonly maxRecords: number
  /** Most bytes that their keys and rows take in one partition: each has the last value, the one before and the headers. */
  readonly maxBytes?: number
  readonly whenFull: Full
}

interface MaxBytes<Full> {
  readonly maxRecords?: number
  readonly maxBytes: number
  readonly whenFull: Full
}

/**
 * What a partition may hold back, and what happens when it is more: `emit` passes the oldest on early, `stop` stops the application
 * with an error (Kafka Streams: `BufferConfig`).
 */
export type BufferConfig<Full extends 'emit' | 'stop' = 'emit' | 'stop'> =
  | 'unbounded'
  | MaxBytes<Full>
  | MaxRecords<Full>

interface Limits {
  readonly kind: 'suppressed'
  readonly maxRecords: number
  readonly maxBytes: number
  readonly whenFull: 'emit' | 'stop'
}

/** Made by `Suppressed.untilWindowCloses`. */
export interface UntilWindowCloses extends Limits {
  readonly until: 'window-close'
}

/** Made by `Suppressed.untilTimeLimit`. */
export interface UntilTimeLimit extends Limits {
  readonly until: 'time-limit'
  readonly limitMs: number
}

export const Suppressed = Object.freeze({
  /**
   * One result per window: the last, once stream time has reached the window's end + grace (of a session: end + gap + grace). Deleted
   * windows give none (Kafka Streams: `Suppressed.untilWindowCloses`). Early results would not be final, so a full buffer can only stop.
   * @example Suppressed.untilWindowCloses('unbounded')
   * @throws StreamError INVALID_ARGUMENT for limits that are no whole numbers above 0.
   */
  untilWindowCloses(buffer: BufferConfig<'stop'>): UntilWindowCloses {
    const limits = limitsOf(buffer)
    if (limits.whenFull === 'emit') {
      throw invalidLimit(
        'untilWindowCloses cannot pass updates on early: they would not be final',
        "Write whenFull: 'stop', or use Suppressed.untilTimeLimit.",
      )
    }
    return Object.freeze({ ...limits, until: 'window-close' })
  },
  /**
   * At most one update of a key per `limit` of stream time: the last one (Kafka Streams: `Suppressed.untilTimeLimit`). Time counts from
   * the update that the key came in with.
   * @example Suppressed.untilTimeLimit('5s', { maxRecords: 10_000, whenFull: 'emit' })
   * @throws StreamError INVALID_ARGUMENT for a malformed duration, or limits that are no whole numbers above 0.
   */
  untilTimeLimit(limit: Duration, buffer: BufferConfig): UntilTimeLimit {
    const limitMs = durationMs(limit, 'time limit')
    return Object.freeze({ ...limitsOf(buffer), until: 'time-limit', limitMs })
  },
})

function limitsOf(buffer: BufferConfig): Limits {
  if (buffer === 'unbounded') return limits(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 'stop')
  const { maxRecords, maxBytes, whenFull } = buffer ?? {}
  if (whenFull !== 'emit' && whenFull !== 'stop') {
    throw invalidLimit(
      'it is not said what happens when the buffer is full',
      "Write { maxRecords: 10_000, whenFull: 'emit' } or whenFull: 'stop'; or 'unbounded'.",
    )
  }
  if (maxRecords === undefined && maxBytes === undefined) {
    throw invalidLimit('the buffer has no limit', "Give it maxRecords, maxBytes or both, or write 'unbounded'.")
  }
  return limits(limitOf(maxRecords, 'maxRecords'), limitOf(maxBytes, 'maxBytes'), whenFull)
}

function limits(maxRecords: number, maxBytes: number, whenFull: 'emit' | 'stop'): Limits {
  return { kind: 'suppressed', maxRecords, maxBytes, whenFull }
}

function limitOf(given: number | undefined, what: string): number {
  if (given === undefined) return Number.POSITIVE_INFINITY
  if (Number.isSafeInteger(given) && given > 0) return given
  throw invalidLimit(`${what} is ${String(given)}`, `Give ${what} a whole number above 0.`)
}

function invalidLimit(message: string, hint: string): StreamError {
  return new StreamError('INVALID_ARGUMENT', message, { hint })
}
