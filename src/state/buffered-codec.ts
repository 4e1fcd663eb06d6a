/**
 * A held back update in one value, big-endian: `time:8 headers prior value`, where prior and value are `length:4` and their bytes; a
 * length of -1 is null.
 */

import { type ByteTarget, deserializeWith, readerOf, serializeWith, writerOf } from '../common/bytes.ts'
import { type Codec, readInt64, writeInt64 } from './codec.ts'
import { readHeaders, writeHeaders, writeLength } from './headers-codec.ts'
import type { Buffered } from './store.ts'

export function bufferedCodec<V>(value: Codec<V>): Codec<Buffered<V>> {
  const writeValue = writerOf(value)
  const readValue = readerOf(value)
  const writePart = (part: V | null, target: ByteTarget): void => {
    if (part === null) {
      writeLength(-1, target)
      return
    }
    const head = target.reserve(4)
    target.length = head + 4
    writeValue(part, target)
    target.buffer.writeInt32BE(target.length - head - 4, head)
  }
  const readPart = (source: Buffer, at: number, length: number): V | null =>
    length < 0 ? null : readValue(source, at, at + length)
  return {
    primitive: false,
    serialize: serializeWith((row: Buffered<V>, target: ByteTarget): void => {
      const at = target.reserve(8)
      writeInt64(target.buffer, row.time, at)
      target.length = at + 8
      writeHeaders(row.headers, target)
      writePart(row.prior, target)
      writePart(row.value, target)
    }),
    deserialize: deserializeWith((source: Buffer, from: number): Buffered<V> => {
      const { headers, end } = readHeaders(source, from + 8)
      const priorLength = source.readInt32BE(end)
      const valueAt = end + 4 + Math.max(0, priorLength)
      return {
        time: readInt64(source, from),
        headers,
        prior: readPart(source, end + 4, priorLength),
        value: readPart(source, valueAt + 4, source.readInt32BE(valueAt)),
      }
    }),
  }
}

/** The buffer time alone, of a value that begins at `from`. */
export function bufferTimeOf(source: Buffer, from: number): number {
  return readInt64(source, from)
}
