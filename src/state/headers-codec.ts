/** Headers of a record in a stored value: `count:4`, then `length:4 key length:4 value` each, big-endian; a length of -1 is no value. */

import type { ByteTarget } from '../common/bytes.ts'
import { type Header, type Headers, noHeaders } from '../common/record.ts'

export function writeHeaders(headers: Headers, target: ByteTarget): void {
  writeLength(headers.length, target)
  for (const { key, value } of headers) {
    const head = target.reserve(4)
    target.length = head + 4
    target.writeText(key)
    // The buffer may have grown, and be another one.
    target.buffer.writeInt32BE(target.length - head - 4, head)
    writeLength(value === null ? -1 : value.length, target)
    if (value !== null) target.writeBytes(value)
  }
}

/** The headers that begin at `from`, in buffers of their own, and where they end. */
export function readHeaders(source: Buffer, from: number): { readonly headers: Headers; readonly end: number } {
  let at = from + 4
  const count = source.readInt32BE(from)
  if (count === 0) return { headers: noHeaders, end: at }
  const headers: Header[] = []
  for (let left = count; left > 0; left--) {
    const keyEnd = at + 4 + source.readInt32BE(at)
    const key = source.toString('utf8', at + 4, keyEnd)
    const length = source.readInt32BE(keyEnd)
    at = keyEnd + 4 + Math.max(0, length)
    headers.push({ key, value: length < 0 ? null : Buffer.copyBytesFrom(source, keyEnd + 4, length) })
  }
  return { headers, end: at }
}

export function writeLength(length: number, target: ByteTarget): void {
  const at = target.reserve(4)
  target.length = target.buffer.writeInt32BE(length, at)
}
