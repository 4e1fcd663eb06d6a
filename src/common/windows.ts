/**
 * Windows as values. Tumbling and hopping ones: aligned to the epoch, [start, end), never with a negative start; sliding ones and sessions: as
 * their records lie, [start, end].
 */

import { StreamError } from './errors.ts'
import { type Duration, durationMs, signedDurationMs } from './time.ts'

/** Hopping windows; tumbling ones have `advanceMs === sizeMs`. All in ms. */
export interface TimeWindows {
  readonly kind: 'time'
  readonly sizeMs: number
  readonly advanceMs: number
  /** How long after its end a window still takes records, in stream time. */
  readonly graceMs: number
}

/** Sessions: records of a key with no more than the gap between one and the next. All in ms. */
export interface SessionWindows {
  readonly kind: 'session'
  /** Most ms between two records of one session, inclusive. */
  readonly gapMs: number
  /** How long after its end + gap a session still takes records, in stream time. */
  readonly graceMs: number
}

/**
 * Windows of one size that begin and end with a record: one for every set of records that are no more than the time difference apart
 * (Kafka Streams: KIP-450). All in ms.
 */
export interface SlidingWindows {
  readonly kind: 'sliding'
  /** Most ms between two records of one window, inclusive: windows hold [start, start + timeDifferenceMs]. */
  readonly timeDifferenceMs: number
  /** How long after its end a window still takes records, in stream time. */
  readonly graceMs: number
}

/**
 * How far apart records of two streams may be to be joined: that of the other stream lies in [t - before, t + after] of a record at t.
 * All in ms. (Kafka Streams: `JoinWindows`.)
 */
export interface JoinWindows {
  readonly kind: 'join'
  readonly beforeMs: number
  readonly afterMs: number
  /** How long after the end of its window a record still waits, and is still taken, in stream time. */
  readonly graceMs: number
}

export interface JoinWindowOptions extends WindowOptions {
  /** How much earlier than this stream's record the other's may be; negative: how much later it must be. Default: the difference. */
  readonly before?: Duration | undefined
  /** How much later the other stream's record may be; negative: how much earlier it must be. Default: the difference. */
  readonly after?: Duration | undefined
}

/** The key of a windowed table: the record key and its window in ms since the epoch, [start, end); of a session or sliding window [start, end]. */
export interface Windowed<K> {
  readonly key: K
  readonly start: number
  readonly end: number
}

export interface WindowOptions {
  /** How late a record may come, in stream time after the window's end. It has no default: late data is a decision. */
  readonly grace: Duration
}

export const Windows = Object.freeze({
  /**
   * Windows of one size, side by side (Kafka Streams: `TimeWindows.ofSizeAndGrace`).
   * @throws StreamError INVALID_ARGUMENT for a size of 0 or a malformed duration.
   */
  tumbling(size: Duration, options: WindowOptions): TimeWindows {
    return timeWindows(size, size, options)
  },
  /**
   * Windows of one size that start every `advance`; a record falls into size / advance of them.
   * @throws StreamError INVALID_ARGUMENT for a size or advance of 0, or an advance greater than the size.
   */
  hopping(size: Duration, options: WindowOptions & { readonly advance: Duration }): TimeWindows {
    return timeWindows(size, options?.advance, options)
  },
  /**
   * Sessions that a longer silence than `gap` ends (Kafka Streams: `SessionWindows.ofInactivityGapAndGrace`).
   * @throws StreamError INVALID_ARGUMENT for a gap of 0 or a malformed duration.
   */
  session(gap: Duration, options: WindowOptions): SessionWindows {
    const gapMs = durationMs(gap, 'session gap')
    const graceMs = graceOf(options)
    if (gapMs === 0) {
      throw new StreamError('INVALID_ARGUMENT', 'a session with a gap of 0 ms cannot be', {
        hint: 'The gap is the longest silence within a session: give it more than 0 ms.',
      })
    }
    return Object.freeze({ kind: 'session', gapMs, graceMs })
  },
  /**
   * A window for every set of records of a key that lie no more than `timeDifference` apart: each record has one that ends with it, and one that
   * begins 1 ms after it once others follow there (Kafka Streams: `SlidingWindows.ofTimeDifferenceAndGrace`).
   * @throws StreamError INVALID_ARGUMENT for a time difference of 0 or a malformed duration.
   */
  sliding(timeDifference: Duration, options: WindowOptions): SlidingWindows {
    const timeDifferenceMs = durationMs(timeDifference, 'time difference')
    const graceMs = graceOf(options)
    if (timeDifferenceMs === 0) {
      throw new StreamError('INVALID_ARGUMENT', 'a sliding window with a time difference of 0 ms cannot be', {
        hint: 'The time difference is the longest time between two records of a window: give it more than 0 ms.',
      })
    }
    return Object.freeze({ kind: 'sliding', timeDifferenceMs, graceMs })
  },
  /**
   * Windows of a join of two streams (Kafka Streams: `JoinWindows.ofTimeDifferenceAndGrace`, with `before` and `after`).
   * @param difference how much earlier or later the other stream's record may be, inclusive; 0 joins equal timestamps.
   * @example Windows.join('10m', { grace: '1m' })
   * @example Windows.join('10m', { before: 0, grace: '1m' })
   * @throws StreamError INVALID_ARGUMENT for a window that ends before it begins, or a malformed duration.
   */
  join(difference: Duration, options: JoinWindowOptions): JoinWindows {
    return joinWindows(difference, options)
  },
})

/** @throws StreamError INVALID_ARGUMENT when there is none, or it is no duration. */
function graceOf(options: WindowOptions): number {
  if (options?.grace !== undefined) return durationMs(options.grace, 'grace')
  throw new StreamError('INVALID_ARGUMENT', 'the windows have no grace', {
    hint: "Say how late a record may come: { grace: '5m' }, or { grace: 0 } for none that is late.",
  })
}

function joinWindows(difference: Duration, options: JoinWindowOptions): JoinWindows {
  const differenceMs = durationMs(difference, 'time difference')
  const beforeMs = options?.before === undefined ? differenceMs : signedDurationMs(options.before, 'before')
  const afterMs = options?.after === undefined ? differenceMs : signedDurationMs(options.after, 'after')
  const graceMs = graceOf(options)
  if (beforeMs + afterMs < 0) {
    throw new StreamError(
      'INVALID_ARGUMENT',
      `a join window from ${beforeMs} ms before to ${afterMs} ms after cannot be`,
      {
        hint: 'It would end before it begins: before + after must not be negative.',
      },
    )
  }
  return Object.freeze({ kind: 'join', beforeMs, afterMs, graceMs })
}

function timeWindows(size: Duration, advance: Duration, options: WindowOptions): TimeWindows {
  const sizeMs = durationMs(size, 'window size')
  const advanceMs = durationMs(advance, 'window advance')
  const graceMs = graceOf(options)
  if (sizeMs === 0 || advanceMs === 0 || advanceMs > sizeMs) {
    throw new StreamError('INVALID_ARGUMENT', `a window of ${sizeMs} ms that advances by ${advanceMs} ms cannot be`, {
      hint: 'Size and advance must be above 0, and the advance at most the size.',
    })
  }
  return Object.freeze({ kind: 'time', sizeMs, advanceMs, graceMs })
}

/** The earliest start of a window that holds `timestamp` (Kafka Streams: `TimeWindows.windowsFor`). */
export function firstWindowStart(windows: TimeWindows, timestamp: number): number {
  const earliest = timestamp - windows.sizeMs + windows.advanceMs
  return earliest <= 0 ? 0 : earliest - (earliest % windows.advanceMs)
}

/** How long a window's row is kept, in ms of stream time after the window's start. */
export function windowRetentionMs(windows: TimeWindows): number {
  return windows.sizeMs + windows.graceMs
}

/** How long a session is kept, in ms of stream time after its end. */
export function sessionRetentionMs({ gapMs, graceMs }: SessionWindows): number {
  return gapMs + graceMs
}

/** Sessions of a key that end in one stretch, at most: they are apart by more than the gap. */
const sessionsPerStretch = 8

/** How sessions are kept: those that end in one stretch lie together, as a window of it that ends with the last session there can be in it. */
export function sessionStretches({ gapMs, graceMs }: SessionWindows): TimeWindows {
  const advanceMs = sessionsPerStretch * (gapMs + 1)
  return Object.freeze({ kind: 'time', sizeMs: advanceMs + gapMs, advanceMs, graceMs })
}

/**
 * How sliding windows are kept: those that start in one stretch of time + 1 ms lie together. As windows of the stretch, whose end is
 * where no record can reach them any more: one that is accepted is no older than stream time - grace - time difference, and looks for windows that start
 * two time differences before it.
 */
export function slidingStretches({ timeDifferenceMs, graceMs }: SlidingWindows): TimeWindows {
  const advanceMs = timeDifferenceMs + 1
  return Object.freeze({ kind: 'time', sizeMs: advanceMs + 3 * timeDifferenceMs, advanceMs, graceMs })
}

/**
 * How long a record of a stream-stream join can still be matched, in ms of stream time after its timestamp: for as long as the other
 * side takes records that reach back to it.
 * @param side of the record.
 */
export function joinReachMs({ beforeMs, afterMs, graceMs }: JoinWindows, side: 'left' | 'right'): number {
  return side === 'left' ? afterMs + Math.max(0, beforeMs) + graceMs : beforeMs + Math.max(0, afterMs) + graceMs
}
