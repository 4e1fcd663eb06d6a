/**
 * Batches of one producer epoch on their way to the leaders: one request in flight per leader, and a batch keeps its
 * sequence number over every retry, so that the broker knows it again.
 */

import { StreamError } from '../../common/errors.ts'
import { partitionName } from '../../common/record.ts'
import type { PartitionBuffer } from './accumulator.ts'
import { type Backoff, backoffMs, pause } from './backoff.ts'
import type { ClusterConnections } from './connections.ts'
import { epochOver } from './epoch-over.ts'
import { type Produced, type ProducerIdentity, produceRequest, readProduce } from './producer-protocol.ts'
import { protocolError, protocolFailure } from './protocol-errors.ts'
import type { Compression } from './record-batch/compression.ts'
import { decodeRecords } from './record-batch/decode.ts'
import { BatchBuilder, type RecordBatch } from './record-batch/encode.ts'
import { readHeader } from './record-batch/layout.ts'

export interface SenderOptions {
  readonly lane: string
  /** null for a producer without transactions. */
  readonly transactionalId: string | null
  readonly compression: Compression
  /** ms one Produce request may take. */
  readonly requestTimeoutMs: number
  /** ms a batch may take, retries included. */
  readonly deliveryTimeoutMs: number
  readonly backoff: Backoff
}

interface Outgoing {
  readonly batch: RecordBatch
  readonly baseSequence: number
  readonly deadline: number
  /** Whose memory the batch is; null for the parts of a split one. */
  readonly source: PartitionBuffer | null
}

interface Queue {
  readonly topic: string
  readonly partition: number
  readonly name: string
  readonly items: Outgoing[]
  sequence: number
  /** Whether the queue is on its way: with a leader, or waiting for one. */
  routed: boolean
  attempts: number
}

interface Leader {
  waiting: Queue[]
  isSending: boolean
}

/** Kafka refuses requests of more than 100 MiB (socket.request.max.bytes); far below, several partitions still share one. */
const maxRequestBytes = 16 * 1024 * 1024
const messageTooLarge = 10
const recordListTooLarge = 18

export class Sender {
  readonly #connections: ClusterConnections
  readonly #identity: ProducerIdentity
  readonly #options: SenderOptions
  readonly #queues = new Map<string, Queue>()
  readonly #leaders = new Map<number, Leader>()
  readonly #stopping = new AbortController()
  #ends = new Map<string, number>()
  #outstanding = 0
  #failure: Error | null = null
  #waiters: { resolve: () => void; reject: (error: Error) => void }[] = []
  constructor(connections: ClusterConnections, identity: ProducerIdentity, options: SenderOptions) {
    this.#connections = connections
    this.#identity = identity
    this.#options = options
  }

  get failure(): Error | null {
    return this.#failure
  }

  /** Takes batches over; they leave once the partition is admitted. */
  enqueue(buffer: PartitionBuffer, batches: readonly RecordBatch[]): void {
    if (this.#failure !== null) return
    let queue = this.#queues.get(buffer.name)
    if (queue === undefined) {
      const { topic, partition, name } = buffer
      queue = { topic, partition, name, items: [], sequence: 0, routed: false, attempts: 0 }
      this.#queues.set(name, queue)
    }
    const deadline = performance.now() + this.#options.deliveryTimeoutMs
    for (const batch of batches) {
      queue.items.push({ batch, baseSequence: queue.sequence, deadline, source: buffer })
      queue.sequence = nextSequence(queue.sequence, batch.count)
    }
    this.#outstanding += batches.length
  }

  /** Lets what was enqueued for these partitions leave. */
  admit(names: Iterable<string>): void {
    const ready: Queue[] = []
    for (const name of names) {
      const queue = this.#queues.get(name)
      if (queue === undefined) continue
      if (!queue.routed && queue.items.length > 0) {
        queue.routed = true
        ready.push(queue)
      }
    }
    if (ready.length > 0) this.#start(this.#route(ready))
  }

  /** Next offsets are gathered anew. */
  endTransaction(): void {
    this.#ends = new Map()
  }

  /** Resolves when nothing is on its way, to the next offset of every partition written since `endTransaction`. */
  async flushed(): Promise<ReadonlyMap<string, number>> {
    if (this.#failure !== null) throw this.#failure
    if (this.#outstanding > 0) {
      await new Promise<void>((resolve, reject) => {
        this.#waiters.push({ resolve, reject })
      })
    }
    return this.#ends
  }

  /** Nothing is sent or retried from here on. The first failure stands. */
  fail(error: Error): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#stopping.abort()
    for (const waiter of this.#waiters) waiter.reject(error)
    this.#waiters = []
    this.#queues.clear()
    this.#leaders.clear()
  }

  #start(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.fail(error instanceof Error ? error : new StreamError('INTERNAL', String(error)))
    })
  }

  /** Finds the leaders of all queues first, so that those of one leader share a request. */
  async #route(queues: readonly Queue[]): Promise<void> {
    const found = await Promise.allSettled(
      queues.map((queue) => this.#connections.leader(queue.topic, queue.partition)),
    )
    const touched = new Map<number, Leader>()
    for (const [index, result] of found.entries()) {
      const queue = queues[index] as Queue
      if (result.status === 'rejected') {
        this.#again([queue], result.reason, isLinkFailure(result.reason))
        continue
      }
      let leader = this.#leaders.get(result.value)
      if (leader === undefined) {
        leader = { waiting: [], isSending: false }
        this.#leaders.set(result.value, leader)
      }
      leader.waiting.push(queue)
      touched.set(result.value, leader)
    }
    for (const [nodeId, leader] of touched) {
      if (!leader.isSending) this.#start(this.#drive(nodeId, leader))
    }
  }

  async #drive(nodeId: number, leader: Leader): Promise<void> {
    leader.isSending = true
    while (leader.waiting.length > 0 && this.#failure === null) {
      const round = leader.waiting
      leader.waiting = []
      let bytes = 0
      let count = 0
      for (const queue of round) {
        bytes += (queue.items[0] as Outgoing).batch.bytes
        if (count > 0 && bytes > maxRequestBytes) break
        count++
      }
      leader.waiting = round.slice(count)
      leader.waiting.push(...(await this.#send(nodeId, round.slice(0, count))))
    }
    leader.isSending = false
  }

  /** Sends the first batch of each queue; resolves to the queues that have more for the same leader. */
  async #send(nodeId: number, queues: readonly Queue[]): Promise<readonly Queue[]> {
    const { transactionalId, requestTimeoutMs, compression, lane } = this.#options
    const partitions = queues.map(({ topic, partition, items }) => {
      const { batch, baseSequence } = items[0] as Outgoing
      const transactional = transactionalId !== null
      return { topic, partition, records: batch.stamp({ ...this.#identity, baseSequence, transactional, compression }) }
    })
    let answers: readonly Produced[]
    try {
      const connection = await this.#connections.node(nodeId, lane)
      answers = readProduce(await connection.send(produceRequest(transactionalId, partitions, requestTimeoutMs)))
    } catch (error) {
      this.#again(queues, error, isLinkFailure(error))
      return []
    }
    if (this.#failure !== null) return []
    const byName = new Map(answers.map((answer) => [partitionName(answer.topic, answer.partition), answer]))
    const more: Queue[] = []
    for (const queue of queues) {
      const answer = byName.get(queue.name)
      if (answer === undefined) throw new StreamError('INTERNAL', `a Produce response leaves out ${queue.name}`)
      if (answer.error === 0) this.#acknowledged(queue, answer)
      else if (!this.#retry(queue, answer)) continue
      if (queue.items.length > 0) more.push(queue)
      else queue.routed = false
    }
    return more
  }

  #acknowledged(queue: Queue, answer: Produced): void {
    const { batch, source } = queue.items.shift() as Outgoing
    queue.attempts = 0
    this.#ends.set(queue.name, answer.baseOffset + batch.count)
    source?.builder.recycle([batch])
    this.#outstanding--
    if (this.#outstanding > 0) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter.resolve()
  }

  /** True when the queue goes on with the same leader at once. */
  #retry(queue: Queue, answer: Produced): boolean {
    const { error } = answer
    const head = queue.items[0] as Outgoing
    const where = { topic: queue.topic, partition: queue.partition }
    if (error === messageTooLarge || error === recordListTooLarge) {
      if (head.batch.count > 1) {
        this.#split(queue, head)
        return true
      }
      throw new StreamError(
        'PRODUCTION',
        `topic '${queue.topic}' takes no record of ${head.batch.bytes} bytes (partition ${queue.partition})`,
        { where, hint: "Raise the topic's max.message.bytes, or write smaller records." },
      )
    }
    const cause = epochOver(error)
    const details = { where, detail: answer.message, ...(cause === null ? {} : { cause }) }
    const failure = protocolFailure(error, `writing to ${queue.name}`, details)
    this.#again([queue], failure, protocolError(error).retriable)
    return false
  }

  /** A topic may allow less than the cluster's default; the halves take the sequence numbers of the whole. */
  #split(queue: Queue, whole: Outgoing): void {
    const origin = { topic: queue.topic, partition: queue.partition }
    const { baseSequence, deadline, batch } = whole
    const bytes = batch.stamp({ ...this.#identity, baseSequence, transactional: false })
    const header = readHeader(bytes, 0, origin)
    if (header === null) throw new StreamError('INTERNAL', `a batch for ${queue.name} cannot be read back`)
    const parts = new BatchBuilder({ maxBatchBytes: Math.ceil(batch.bytes / 2) })
    const records: Parameters<typeof decodeRecords>[4] = []
    decodeRecords(bytes, header, 0, origin, records)
    for (const { key, value, timestamp, headers } of records) parts.append(key, value, timestamp, headers)
    let sequence = baseSequence
    const items = parts.take().map((part): Outgoing => {
      const item = { batch: part, baseSequence: sequence, deadline, source: null }
      sequence = nextSequence(sequence, part.count)
      return item
    })
    queue.items.splice(0, 1, ...items)
    this.#outstanding += items.length - 1
  }

  /** Looks the leaders up anew after a pause and sends the same batches; fails when their time is over or nothing helps. */
  #again(queues: readonly Queue[], error: unknown, retriable: boolean): void {
    if (this.#failure !== null) return
    const deadline = Math.min(...queues.map((queue) => queue.items[0]?.deadline ?? Number.POSITIVE_INFINITY))
    const attempt = Math.max(...queues.map((queue) => queue.attempts++))
    const wait = backoffMs(attempt, this.#options.backoff)
    if (!retriable || performance.now() + wait > deadline) throw error
    this.#start(
      pause(wait, this.#stopping.signal).then(async () => {
        if (this.#failure !== null) return
        await this.#connections.refresh([...new Set(queues.map((queue) => queue.topic))]).catch(() => {})
        await this.#route(queues)
      }),
    )
  }
}

/** Finding the leader or reaching it failed; a topic may also be too new for the broker that was asked. */
function isLinkFailure(error: unknown): boolean {
  return error instanceof StreamError && ['UNREACHABLE', 'UNKNOWN_OUTCOME', 'TOPIC_MISSING'].includes(error.code)
}

/** Sequence numbers are 31 bits and go on at 0 (org.apache.kafka.common.record.DefaultRecordBatch.incrementSequence). */
export function nextSequence(sequence: number, count: number): number {
  return (sequence + count) % 2 ** 31
}
