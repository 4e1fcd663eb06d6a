/** What a partition log is made of: runs of records with consecutive offsets; the offsets between two runs are markers and aborted records. */

import type { ConsumerRecord } from '../../common/record.ts'

/** Records on their way to a log. */
export interface Run {
  readonly records: ConsumerRecord[]
  bytes: number
}

export interface Batch {
  readonly base: number
  readonly last: number
  /** Empty once the batch's transaction was aborted. */
  readonly records: readonly ConsumerRecord[]
  readonly bytes: number
}

export interface Slice {
  readonly records: readonly ConsumerRecord[]
  readonly position: number
  readonly bytes: number
}

/** About what a record costs in a fetch: its bytes and a fixed share. */
export function recordBytes(record: ConsumerRecord): number {
  let bytes = 16 + record.keyEnd - record.keyStart + record.valueEnd - record.valueStart
  for (const header of record.headers) bytes += 8 + header.key.length + (header.value?.length ?? 0)
  return bytes
}

/** Index of the first batch that ends at or after `offset`. */
export function batchAt(batches: readonly Batch[], offset: number): number {
  let low = 0
  let high = batches.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((batches[middle] as Batch).last < offset) low = middle + 1
    else high = middle
  }
  return low
}

/** Records of [from, upTo): at most `maxBytes`, but one at least, so that a large record never blocks its partition (KIP-74). */
export function slice(batches: readonly Batch[], from: number, upTo: number, maxBytes: number): Slice {
  const records: ConsumerRecord[] = []
  let bytes = 0
  for (let i = batchAt(batches, from); i < batches.length; i++) {
    const batch = batches[i] as Batch
    if (batch.base >= upTo) break
    const skipped = Math.max(0, from - batch.base)
    const whole = skipped === 0 && bytes + batch.bytes <= maxBytes
    for (let at = skipped; at < batch.records.length; at++) {
      const record = batch.records[at] as ConsumerRecord
      if (!whole) {
        const size = recordBytes(record)
        if (records.length > 0 && bytes + size > maxBytes) return { records, position: record.offset, bytes }
        bytes += size
      }
      records.push(record)
    }
    if (whole) bytes += batch.bytes
  }
  return { records, position: Math.max(from, upTo), bytes }
}
