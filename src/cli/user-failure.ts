/**
 * Failures of the user's code that no call of ours can catch: a promise left behind that rejects, a timer's callback that
 * throws. They count as a record's failure; an error without a line of the user's stays a bug of ours.
 */

import type { Broker, TransactionalProducer } from '../broker/port.ts'
import { brokerWith } from '../broker/replaced.ts'
import { messageOf, StreamError } from '../common/errors.ts'
import { frameIn } from './load.ts'

/** How it came to light: Node's two events for what nobody caught. */
export type Uncaught = 'uncaughtException' | 'unhandledRejection'

const hint =
  'The engine does not wait for promises: make the function synchronous, or catch there what may fail. What was not committed is void.'

/** The failure as one of the user's, at the line its stack names first; undefined when no line in it is the user's. */
export function userFailure(thrown: unknown, how: Uncaught): StreamError | undefined {
  if (!(thrown instanceof Error) || ('code' in thrown && thrown.name === 'StreamError')) return undefined
  const where = frameIn(thrown)
  if (where === undefined) return undefined
  const what = how === 'unhandledRejection' ? 'a promise was rejected and nobody caught it' : 'a callback threw'
  return new StreamError('PROCESSING', `${what}: ${messageOf(thrown)}`, { cause: thrown, where, hint })
}

/** The first failure that was met, for those who have to stop for it. */
export class FirstFailure {
  #error: unknown
  #reject: (error: unknown) => void = () => undefined
  /** Rejects with it. */
  readonly met: Promise<never>

  constructor() {
    this.met = new Promise((_, reject) => {
      this.#reject = reject
    })
    this.met.catch(() => undefined)
  }

  note(error: unknown): void {
    this.#error ??= error
    this.#reject(this.#error)
  }

  throwIfMet(): void {
    if (this.#error !== undefined) throw this.#error
  }
}

/** The same broker, on which nothing is committed once the failure is met: which record it belongs to cannot be told. */
export function committingUntil(failure: FirstFailure, broker: Broker): Broker {
  return brokerWith(broker, {
    transactionalProducer: async (options) => guarded(await broker.transactionalProducer(options), failure),
  })
}

function guarded(producer: TransactionalProducer, failure: FirstFailure): TransactionalProducer {
  return {
    output: (topic) => producer.output(topic),
    get pendingBytes() {
      return producer.pendingBytes
    },
    commit: async (offsets) => {
      failure.throwIfMet()
      return producer.commit(offsets)
    },
    reset: () => producer.reset(),
    close: () => producer.close(),
  }
}
