/** Snappy as Kafka clients write it, in xerial's blocks or as one raw block; the declared size is checked before anything is allocated. */

import snappy from 'snappy'

/** xerial's snappy-java: magic, version 1, compatible with 1. */
const xerialHeader = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const xerialMagicBytes = 8
/** SnappyOutputStream's block size. */
const blockBytes = 32 * 1024

/** What a raw block declares to hold: a varint at its start. */
function declaredBytes(block: Buffer): number {
  let bytes = 0
  for (let i = 0; i < 5; i++) {
    const byte = block[i]
    if (byte === undefined) break
    bytes += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return bytes
  }
  throw new Error('a snappy block declares no size')
}

function blocksOf(data: Buffer): readonly Buffer[] {
  if (data.length < xerialHeader.length || data.compare(xerialHeader, 0, xerialMagicBytes, 0, xerialMagicBytes) !== 0) {
    return [data]
  }
  const blocks: Buffer[] = []
  for (let at = xerialHeader.length; at < data.length; ) {
    if (at + 4 > data.length) throw new Error('a snappy block ends early')
    // Streams may be joined: the magic then stands where a block's length would.
    if (data.readInt32BE(at) === xerialHeader.readInt32BE(0)) {
      at += xerialHeader.length
      continue
    }
    const end = at + 4 + data.readUInt32BE(at)
    if (end > data.length) throw new Error('a snappy block ends early')
    blocks.push(data.subarray(at + 4, end))
    at = end
  }
  return blocks
}

/** `null` when the result would be larger than `maxBytes`. */
export function unsnappy(data: Buffer, maxBytes: number): Buffer | null {
  const blocks = blocksOf(data)
  let declared = 0
  for (const block of blocks) declared += declaredBytes(block)
  if (declared > maxBytes) return null
  const parts = blocks.map((block) => snappy.uncompressSync(block) as Buffer)
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
}

export function toSnappy(data: Buffer): Buffer {
  const parts: Buffer[] = [xerialHeader]
  for (let start = 0; start < data.length; start += blockBytes) {
    const block = snappy.compressSync(data.subarray(start, start + blockBytes))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}
