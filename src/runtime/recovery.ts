/** Which troubles may pass, and how long to wait before trying again. */

import { type ErrorCode, StreamError } from '../common/errors.ts'

const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'FENCED',
  'UNKNOWN_OUTCOME',
  'REBALANCE',
  'UNREACHABLE',
  'TIMEOUT',
])

/** Whether dropping uncommitted work and starting again from what is committed can help. A record's own fault never passes. */
export function isRecoverable(error: unknown): boolean {
  return error instanceof StreamError && passing.has(error.code)
}

const firstDelayMs = 100
const longestDelayMs = 10_000

/** ms before the `attempt`-th retry (from 1): doubles up to 10 s, with the later half at random so that workers spread. */
export function retryDelayMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempt - 1, 20))
  return full / 2 + (random() * full) / 2
}
