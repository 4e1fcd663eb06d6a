/** A record's key and an id within it, as one key of a store: a text of its bytes, a character each. */

import { ByteTarget, byteText, writerOf } from '../common/bytes.ts'
import type { AnySerde, Serde } from './serde.ts'

/** `length:4 key id`: no pair has the bytes of another. The length of no key is ffffffff. */
export function identified(key: AnySerde): Serde<string> {
  const { format, fingerprint } = key
  return Object.freeze({
    ...byteText,
    format: `identified(${format})`,
    ...(fingerprint !== undefined && { fingerprint }),
  })
}

/** Makes such a text. */
export function identifying(key: AnySerde): (key: unknown, id: string) => string {
  const write = writerOf(key)
  const target = new ByteTarget()
  return (key, id) => {
    target.clear()
    target.length = target.reserve(lengthBytes) + lengthBytes
    if (key !== null) write(key, target)
    const length = key === null ? noKey : target.length - lengthBytes
    target.writeText(id)
    target.buffer.writeUInt32BE(length, 0)
    return target.buffer.toString('latin1', 0, target.length)
  }
}

const lengthBytes = 4
const noKey = 0xffff_ffff
