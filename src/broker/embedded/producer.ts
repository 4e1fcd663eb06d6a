/** The transactional producer: what a commit has sealed never mixes with what is appended after it. */

import { StreamError } from '../../common/errors.ts'
import type { OffsetCommit, Output, TransactionalProducer } from '../port.ts'
import { Gather, type Gathered } from './gather.ts'
import type { TopicRegistry } from './topics.ts'
import type { Holder, TransactionCoordinator } from './transactions.ts'

/** Above this, records go into the log before the commit. */
const sendBytes = 1024 * 1024

export class EmbeddedTransactionalProducer implements TransactionalProducer {
  readonly #transactions: TransactionCoordinator
  readonly #gather: Gather
  #holder: Holder
  /** Commits that were called and have not ended. */
  #commits = 0
  #ended: Promise<unknown> = Promise.resolve()
  /** Bytes of the current transaction that are in the log already. */
  #sentBytes = 0
  #failure: StreamError | null = null
  #isClosed = false

  constructor(transactions: TransactionCoordinator, topics: TopicRegistry, holder: Holder) {
    this.#transactions = transactions
    this.#holder = holder
    this.#gather = new Gather({
      maxRecordBytes: (topic) => topics.maxRecordBytes(topic),
      appended: (bytes) => {
        if (bytes >= sendBytes) this.#send()
      },
      refused: (error) => this.fail(error),
    })
  }

  get pendingBytes(): number {
    return this.#sentBytes + this.#gather.bytes
  }

  output(topic: string): Output {
    return this.#gather.output(topic)
  }

  commit(offsets: OffsetCommit | null): Promise<ReadonlyMap<string, number>> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    if (this.pendingBytes === 0 && offsets === null) return Promise.resolve(new Map())
    const gathered = this.#gather.take()
    this.#sentBytes = 0
    this.#commits++
    const result = this.#ended.then(() => this.#end(gathered, offsets))
    this.#ended = result.catch(() => {})
    return result
  }

  async reset(): Promise<void> {
    if (this.#isClosed) throw failure('is closed')
    this.fail(failure('is being reset'))
    await this.#ended
    this.#gather.take()
    this.#sentBytes = 0
    this.#holder = await this.#transactions.take(this.#holder.id.name, this.#holder.timeoutMs)
    if (!this.#isClosed) this.#failure = null
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.fail(failure('is closed'))
    await this.#ended
    await this.#transactions.abort(this.#holder)
  }

  /** Everything not committed is void; what is open in the log stays so until the id is taken again or times out. */
  fail(error: StreamError): void {
    this.#failure ??= error
    this.#gather.take()
  }

  async #end(gathered: readonly Gathered[], offsets: OffsetCommit | null): Promise<ReadonlyMap<string, number>> {
    try {
      if (this.#failure !== null) throw this.#failure
      return await this.#transactions.commit(this.#holder, gathered, offsets)
    } catch (error) {
      this.fail(error as StreamError)
      throw error
    } finally {
      this.#commits--
    }
  }

  #send(): void {
    // What was appended after a commit belongs to the next transaction: it begins when that one has ended.
    if (this.#commits > 0) return
    if (this.#failure !== null) {
      this.#gather.take()
      return
    }
    this.#sentBytes += this.#gather.bytes
    try {
      this.#transactions.append(this.#holder, this.#gather.take())
    } catch (error) {
      this.fail(error as StreamError)
    }
  }
}

function failure(what: string): StreamError {
  return new StreamError('INVALID_ARGUMENT', `the transactional producer ${what}`, { hint: 'Take a new one.' })
}
