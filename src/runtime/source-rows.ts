/**
 * What the records of a topic make of the table whose changelog it is. A record that was not put when it was processed, as it has no key or does not
 * read, is not put here either; what became of it then, a dead letter or a count, comes about once.
 */

import type { FetchedPartition } from '../broker/port.ts'
import { type ConsumerRecord, consumerRecord } from '../common/record.ts'
import { type AnySerde, isReadAlone } from '../serde/serde.ts'
import { canonical } from '../state/map-keys.ts'
import type { SourceProcessor } from './source.ts'

/** How the records of a source read. */
type SourceReader = Pick<SourceProcessor, 'key' | 'value' | 'readKey' | 'readValue' | 'timestamps'>

/** The records as a changelog of the store's own would hold them. What a serde looks up must be there. */
export function rowsOf(source: SourceReader, batch: FetchedPartition): readonly ConsumerRecord[] {
  // Times that are those of other records are refused where such a table is built.
  const records = source.timestamps?.stampAlone(batch.records, batch) ?? batch.records
  return records.flatMap((record) => rowOf(source, record) ?? [])
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
