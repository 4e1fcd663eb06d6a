/** Questions that change nothing (or the same thing twice): asked again until they are answered or their time is over. */

import { StreamError } from '../../common/errors.ts'
import { type Backoff, backoffMs, pause } from './backoff.ts'
import { unreachable } from './cluster.ts'

export interface Patience {
  /** ms. */
  readonly deadlineMs: number
  /** Ends the tries early. */
  readonly closed: AbortSignal
  readonly backoff?: Backoff
}

/** Says that the answer asks for another try. */
export class AskAgain extends Error {
  readonly failure: StreamError

  /** @param failure what is thrown when the time is over. */
  constructor(failure: StreamError) {
    super(failure.message)
    this.name = 'AskAgain'
    this.failure = failure
  }
}

const defaultBackoff: Backoff = { firstMs: 50, maxMs: 1000 }

/**
 * @param ask runs once per try; throws AskAgain to be run again, as it is after UNREACHABLE and UNKNOWN_OUTCOME.
 * @param prepare runs before every try but the first.
 */
export async function untilAnswered<T>(
  { deadlineMs, closed, backoff = defaultBackoff }: Patience,
  ask: () => Promise<T>,
  prepare: (error: StreamError) => unknown,
): Promise<T> {
  const deadline = performance.now() + deadlineMs
  for (let attempt = 0; ; attempt++) {
    let failure: StreamError
    try {
      return await ask()
    } catch (error) {
      if (error instanceof AskAgain) failure = error.failure
      else if (error instanceof StreamError && ['UNREACHABLE', 'UNKNOWN_OUTCOME'].includes(error.code)) failure = error
      else throw error
    }
    const wait = backoffMs(attempt, backoff)
    if (closed.aborted || performance.now() + wait > deadline) throw unreachable(failure)
    await pause(wait, closed)
    await prepare(failure)
  }
}
