/** LZ4 frames (the format's version 1.6): the native library unpacks them, once what they unpack to is known to be small enough. */

import lz4 from 'lz4-napi'

const magic = 0x184d2204
const storedFlag = 0x80000000

/** What an LZ4 block unpacks to, by walking its tokens without copying. */
function blockBytes(data: Buffer, start: number, end: number): number {
  let bytes = 0
  let at = start
  const extended = (nibble: number): number => {
    let length = nibble
    if (nibble === 15) {
      let byte: number
      do {
        byte = at < end ? (data[at++] as number) : 0
        length += byte
      } while (byte === 255)
    }
    return length
  }
  while (at < end) {
    const token = data[at++] as number
    const literals = extended(token >> 4)
    at += literals
    bytes += literals
    if (at >= end) break
    at += 2
    bytes += extended(token & 15) + 4
  }
  return bytes
}

interface Frame {
  /** Bytes of the frame, its end mark and checksum included. */
  readonly length: number
  readonly unpackedBytes: number
}

function measure(data: Buffer): Frame {
  if (data.length < 7 || data.readUInt32LE(0) !== magic) throw new Error('no lz4 frame')
  const flags = data[4] as number
  if (flags >> 6 !== 1) throw new Error(`lz4 frame version ${flags >> 6}`)
  if ((flags & 1) !== 0) throw new Error('an lz4 frame with a dictionary')
  let at = 7 + ((flags & 0x08) === 0 ? 0 : 8)
  let unpackedBytes = 0
  for (;;) {
    if (at + 4 > data.length) throw new Error('an lz4 frame ends early')
    const size = data.readUInt32LE(at)
    at += 4
    if (size === 0) break
    const bytes = size & ~storedFlag
    if (at + bytes > data.length) throw new Error('an lz4 frame ends early')
    unpackedBytes += size >= storedFlag ? bytes : blockBytes(data, at, at + bytes)
    at += bytes + ((flags & 0x10) === 0 ? 0 : 4)
  }
  at += (flags & 0x04) === 0 ? 0 : 4
  if (at > data.length) throw new Error('an lz4 frame ends early')
  return { length: at, unpackedBytes }
}

/** `null` when the result would be larger than `maxBytes`. Bytes after the frame are ignored, as the Java client does. */
export function unlz4(data: Buffer, maxBytes: number): Buffer | null {
  const frame = measure(data)
  if (frame.unpackedBytes > maxBytes) return null
  return lz4.decompressFrameSync(data.subarray(0, frame.length))
}

export function toLz4(data: Buffer): Buffer {
  return lz4.compressFrameSync(data)
}
