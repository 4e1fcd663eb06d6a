/** What the process's end tells a script; a code never changes its meaning. */

import type { ErrorCode } from '../common/errors.ts'

export const exitCodes = Object.freeze({
  /** Done, or left cleanly after SIGINT or SIGTERM. */
  ok: 0,
  /** Anything not below: a bug. */
  failure: 1,
  /** Unknown command or option, bad value. */
  usage: 2,
  /** The topology does not load or cannot run as it stands. */
  invalid: 3,
  /** Broker or registry not reachable, or it refused us. */
  unreachable: 4,
  /** A limit that the user set was passed (lag). */
  assertion: 5,
  timeout: 6,
  /** A record could not be processed. */
  processing: 7,
  /** Held by somebody else. */
  refused: 8,
  /** Second signal while leaving. */
  forced: 130,
})

const byError: Readonly<Record<ErrorCode, number>> = {
  INVALID_TOPOLOGY: exitCodes.invalid,
  TOPOLOGY_CHANGED: exitCodes.invalid,
  INVALID_ARGUMENT: exitCodes.usage,
  UNREACHABLE: exitCodes.unreachable,
  UNAUTHORIZED: exitCodes.unreachable,
  UNSUPPORTED_VERSION: exitCodes.unreachable,
  TOPIC_MISSING: exitCodes.invalid,
  NOT_COPARTITIONED: exitCodes.invalid,
  DESERIALIZATION: exitCodes.processing,
  SERIALIZATION: exitCodes.processing,
  PROCESSING: exitCodes.processing,
  PRODUCTION: exitCodes.processing,
  OFFSET_OUT_OF_RANGE: exitCodes.processing,
  NO_OFFSET: exitCodes.processing,
  FENCED: exitCodes.processing,
  UNKNOWN_OUTCOME: exitCodes.unreachable,
  REBALANCE: exitCodes.unreachable,
  CORRUPT: exitCodes.processing,
  LOCKED: exitCodes.refused,
  TIMEOUT: exitCodes.timeout,
  INTERNAL: exitCodes.failure,
}

export function exitCodeOf(code: ErrorCode): number {
  return byError[code]
}
