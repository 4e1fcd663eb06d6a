/**
 * The time in which a user's processor runs. Outside of it nothing may be stored or forwarded: what came after an await or in a
 * callback would belong to no record and to no transaction.
 */

import type { Headers } from '../common/record.ts'
import { AtRecord } from './at-record.ts'
import { type CurrentRecord, processingError } from './processor.ts'

export class Moment extends AtRecord {
  readonly node: string
  key: unknown = null
  /** A record is at hand: false in a punctuation. */
  hasRecord = false
  #isOpen = false
  #failure: { readonly error: unknown } | undefined

  constructor(node: string, current: CurrentRecord) {
    super(current)
    this.node = node
  }

  open(hasRecord: boolean, key: unknown, timestamp: number, headers: Headers): void {
    this.hasRecord = hasRecord
    this.key = key
    this.timestamp = timestamp
    this.headers = headers
    this.#isOpen = true
  }

  /** The function has returned. @throws what failed downstream meanwhile, whether it was caught or not; PROCESSING for a promise. */
  close(result: unknown): void {
    this.#isOpen = false
    if (this.#failure !== undefined) throw this.#takeFailure()
    if (result === undefined) return
    if (typeof (result as PromiseLike<unknown> | null)?.then !== 'function') return
    void (result as PromiseLike<unknown>).then(undefined, () => undefined)
    throw processingError(this.node, new TypeError('the function returned a promise; a processor is synchronous'))
  }

  /** The function has thrown. @returns what to throw: what failed downstream keeps its own place. */
  failed(thrown: unknown): unknown {
    this.#isOpen = false
    return this.#failure === undefined ? processingError(this.node, thrown) : this.#takeFailure()
  }

  /** Notes what failed downstream: a record that is processed by half must not pass because somebody caught its error. */
  failedDownstream(thrown: unknown): unknown {
    this.#failure ??= { error: thrown }
    return thrown
  }

  /** @throws TypeError outside of the function's time. */
  check(): void {
    if (this.#isOpen) return
    throw new TypeError(
      `${this.node}: stores and forward can be used only while the processor runs, not after an await or in a callback`,
    )
  }

  #takeFailure(): unknown {
    const error = this.#failure?.error
    this.#failure = undefined
    return error
  }
}
