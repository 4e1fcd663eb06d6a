/** Records on their way out, gathered per partition: an append touches one partition's batch builder and nothing else. */

import { type Headers, partitionName } from '../../common/record.ts'
import type { Output } from '../port.ts'
import { BatchBuilder, type RecordBatch } from './record-batch/encode.ts'

/** A partition's records; lives as long as its producer. */
export class PartitionBuffer {
  readonly topic: string
  readonly partition: number
  readonly name: string
  readonly builder: BatchBuilder
  /** Whether it is among the accumulator's filled ones. */
  filled = false

  constructor(topic: string, partition: number, maxBatchBytes: number) {
    this.topic = topic
    this.partition = partition
    this.name = partitionName(topic, partition)
    this.builder = new BatchBuilder({ maxBatchBytes })
  }
}

export interface Filled {
  readonly buffer: PartitionBuffer
  readonly batches: readonly RecordBatch[]
}

export class Accumulator {
  readonly #outputs = new Map<string, TopicOutput>()
  readonly #maxBatchBytes: number
  readonly #onFull: (buffer: PartitionBuffer) => void
  #filled: PartitionBuffer[] = []
  /** Bytes appended since the last `take`. */
  pendingBytes = 0

  /** @param onFull told at each append to a partition that holds about a batch; it may empty the builder. */
  constructor(maxBatchBytes: number, onFull: (buffer: PartitionBuffer) => void) {
    this.#maxBatchBytes = maxBatchBytes
    this.#onFull = onFull
  }

  output(topic: string): Output {
    let output = this.#outputs.get(topic)
    if (output === undefined) {
      output = new TopicOutput(topic, this, this.#maxBatchBytes, this.#onFull)
      this.#outputs.set(topic, output)
    }
    return output
  }

  markFilled(buffer: PartitionBuffer): void {
    buffer.filled = true
    this.#filled.push(buffer)
  }

  /** Everything appended so far, by partition in order of first append. */
  take(): readonly Filled[] {
    const taken: Filled[] = []
    for (const buffer of this.#filled) {
      buffer.filled = false
      const batches = buffer.builder.take()
      if (batches.length > 0) taken.push({ buffer, batches })
    }
    this.#filled = []
    this.pendingBytes = 0
    return taken
  }

  /** Forgets everything appended so far. */
  clear(): void {
    for (const { buffer, batches } of this.take()) buffer.builder.recycle(batches)
  }
}

class TopicOutput implements Output {
  readonly #topic: string
  readonly #owner: Accumulator
  readonly #maxBatchBytes: number
  readonly #fullBytes: number
  readonly #onFull: (buffer: PartitionBuffer) => void
  readonly #partitions: (PartitionBuffer | undefined)[] = []

  constructor(topic: string, owner: Accumulator, maxBatchBytes: number, onFull: (buffer: PartitionBuffer) => void) {
    this.#topic = topic
    this.#owner = owner
    this.#maxBatchBytes = maxBatchBytes
    // A little before the builder starts a second batch, so that one nearly full batch goes out and no small one after it.
    this.#fullBytes = Math.floor(maxBatchBytes * 0.95)
    this.#onFull = onFull
  }

  append(partition: number, key: Buffer | null, value: Buffer | null, timestamp: number, headers: Headers): void {
    const buffer = this.#partitions[partition] ?? this.#open(partition)
    const before = buffer.builder.bytes
    buffer.builder.append(key, value, timestamp, headers)
    this.#appended(buffer, before)
  }

  appendRange(
    partition: number,
    source: Buffer,
    start: number,
    keyLength: number,
    valueLength: number,
    timestamp: number,
    headers: Headers,
  ): void {
    const buffer = this.#partitions[partition] ?? this.#open(partition)
    const before = buffer.builder.bytes
    buffer.builder.appendRange(source, start, keyLength, valueLength, timestamp, headers)
    this.#appended(buffer, before)
  }

  #open(partition: number): PartitionBuffer {
    const buffer = new PartitionBuffer(this.#topic, partition, this.#maxBatchBytes)
    this.#partitions[partition] = buffer
    return buffer
  }

  #appended(buffer: PartitionBuffer, before: number): void {
    const after = buffer.builder.bytes
    const owner = this.#owner
    owner.pendingBytes += after - before
    if (!buffer.filled) owner.markFilled(buffer)
    if (after >= this.#fullBytes) this.#onFull(buffer)
  }
}
