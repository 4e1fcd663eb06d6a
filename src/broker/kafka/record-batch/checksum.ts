/** CRC-32C of a batch, which covers everything from its attributes on: base offset and leader epoch are the broker's to change. */

import crc32 from '@node-rs/crc32'
import { at, type BatchHeader, type BatchOrigin, corrupt } from './layout.ts'

/** Of the batch that starts at `start` and ends at `end`. */
export function batchCrc(buffer: Buffer, start: number, end: number): number {
  return crc32.crc32c(buffer.subarray(start + at.attributes, end))
}

/** @throws StreamError CORRUPT when the batch is not what its producer (or broker) wrote, or has numbers no batch can have. */
export function checkBatch(set: Buffer, header: BatchHeader, origin: BatchOrigin): void {
  const { start, end, baseOffset, lastOffset } = header
  const found = batchCrc(set, start, end)
  const stored = set.readUInt32BE(start + at.crc)
  if (found !== stored) {
    throw corrupt(origin, baseOffset, `its checksum is ${found.toString(16)} and should be ${stored.toString(16)}`)
  }
  if (!(baseOffset >= 0 && lastOffset >= baseOffset && Number.isSafeInteger(lastOffset))) {
    throw corrupt(origin, baseOffset, `its last offset is ${lastOffset}`)
  }
  if (Number.isNaN(header.baseTimestamp) || Number.isNaN(header.maxTimestamp) || Number.isNaN(header.producerId)) {
    throw corrupt(origin, baseOffset, 'a timestamp or producer id is beyond 2^53')
  }
}
