/** The codes by which a broker says that a producer's epoch is over, told apart from the group's fencing. */

import { protocolError } from './protocol-errors.ts'

/** INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED. */
const codes: readonly number[] = [47, 49, 90]

/**
 * Cause of a FENCED that means the producer's own epoch: another producer has the transactional id, or the coordinator
 * ended the transaction at its timeout. Asking for a new epoch would then fence a successor.
 */
export class EpochOver extends Error {
  constructor(code: number) {
    super(`${protocolError(code).name} (${code})`)
    this.name = 'EpochOver'
  }
}

/** null for every other code. */
export function epochOver(code: number): EpochOver | null {
  return codes.includes(code) ? new EpochOver(code) : null
}
