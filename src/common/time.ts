/** Durations and clocks: time comes in as an argument, so that tests own it. */

import { StreamError } from './errors.ts'

type Unit = 'ms' | 's' | 'm' | 'h' | 'd'

/** A span of time: milliseconds as a number, or a number with its unit: `'250ms'`, `'30s'`, `'5m'`, `'1h'`, `'7d'`. */
export type Duration = number | `${number}${Unit}`

const unitMs: Readonly<Record<Unit, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const pattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/**
 * Milliseconds of a duration.
 * @throws StreamError INVALID_ARGUMENT when it is no whole number of milliseconds, negative, or has no known unit.
 */
export function durationMs(duration: Duration, what = 'duration'): number {
  const match = typeof duration === 'string' ? pattern.exec(duration) : null
  const ms = typeof duration === 'number' ? duration : match ? Number(match[1]) * unitMs[match[2] as Unit] : Number.NaN
  if (!Number.isSafeInteger(ms) || ms < 0) {
    throw new StreamError('INVALID_ARGUMENT', `${what} ${JSON.stringify(duration)} is not a duration`, {
      hint: "Give milliseconds as a number, or a number with ms, s, m, h or d: '250ms', '30s', '5m', '1h', '7d'.",
    })
  }
  return ms
}

/**
 * As `durationMs`, of a span that may go back in time: `-5000`, `'-5s'`.
 * @throws StreamError INVALID_ARGUMENT when it is no whole number of milliseconds, or has no known unit.
 */
export function signedDurationMs(duration: Duration, what = 'duration'): number {
  if (typeof duration === 'number') return duration < 0 ? -durationMs(-duration, what) : durationMs(duration, what)
  return duration.startsWith('-') ? -durationMs(duration.slice(1) as Duration, what) : durationMs(duration, what)
}

/** Milliseconds since the epoch, by the wall. */
export type Clock = () => number

export const systemClock: Clock = () => Date.now()
