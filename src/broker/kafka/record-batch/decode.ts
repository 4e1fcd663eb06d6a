/**
 * Records of one batch. They share the response (or the batch's unpacked bytes) and keep it in memory: whoever holds one for
 * long copies what it needs.
 */

import { ConsumerRecord, type Header, type Headers, noHeaders } from '../../../common/record.ts'
import { decompress, defaultMaxUnpackedBytes } from './compression.ts'
import { attribute, type BatchHeader, type BatchOrigin, corrupt, headerBytes, leastRecordBytes } from './layout.ts'

/** Headers one record may have; each costs two objects for as little as two bytes. */
const maxHeaders = 1000

/** Where the last varint ended. Reading is synchronous, so one place serves all. */
let next = 0

/** Zigzag varint. Up to 10 bytes; beyond 2^53 NaN, which every caller refuses. The end of the buffer reads as NaN too. */
function varint(bytes: Buffer, position: number): number {
  let at = position
  let byte = bytes[at++] as number
  if (byte < 0x80) {
    next = at
    return (byte >>> 1) ^ -(byte & 1)
  }
  let low = byte & 0x7f
  for (let shift = 7; shift < 28; shift += 7) {
    byte = bytes[at++] as number
    low |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      next = at
      return (low >>> 1) ^ -(low & 1)
    }
  }
  let value = low
  for (let scale = 268435456; scale < 2 ** 64; scale *= 128) {
    byte = bytes[at++] as number
    value += (byte & 0x7f) * scale
    if (byte < 0x80) {
      next = at
      if (value > Number.MAX_SAFE_INTEGER) return Number.NaN
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
  }
  return Number.NaN
}

/** Data records of a checked batch, from the offset `from` on, added to `into`. Returns how many bytes they were, unpacked. */
export function decodeRecords(
  set: Buffer,
  header: BatchHeader,
  from: number,
  origin: BatchOrigin,
  into: ConsumerRecord[],
  maxUnpackedBytes = defaultMaxUnpackedBytes,
): number {
  const { baseOffset, attributes, count } = header
  const packed = set.subarray(header.start + headerBytes, header.end)
  const bytes = decompress(attributes, packed, maxUnpackedBytes, origin, baseOffset)
  const end = bytes.length
  if (count < 0 || count * leastRecordBytes > end)
    throw corrupt(origin, baseOffset, `it names ${count} records in ${end} bytes`)
  const maxDelta = header.lastOffset - baseOffset
  const { baseTimestamp } = header
  const isAppendTime = (attributes & attribute.logAppendTime) !== 0
  const skip = from - baseOffset
  let at = 0
  for (let i = 0; i < count; i++) {
    const length = varint(bytes, at)
    // Comparisons are written so that NaN fails them.
    const recordEnd = next + length
    if (!(length >= leastRecordBytes - 1 && recordEnd <= end)) throw malformed(origin, baseOffset, i, 'its length')
    const timestampDelta = varint(bytes, next + 1)
    const offsetDelta = varint(bytes, next)
    if (!(offsetDelta >= 0 && offsetDelta <= maxDelta)) throw malformed(origin, baseOffset, i, 'its offset')
    at = recordEnd
    if (offsetDelta < skip) continue
    const timestamp = isAppendTime ? header.maxTimestamp : baseTimestamp + timestampDelta
    if (!Number.isSafeInteger(timestamp)) throw malformed(origin, baseOffset, i, 'its timestamp')

    const keyLength = varint(bytes, next)
    let position = next
    let keyStart = -1
    let keyEnd = -1
    if (keyLength >= 0) {
      if (keyLength > recordEnd - position) throw malformed(origin, baseOffset, i, 'its key')
      keyStart = position
      position += keyLength
      keyEnd = position
    } else if (keyLength !== -1) throw malformed(origin, baseOffset, i, 'its key')

    const valueLength = varint(bytes, position)
    position = next
    let valueStart = -1
    let valueEnd = -1
    if (valueLength >= 0) {
      if (valueLength > recordEnd - position) throw malformed(origin, baseOffset, i, 'its value')
      valueStart = position
      position += valueLength
      valueEnd = position
    } else if (valueLength !== -1) throw malformed(origin, baseOffset, i, 'its value')

    const headerCount = varint(bytes, position)
    let headers = noHeaders
    if (headerCount !== 0) {
      if (!(headerCount > 0)) throw malformed(origin, baseOffset, i, 'its header count')
      if (headerCount > maxHeaders)
        throw malformed(origin, baseOffset, i, `its ${headerCount} headers (at most ${maxHeaders})`)
      headers = decodeHeaders(bytes, next, recordEnd, headerCount) ?? noHeaders
      if (headers === noHeaders) throw malformed(origin, baseOffset, i, 'its headers')
    }
    if (next !== recordEnd) throw malformed(origin, baseOffset, i, 'its length')
    const offset = baseOffset + offsetDelta
    into.push(new ConsumerRecord(offset, timestamp, headers, bytes, keyStart, keyEnd, valueStart, valueEnd))
  }
  if (at !== end) throw corrupt(origin, baseOffset, `${end - at} bytes follow its ${count} records`)
  return end
}

function malformed(origin: BatchOrigin, baseOffset: number, index: number, what: string): Error {
  return corrupt(origin, baseOffset, `${what} cannot be, in record ${index}`)
}

/** `null` when they do not fit in the record. */
function decodeHeaders(bytes: Buffer, start: number, end: number, count: number): Headers | null {
  const headers: Header[] = []
  next = start
  for (let i = 0; i < count; i++) {
    const keyLength = varint(bytes, next)
    if (!(keyLength >= 0 && keyLength <= end - next)) return null
    const keyEnd = next + keyLength
    const key = bytes.toString('utf8', next, keyEnd)
    const valueLength = varint(bytes, keyEnd)
    if (!(valueLength >= -1 && valueLength <= end - next)) return null
    const value = valueLength === -1 ? null : bytes.subarray(next, next + valueLength)
    if (value !== null) next += valueLength
    headers.push({ key, value })
  }
  return headers
}

/** Type of a control batch's record (0 abort, 1 commit, more in later Kafkas), or -1 when compaction has emptied the batch. */
export function controlType(set: Buffer, header: BatchHeader, origin: BatchOrigin): number {
  if (header.count === 0) return -1
  const bytes = set.subarray(header.start + headerBytes, header.end)
  varint(bytes, 0)
  varint(bytes, next + 1)
  varint(bytes, next)
  const keyLength = varint(bytes, next)
  if (!(keyLength >= 4 && next + keyLength <= bytes.length))
    throw corrupt(origin, header.baseOffset, 'its marker has no key')
  return bytes.readInt16BE(next + 2)
}
