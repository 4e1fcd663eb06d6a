/**
 * One transaction after another under one transactional id. A failure of any kind voids the epoch: what was sent in it
 * can then change nothing any more, and `reset` begins a new one. Nothing is ever aborted or committed on a guess.
 */

import { StreamError } from '../../common/errors.ts'
import type { OffsetCommit, Output, TransactionalProducer } from '../port.ts'
import { Accumulator, type Filled, type PartitionBuffer } from './accumulator.ts'
import type { ClusterConnections } from './connections.ts'
import { CoordinatorRequests } from './coordinator-requests.ts'
import { EpochOver } from './epoch-over.ts'
import type { ProducerIdentity } from './producer-protocol.ts'
import type { Compression } from './record-batch/compression.ts'
import { Sender } from './sender.ts'

export interface ProducerSettings {
  /** Default `none`. */
  readonly compression?: Compression
  /** Bytes of one record batch. Default 1 MiB. */
  readonly maxBatchBytes?: number
  /** ms one request may take. Default 30000, at most half of the transaction timeout. */
  readonly requestTimeoutMs?: number
  /** 0 to 1, for jitter. Default Math.random. */
  readonly random?: () => number
}

export const defaultTransactionTimeoutMs = 10_000
export const defaultMaxBatchBytes = 1024 * 1024
/** ms to wait for an earlier holder's transaction to end. */
const initDeadlineMs = 60_000
const closeDeadlineMs = 5_000

let lanes = 0

/** Takes the transactional id over. @throws StreamError as CoordinatorRequests.init */
export async function openTransactionalProducer(
  connections: ClusterConnections,
  options: { readonly transactionalId: string; readonly timeoutMs?: number },
  settings: ProducerSettings = {},
): Promise<TransactionalProducer> {
  const producer = new KafkaTransactionalProducer(connections, options, settings)
  await producer.reset()
  return producer
}

/** A producer id and epoch, and what was done under it. */
class Epoch {
  readonly identity: ProducerIdentity
  readonly sender: Sender
  readonly #given = new AbortController()
  /** Whether the coordinator may hold an open transaction. */
  isDirty = false

  constructor(identity: ProducerIdentity, sender: Sender) {
    this.identity = identity
    this.sender = sender
  }

  get signal(): AbortSignal {
    return this.#given.signal
  }

  get failure(): Error | null {
    return this.sender.failure
  }

  fail(error: Error): void {
    this.sender.fail(error)
    this.#given.abort()
  }
}

/** What has been told to the brokers of one transaction. */
class Transaction {
  readonly #epoch: Epoch
  readonly #coordinator: CoordinatorRequests
  readonly #added = new Set<string>()
  #unadded = new Map<string, PartitionBuffer>()
  #adding: Promise<void> | null = null

  constructor(epoch: Epoch, coordinator: CoordinatorRequests) {
    this.#epoch = epoch
    this.#coordinator = coordinator
  }

  get epoch(): Epoch {
    return this.#epoch
  }

  /** Sends batches as soon as the coordinator holds their partitions. A failure shows in `flushed`. */
  send(filled: readonly Filled[]): void {
    const { sender } = this.#epoch
    const ready: string[] = []
    for (const { buffer, batches } of filled) {
      sender.enqueue(buffer, batches)
      if (this.#added.has(buffer.name)) ready.push(buffer.name)
      else this.#unadded.set(buffer.name, buffer)
    }
    sender.admit(ready)
    if (this.#unadded.size === 0 || this.#adding !== null) return
    this.#adding = this.#add().catch((error: unknown) => this.#epoch.fail(asError(error)))
  }

  /** One request for all that is new, and another for what came while it was under way. */
  async #add(): Promise<void> {
    while (this.#unadded.size > 0) {
      const adding = this.#unadded
      this.#unadded = new Map()
      this.#epoch.isDirty = true
      await this.#coordinator.addPartitions(this.#epoch.identity, [...adding.values()], this.#epoch.signal)
      for (const name of adding.keys()) this.#added.add(name)
      this.#epoch.sender.admit(adding.keys())
    }
    this.#adding = null
  }

  flushed(): Promise<ReadonlyMap<string, number>> {
    return this.#epoch.sender.flushed()
  }

  /** The coordinator must know of the offsets before the group takes them; the records travel meanwhile. */
  async commitOffsets(commit: OffsetCommit): Promise<void> {
    const { identity, signal } = this.#epoch
    this.#epoch.isDirty = true
    await this.#coordinator.addOffsets(identity, commit.group.groupId, signal)
    await this.#coordinator.commitOffsets(identity, commit, signal)
  }

  async end(): Promise<void> {
    await this.#coordinator.end(this.#epoch.identity, this.#epoch.signal)
    this.#epoch.isDirty = false
    this.#epoch.sender.endTransaction()
  }
}

class KafkaTransactionalProducer implements TransactionalProducer {
  readonly #connections: ClusterConnections
  readonly #coordinator: CoordinatorRequests
  readonly #accumulator: Accumulator
  readonly #newSender: (identity: ProducerIdentity) => Sender
  readonly #lane: string
  #epoch: Epoch | null = null
  /** Of the records appended now, when some were sent before their commit. */
  #early: Transaction | null = null
  /** Sealed commits that have not ended. */
  #sealed = 0
  #tail: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(
    connections: ClusterConnections,
    { transactionalId, timeoutMs }: { readonly transactionalId: string; readonly timeoutMs?: number },
    settings: ProducerSettings,
  ) {
    this.#connections = connections
    const transactionTimeoutMs = timeoutMs ?? defaultTransactionTimeoutMs
    const requestTimeoutMs = Math.min(settings.requestTimeoutMs ?? 30_000, Math.ceil(transactionTimeoutMs / 2))
    this.#lane = `transactions-${++lanes}`
    const random = settings.random === undefined ? {} : { random: settings.random }
    const backoff = { firstMs: 10, maxMs: 100, ...random }
    const shared = { transactionalId, requestTimeoutMs, backoff }
    this.#coordinator = new CoordinatorRequests(connections, { ...shared, transactionTimeoutMs, lane: this.#lane })
    const compression = settings.compression ?? 'none'
    const deliveryTimeoutMs = transactionTimeoutMs
    const lane = `${this.#lane}-produce`
    this.#newSender = (identity) =>
      new Sender(connections, identity, { ...shared, lane, compression, deliveryTimeoutMs })
    this.#accumulator = new Accumulator(settings.maxBatchBytes ?? defaultMaxBatchBytes, (buffer) => {
      this.#sendEarly(buffer)
    })
  }

  get pendingBytes(): number {
    return this.#accumulator.pendingBytes
  }

  output(topic: string): Output {
    return this.#accumulator.output(topic)
  }

  /** Between commits only: an earlier transaction must have ended before the next may touch a partition. */
  #sendEarly(buffer: PartitionBuffer): void {
    const epoch = this.#epoch
    if (this.#sealed > 0 || epoch === null || epoch.failure !== null || this.#isClosed) return
    this.#early ??= new Transaction(epoch, this.#coordinator)
    this.#early.send([{ buffer, batches: buffer.builder.take() }])
  }

  commit(offsets: OffsetCommit | null): Promise<ReadonlyMap<string, number>> {
    const epoch = this.#epoch
    if (this.#isClosed || epoch === null) return Promise.reject(new StreamError('INTERNAL', 'the producer is closed'))
    if (epoch.failure !== null) return Promise.reject(epoch.failure)
    const filled = this.#accumulator.take()
    const early = this.#early
    this.#early = null
    const withOffsets = offsets === null || offsets.offsets.length === 0 ? null : offsets
    if (filled.length === 0 && early === null && withOffsets === null) return Promise.resolve(new Map())
    const transaction = early ?? new Transaction(epoch, this.#coordinator)
    this.#sealed++
    const done = this.#tail.then(() => this.#run(transaction, filled, withOffsets))
    this.#tail = done.then(
      () => this.#sealed--,
      () => this.#sealed--,
    )
    return done
  }

  async #run(
    transaction: Transaction,
    filled: readonly Filled[],
    offsets: OffsetCommit | null,
  ): Promise<ReadonlyMap<string, number>> {
    const { epoch } = transaction
    if (epoch.failure !== null) throw epoch.failure
    try {
      transaction.send(filled)
      const [ends] = await Promise.all([
        transaction.flushed(),
        offsets === null ? undefined : transaction.commitOffsets(offsets),
      ])
      await transaction.end()
      return ends
    } catch (error) {
      epoch.fail(asError(error))
      throw epoch.failure ?? error
    }
  }

  async reset(): Promise<void> {
    if (this.#isClosed) throw new StreamError('INTERNAL', 'the producer is closed')
    await this.#abandon(new StreamError('UNKNOWN_OUTCOME', 'the producer was reset before the commit had ended'))
    const identity = await this.#coordinator.init(initDeadlineMs)
    // Appended while the epoch changed: it belongs to nothing.
    this.#accumulator.clear()
    this.#epoch = new Epoch(identity, this.#newSender(identity))
  }

  /** Nothing of the current epoch goes on; its sockets are closed, so that no old request delays a new one. */
  async #abandon(reason: StreamError): Promise<void> {
    this.#epoch?.fail(reason)
    this.#early = null
    this.#accumulator.clear()
    await this.#connections.closeLane(this.#lane)
    await this.#connections.closeLane(`${this.#lane}-produce`)
    await this.#tail
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#tail
    const epoch = this.#epoch
    const failure = epoch?.failure
    // A successor's epoch must not be ended by a goodbye.
    const isSucceeded = failure instanceof StreamError && failure.cause instanceof EpochOver
    const mustAbort = epoch?.isDirty === true && !isSucceeded
    await this.#abandon(new StreamError('INTERNAL', 'the producer is closed'))
    try {
      // A new epoch aborts what is open, whatever became of the requests under way.
      if (mustAbort) await this.#coordinator.init(closeDeadlineMs)
    } catch {
      // The transaction timeout does it later.
    }
    await this.#connections.closeLane(this.#lane)
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new StreamError('INTERNAL', String(thrown))
}
