/** Keys of windowed tables on a topic: the inner key's bytes and the window's start, as Kafka Streams' TimeWindowedSerializer. */

import { type ByteTarget, deserializeWith, readerOf, serializeWith, writerOf } from '../common/bytes.ts'
import { StreamError } from '../common/errors.ts'
import { type Duration, durationMs } from '../common/time.ts'
import type { Windowed } from '../common/windows.ts'
import type { Serde } from './serde.ts'
import { byteCount } from './text.ts'

const startBytes = 8

/**
 * Windowed keys: the inner key followed by the start as 8 bytes, big-endian, in ms (Kafka Streams: `WindowKeySchema.toBinary`).
 * The end is not written, so that reader and writer must know the size of the windows. The inner key's bytes alone choose
 * the partition (`WindowedStreamPartitioner`).
 * @throws StreamError INVALID_ARGUMENT for a size of 0 or no duration; DESERIALIZATION for fewer than 8 bytes or a start
 * that is no time; SERIALIZATION for a window of another size.
 */
export function windowed<K>(inner: Serde<K>, size: Duration): Serde<Windowed<K>> {
  const sizeMs = durationMs(size, 'window size')
  if (sizeMs === 0) throw new StreamError('INVALID_ARGUMENT', 'a window has a size above 0 ms')
  const { fingerprint, prepare, open, fromJson } = inner
  const writeInner = writerOf(inner)
  const readInner = readerOf(inner)
  return Object.freeze({
    format: `windowed(${inner.format},${sizeMs})`,
    primitive: false,
    serialize: serializeWith((windowedKey: Windowed<K>, target: ByteTarget): void => {
      const { key, start, end } = windowedKey
      if (end - start !== sizeMs || !Number.isSafeInteger(start) || start < 0) {
        throw new StreamError('SERIALIZATION', `[${start}, ${end}) is not a window of ${sizeMs} ms`, {
          hint: 'Give windowed() the size that the windows of the stream have.',
        })
      }
      writeInner(key, target)
      const at = target.reserve(startBytes)
      const { buffer } = target
      buffer.writeUInt32BE(Math.floor(start / 0x1_0000_0000), at)
      target.length = buffer.writeUInt32BE(start >>> 0, at + 4)
    }),
    deserialize: deserializeWith((source: Buffer, from: number, to: number): Windowed<K> => {
      const at = to - startBytes
      if (at < from) {
        throw new StreamError(
          'DESERIALIZATION',
          `a windowed key ends in the 8 bytes of its start, and this one has ${byteCount(to - from)}`,
        )
      }
      const start = source.readInt32BE(at) * 0x1_0000_0000 + source.readUInt32BE(at + 4)
      if (start < 0 || !Number.isSafeInteger(start + sizeMs)) {
        throw new StreamError('DESERIALIZATION', `the window of the key starts at ${start} ms, which is no time`, {
          hint: 'Is the key windowed? The last 8 bytes of it are read as the start of its window.',
        })
      }
      return { key: readInner(source, from, at), start, end: start + sizeMs }
    }),
    unpartitionedBytes: startBytes + (inner.unpartitionedBytes ?? 0),
    ...(fingerprint !== undefined && { fingerprint }),
    ...(prepare && { prepare: (batch: readonly Buffer[]) => prepare(batch.map(innerKeyBytes)) }),
    ...(open && { open }),
    ...(fromJson && { fromJson: (json: unknown) => fromJsonKey(fromJson, json) }),
  })
}

function innerKeyBytes(key: Buffer): Buffer {
  return key.subarray(0, Math.max(0, key.length - startBytes))
}

/** `{"key","start","end"}` with the inner key in its own JSON form. */
export function fromJsonKey<K>(inner: (json: unknown) => K, json: unknown): Windowed<K> {
  if (typeof json === 'object' && json !== null && 'key' in json && 'start' in json && 'end' in json) {
    return { key: inner(json.key), start: json.start as number, end: json.end as number }
  }
  throw new StreamError('SERIALIZATION', 'a windowed key was expected: {"key","start","end"}')
}
