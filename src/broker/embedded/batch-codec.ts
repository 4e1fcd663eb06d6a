/** The bytes of a batch on disk: checked on reading, so that a damaged batch is an error and never a wrong record. */

import { crc32 } from 'node:zlib'
import { StreamError } from '../../common/errors.ts'
import { ConsumerRecord, type Header, type Headers, noHeaders } from '../../common/record.ts'
import { type Batch, recordBytes } from './batch.ts'

// Layout, big endian: crc32 of the rest (4), base (8), count (4), then per record: timestamp (8, double),
// key, value, header count (4), header key, header value, ... where bytes are length (4, -1 = null) and content.
const headBytes = 16

export function encodeBatch(batch: Batch): Buffer {
  const sizes = batch.records.reduce((sum, record) => sum + encodedBytes(record), headBytes)
  const out = Buffer.allocUnsafe(sizes)
  out.writeDoubleBE(batch.base, 4)
  let at = out.writeInt32BE(batch.records.length, 12)
  for (const record of batch.records) {
    at = out.writeDoubleBE(record.timestamp, at)
    at = writeBytes(out, at, record.key)
    at = writeBytes(out, at, record.value)
    at = out.writeInt32BE(record.headers.length, at)
    for (const header of record.headers) {
      at = writeBytes(out, at, Buffer.from(header.key))
      at = writeBytes(out, at, header.value)
    }
  }
  out.writeUInt32BE(crc32(out.subarray(4)), 0)
  return out
}

/** @throws StreamError CORRUPT when the bytes are not what was written. */
export function decodeBatch(bytes: Buffer): Batch {
  if (bytes.length < headBytes || bytes.readUInt32BE(0) !== crc32(bytes.subarray(4))) {
    throw new StreamError('CORRUPT', 'a batch of the embedded broker is damaged on disk: its checksum differs', {
      hint: 'Delete the directory of the embedded broker, or restore it from a copy.',
    })
  }
  const base = bytes.readDoubleBE(4)
  const count = bytes.readInt32BE(12)
  const records: ConsumerRecord[] = []
  let size = 0
  let at = headBytes
  let from = -1
  /** Past the bytes at `at`, which begin at `from`; both are -1 for null. */
  const skip = (): number => {
    const length = bytes.readInt32BE(at)
    at += 4
    from = length < 0 ? -1 : at
    at += Math.max(0, length)
    return length < 0 ? -1 : at
  }
  const read = (): Buffer | null => {
    const end = skip()
    return end < 0 ? null : bytes.subarray(from, end)
  }
  const readHeaders = (): Headers => {
    const length = bytes.readInt32BE(at)
    at += 4
    if (length === 0) return noHeaders
    const headers: Header[] = []
    for (let i = 0; i < length; i++) headers.push({ key: String(read()), value: read() })
    return headers
  }
  for (let i = 0; i < count; i++) {
    const timestamp = bytes.readDoubleBE(at)
    at += 8
    const keyEnd = skip()
    const keyStart = from
    const valueEnd = skip()
    const valueStart = from
    const record = new ConsumerRecord(base + i, timestamp, readHeaders(), bytes, keyStart, keyEnd, valueStart, valueEnd)
    records.push(record)
    size += recordBytes(record)
  }
  return { base, last: base + count - 1, records, bytes: size }
}

function encodedBytes(record: ConsumerRecord): number {
  let bytes = 20 + (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const { key, value } of record.headers) bytes += 8 + Buffer.byteLength(key) + (value?.length ?? 0)
  return bytes
}

function writeBytes(out: Buffer, at: number, bytes: Buffer | null): number {
  if (bytes === null) return out.writeInt32BE(-1, at)
  const from = out.writeInt32BE(bytes.length, at)
  out.set(bytes, from)
  return from + bytes.length
}
