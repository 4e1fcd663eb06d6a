/**
 * What the records of a topic make of the table whose changelog it is. A record that was not put when it was processed, as it has no key or does not
 * read, is not put here either; what became of it then, a dead letter or a count, comes about once.
 */

import type { FetchedPartition } from '../broker/port.ts'
import type { ReadFrom } from '../common/bytes.ts'
import { type ConsumerRecord, consumerRecord } from '../common/record.ts'
import { type AnySerde, isReadAlone } from '../serde/serde.ts'
import { canonical } from '../state/map-keys.ts'
import type { Timestamps } from './timestamps.ts'

/** How the records of a source read. */
interface SourceReader {
  readonly key: AnySerde
  readonly value: AnySerde
  readonly readKey: ReadFrom<unknown>
  readonly readValue: ReadFrom<unknown>
  readonly timestamps: Timestamps | undefined
}

/** The records as a changelog of the store's own would hold them. What a serde looks up must be there. */
export function rowsOf(source: SourceReader, batch: FetchedPartition): readonly ConsumerRecord[] {
  const { topic, partition } = batch
  // Times that are those of other records are refused where such a table is built.
  const stamped = source.timestamps?.stamp(batch.records, { topic, partition, partitionTime: -1, enqueuedTime: -1 })
  return (stamped ?? batch.records).flatMap((record) => rowOf(source, record) ?? [])
}

function rowOf({ key, value, readKey, readValue }: SourceReader, record: ConsumerRecord): ConsumerRecord | undefined {
  const { offset, timestamp, bytes, keyStart, valueStart } = record
  if (keyStart < 0 || timestamp < 0) return undefined
  let rowKey: unknown
  let row: unknown = null
  try {
    rowKey = readKey(bytes, keyStart, record.keyEnd)
    if (valueStart >= 0) row = readValue(bytes, valueStart, record.valueEnd)
  } catch {
    return undefined
  }
  if (rowKey === null) return undefined
  return consumerRecord(
    offset,
    timestamp,
    key.serialize(canonical(rowKey)),
    row === null ? null : bytesOf(value, row, record),
  )
}

/** As the table writes them. */
function bytesOf(value: AnySerde, row: unknown, { bytes, valueStart, valueEnd }: ConsumerRecord): Buffer {
  return isReadAlone(value) ? bytes.subarray(valueStart, valueEnd) : value.serialize(row)
}
