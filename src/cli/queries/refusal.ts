/** Why a query has no answer: an error with the HTTP status that tells it. */

import { type ErrorCode, type ErrorDetails, messageOf, StreamError } from '../../common/errors.ts'

export class Refusal extends StreamError {
  readonly status: number

  constructor(status: number, code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details)
    this.status = status
  }
}

export function refuse(status: number, code: ErrorCode, message: string, details: ErrorDetails = {}): Refusal {
  return new Refusal(status, code, message, details)
}

const statuses: Partial<Readonly<Record<ErrorCode, number>>> = {
  INVALID_ARGUMENT: 400,
  REBALANCE: 503,
  UNREACHABLE: 503,
  TIMEOUT: 504,
}

/** Anything thrown, as a refusal. */
export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown
  if (!(thrown instanceof StreamError)) return refuse(500, 'INTERNAL', messageOf(thrown), { cause: thrown })
  const { code, message, hint, where } = thrown
  return refuse(statuses[code] ?? 500, code, message, { where, cause: thrown, ...(hint !== undefined && { hint }) })
}
