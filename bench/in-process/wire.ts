/** What a broker would carry, without one: records encoded into batches as the producer does, decoded as the fetcher does. */

import { PartitionReader } from '../../src/broker/kafka/partition-reader.ts'
import { BatchBuilder } from '../../src/broker/kafka/record-batch/encode.ts'
import type { FetchedPartition, Output } from '../../src/broker/port.ts'
import { type ConsumerRecord, noHeaders } from '../../src/common/record.ts'
import type { InputRecord } from '../workload.ts'

const stamp = { producerId: 1, epoch: 0, baseSequence: 0, transactional: true }

/** Where a record set begins in its topic. */
export interface RecordSet {
  readonly topic: string
  readonly offset: number
  readonly count: number
  readonly bytes: Buffer
}

/** The outputs of one producer: what is appended gathers per topic until it is sent. */
export class Wire {
  readonly #builders = new Map<string, BatchBuilder>()
  readonly #ends = new Map<string, number>()

  output(topic: string): Output {
    const builder = this.#builders.get(topic) ?? new BatchBuilder()
    this.#builders.set(topic, builder)
    return {
      append: (_partition, key, value, timestamp, headers) => builder.append(key, value, timestamp, headers),
      appendRange: (_partition, source, start, keyLength, valueLength, timestamp, headers) =>
        builder.appendRange(source, start, keyLength, valueLength, timestamp, headers),
    }
  }

  /** Encodes what was appended since the last call; `kept` says which topics somebody reads. */
  send(kept: (topic: string) => boolean): readonly RecordSet[] {
    const sets: RecordSet[] = []
    for (const [topic, builder] of this.#builders) {
      const offset = this.#ends.get(topic) ?? 0
      const batches = builder.take()
      const copies: Buffer[] = []
      let count = 0
      for (const batch of batches) {
        const bytes = batch.stamp(stamp)
        bytes.writeBigInt64BE(BigInt(offset + count))
        count += batch.count
        if (kept(topic)) copies.push(Buffer.from(bytes))
      }
      builder.recycle(batches)
      this.#ends.set(topic, offset + count)
      if (copies.length > 0) sets.push({ topic, offset, count, bytes: Buffer.concat(copies) })
    }
    return sets
  }
}

export function decode({ topic, offset, bytes }: RecordSet): readonly ConsumerRecord[] {
  const records: ConsumerRecord[] = []
  const reader = new PartitionReader({ recordSet: bytes, topic, partition: 0, position: offset, aborted: null })
  while (!reader.done) reader.next(records, Number.POSITIVE_INFINITY)
  return records
}

/** As the fetcher hands it over, from a topic that ends at `end`. */
export function fetched(set: RecordSet, end: number): FetchedPartition {
  const position = set.offset + set.count
  const { topic } = set
  return { topic, partition: 0, records: decode(set), position, stableEnd: end, highWatermark: end }
}

/** Records 0 to `count`, in sets of `perSet`: what is processed between two commits. */
export function recordSets(
  topic: string,
  count: number,
  perSet: number,
  recordOf: (number: number) => InputRecord,
): readonly RecordSet[] {
  const wire = new Wire()
  const output = wire.output(topic)
  const sets: RecordSet[] = []
  for (let number = 0; number < count; number++) {
    const { key, value, timestamp } = recordOf(number)
    output.append(0, key, value, timestamp, noHeaders)
    if ((number + 1) % perSet === 0 || number + 1 === count) sets.push(...wire.send(() => true))
  }
  return sets
}
