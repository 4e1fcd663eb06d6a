/**
 * The inputs of a task, merged by timestamp: one queue per partition, the lowest head timestamp next (Kafka Streams:
 * PartitionGroup). While an input is known to have more records at the broker and none is buffered, nothing is taken, so
 * that records of several inputs meet in time order as far as the broker holds them.
 */

import type { ConsumerRecord, TopicPartition } from '../common/record.ts'
import { type Clock, systemClock } from '../common/time.ts'

interface FetchedBatch extends TopicPartition {
  readonly records: readonly ConsumerRecord[]
  readonly position: number
  readonly stableEnd: number
}

/** One partition's records, in offset order, waiting for their turn. `source` is where they go. */
export class PartitionQueue<S> {
  readonly source: S
  readonly topic: string
  readonly partition: number
  /** Highest timestamp of a record that was taken and read, ms; -1 before the first. Whoever reads them raises it. */
  partitionTime = -1
  /** Highest timestamp put in; kept where event time is extracted. */
  enqueuedTime = -1
  /** When it was first found at its end while others had records, ms of the clock; kept where that is waited for. */
  emptySince = Number.POSITIVE_INFINITY
  stableEnd: number
  #batches: (readonly ConsumerRecord[])[] = []
  #records: readonly ConsumerRecord[] = []
  #next = 0
  #fetchPosition: number

  constructor(source: S, topic: string, partition: number, position: number, stableEnd: number) {
    this.source = source
    this.topic = topic
    this.partition = partition
    this.#fetchPosition = position
    this.stableEnd = stableEnd
  }

  /** Next record without taking it. */
  get head(): ConsumerRecord | undefined {
    return this.#records[this.#next]
  }

  /** Batches fetched and not yet begun; what backpressure is decided by. */
  get waitingBatches(): number {
    return this.#batches.length
  }

  /** Next offset to fetch. */
  get fetchPosition(): number {
    return this.#fetchPosition
  }

  /** Next offset to process: the head's, or past everything fetched, markers included. */
  get position(): number {
    return this.head?.offset ?? this.#fetchPosition
  }

  /** The broker holds committed records that are not here yet. */
  get awaitsRecords(): boolean {
    return this.#next >= this.#records.length && this.#fetchPosition < this.stableEnd
  }

  push(batch: FetchedBatch): void {
    this.#fetchPosition = batch.position
    this.stableEnd = Math.max(this.stableEnd, batch.stableEnd)
    if (batch.records.length === 0) return
    if (this.#next >= this.#records.length) {
      this.#records = batch.records
      this.#next = 0
    } else {
      this.#batches.push(batch.records)
    }
  }

  /** Takes the head; there must be one. */
  take(): ConsumerRecord {
    const record = this.#records[this.#next++] as ConsumerRecord
    if (this.#next >= this.#records.length) {
      this.#records = this.#batches.shift() ?? []
      this.#next = 0
    }
    return record
  }
}

export class PartitionGroup<S> {
  readonly queues: readonly PartitionQueue<S>[]
  /** When the wait for an input at its end is over, ms of the clock; Infinity while none is waited for. */
  waitsUntil = Number.POSITIVE_INFINITY
  readonly #idleMs: number
  readonly #clock: Clock

  /**
   * @param idleMs how long an input at its end is waited for while others have records; below 0 none is waited for, not even one that the
   * broker has more of (Kafka Streams: `max.task.idle.ms`).
   */
  constructor(queues: readonly PartitionQueue<S>[], idleMs = 0, clock: Clock = systemClock) {
    this.queues = queues
    this.#idleMs = idleMs
    this.#clock = clock
  }

  /** The queue whose head is next, or undefined while there is nothing to take or an input must be waited for. */
  next(): PartitionQueue<S> | undefined {
    const queues = this.queues
    if (this.#idleMs > 0 && this.#waits()) return undefined
    if (queues.length === 1) {
      const only = queues[0] as PartitionQueue<S>
      return only.head === undefined ? undefined : only
    }
    let lowest: PartitionQueue<S> | undefined
    let timestamp = Number.POSITIVE_INFINITY
    for (let i = 0; i < queues.length; i++) {
      const queue = queues[i] as PartitionQueue<S>
      const head = queue.head
      if (head === undefined) {
        if (queue.awaitsRecords && this.#idleMs >= 0) return undefined
      } else if (head.timestamp < timestamp) {
        lowest = queue
        timestamp = head.timestamp
      }
    }
    return lowest
  }

  /** Whether an input is at its end for less than is waited for. With nothing to take there is nothing to wait with. */
  #waits(): boolean {
    this.waitsUntil = Number.POSITIVE_INFINITY
    if (this.queues.every((queue) => queue.head === undefined)) return false
    const now = this.#clock()
    let waits = false
    for (const queue of this.queues) {
      if (queue.head !== undefined) queue.emptySince = Number.POSITIVE_INFINITY
      else if (!queue.awaitsRecords) {
        if (queue.emptySince > now) queue.emptySince = now
        const until = queue.emptySince + this.#idleMs
        if (until <= now) continue
        waits = true
        if (until < this.waitsUntil) this.waitsUntil = until
      }
    }
    return waits
  }

  /** Highest timestamp taken from any input. */
  get streamTime(): number {
    return this.queues.reduce((time, queue) => Math.max(time, queue.partitionTime), -1)
  }
}
