/**
 * One partition: an ordered log of batches. No reader of committed data gets past the first offset of a writer that
 * has not settled (the last stable offset), so whatever lies below it is final.
 *
 * It neither compacts nor expires: `cleanup.policy` and `retention.ms`
 * are accepted and ignored. Unlike in Kafka, aborted records are gone for uncommitted readers too; their offsets stay taken.
 */

import type { ConsumerRecord } from '../../common/record.ts'
import { type Batch, batchAt, type Run, type Slice, slice } from './batch.ts'

/** Whoever appends: a transaction, or one flush of a plain producer. Compared by identity. */
export type Writer = object

interface Appended extends Batch {
  records: readonly ConsumerRecord[]
  bytes: number
}

const none: readonly ConsumerRecord[] = Object.freeze([])

export interface LogState {
  /** Names the partition on disk. */
  readonly id: number
  readonly start: number
  readonly end: number
}

export class PartitionLog {
  readonly topic: string
  readonly partition: number
  readonly id: number
  #start: number
  #end: number
  /** Offsets from here on are in memory, earlier ones only on disk. */
  #tailFrom: number
  #tail: Appended[] = []
  #tailBytes = 0
  readonly #tailLimit: number
  /** First offset of each writer that has not settled, ascending, because offsets are given in order of insertion. */
  readonly #unsettled = new Map<Writer, number>()
  readonly #watchers = new Set<() => void>()

  /** `tailLimit`: bytes of settled batches that stay in memory; Infinity when there is no disk. */
  constructor(topic: string, partition: number, state: LogState, tailLimit: number) {
    this.topic = topic
    this.partition = partition
    this.id = state.id
    this.#start = state.start
    this.#end = state.end
    this.#tailFrom = state.end
    this.#tailLimit = tailLimit
  }

  get start(): number {
    return this.#start
  }

  /** The next offset; with one replica also the high watermark. */
  get end(): number {
    return this.#end
  }

  get stableEnd(): number {
    for (const first of this.#unsettled.values()) return Math.max(first, this.#start)
    return this.#end
  }

  get tailFrom(): number {
    return this.#tailFrom
  }

  append(writer: Writer, runs: readonly Run[]): Batch[] {
    if (!this.#unsettled.has(writer)) this.#unsettled.set(writer, this.#end)
    const batches: Batch[] = []
    for (const { records, bytes } of runs) {
      const base = this.#end
      for (const record of records) record.offset = this.#end++
      const batch = { base, last: this.#end - 1, records, bytes }
      this.#tail.push(batch)
      this.#tailBytes += bytes
      batches.push(batch)
    }
    this.#wake()
    return batches
  }

  /** A control marker takes the next offset. */
  mark(): void {
    this.#end++
  }

  /** The batches of an aborted transaction keep their offsets and lose their records. */
  drop(batches: readonly Batch[]): void {
    for (const batch of batches as readonly Appended[]) {
      this.#tailBytes -= batch.bytes
      batch.records = none
      batch.bytes = 0
    }
  }

  /** What the writer appended is final and on disk. */
  settle(writer: Writer): void {
    this.#unsettled.delete(writer)
    if (this.#tailBytes > 2 * this.#tailLimit) this.#evict()
    this.#wake()
  }

  /** Forgets what lies before `offset`; readers that stand there are out of range. */
  deleteBefore(offset: number): void {
    if (offset <= this.#start) return
    this.#start = offset
    this.#forget(batchAt(this.#tail, offset))
    this.#tailFrom = Math.max(this.#tailFrom, offset)
    this.#wake()
  }

  /** Records of [from, upTo); null when they lie before `tailFrom` and have to be read from disk. */
  read(from: number, upTo: number, maxBytes: number): Slice | null {
    if (from < this.#tailFrom && from < upTo) return null
    return slice(this.#tail, from, upTo, maxBytes)
  }

  /** Calls back whenever there may be something new to read, until the returned function is called. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  #evict(): void {
    const stable = this.stableEnd
    let count = 0
    let bytes = this.#tailBytes
    for (const batch of this.#tail) {
      if (bytes <= this.#tailLimit || batch.last >= stable) break
      bytes -= batch.bytes
      count++
    }
    if (count === 0) return
    this.#tailFrom = (this.#tail[count - 1] as Batch).last + 1
    this.#forget(count)
  }

  #forget(count: number): void {
    for (const batch of this.#tail.splice(0, count)) this.#tailBytes -= batch.bytes
  }

  #wake(): void {
    for (const changed of this.#watchers) changed()
  }
}
