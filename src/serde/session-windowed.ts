/** Keys of session tables on a topic: the inner key's bytes, the session's end and its start, as Kafka Streams' SessionWindowedSerializer. */

import { type ByteTarget, deserializeWith, readerOf, serializeWith, writerOf } from '../common/bytes.ts'
import { StreamError } from '../common/errors.ts'
import type { Windowed } from '../common/windows.ts'
import type { Serde } from './serde.ts'
import { byteCount } from './text.ts'
import { fromJsonKey } from './windowed.ts'

const boundsBytes = 16

/**
 * Session keys: the inner key followed by end and start as 8 bytes each, big-endian, in ms (Kafka Streams:
 * `SessionKeySchema.toBinary`). The inner key's bytes alone choose the partition (`WindowedStreamPartitioner`).
 * @throws StreamError DESERIALIZATION for fewer than 16 bytes or bounds that are no times; SERIALIZATION likewise.
 */
export function sessionWindowed<K>(inner: Serde<K>): Serde<Windowed<K>> {
  const { fingerprint, prepare, open, fromJson } = inner
  const writeInner = writerOf(inner)
  const readInner = readerOf(inner)
  return Object.freeze({
    format: `sessionWindowed(${inner.format})`,
    primitive: false,
    serialize: serializeWith(({ key, start, end }: Windowed<K>, target: ByteTarget): void => {
      if (!isSession(start, end)) throw new StreamError('SERIALIZATION', `[${start}, ${end}] is no session`)
      writeInner(key, target)
      writeTime(end, target)
      writeTime(start, target)
    }),
    deserialize: deserializeWith((source: Buffer, from: number, to: number): Windowed<K> => {
      const at = to - boundsBytes
      if (at < from) {
        throw new StreamError(
          'DESERIALIZATION',
          `a session key ends in the 16 bytes of its end and start, and this one has ${byteCount(to - from)}`,
        )
      }
      const end = readTime(source, at)
      const start = readTime(source, at + 8)
      if (!isSession(start, end)) {
        throw new StreamError('DESERIALIZATION', `the key's [${start}, ${end}] is no session`, {
          hint: 'Is it the key of a session? Its last 16 bytes are read as the end and the start.',
        })
      }
      return { key: readInner(source, from, at), start, end }
    }),
    unpartitionedBytes: boundsBytes + (inner.unpartitionedBytes ?? 0),
    ...(fingerprint !== undefined && { fingerprint }),
    ...(prepare && { prepare: (batch: readonly Buffer[]) => prepare(batch.map(innerKeyBytes)) }),
    ...(open && { open }),
    ...(fromJson && { fromJson: (json: unknown) => fromJsonKey(fromJson, json) }),
  })
}

function isSession(start: number, end: number): boolean {
  return Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end
}

function writeTime(time: number, target: ByteTarget): void {
  const at = target.reserve(8)
  target.buffer.writeUInt32BE(Math.floor(time / 0x1_0000_0000), at)
  target.length = target.buffer.writeUInt32BE(time >>> 0, at + 4)
}

function readTime(source: Buffer, at: number): number {
  return source.readInt32BE(at) * 0x1_0000_0000 + source.readUInt32BE(at + 4)
}

function innerKeyBytes(key: Buffer): Buffer {
  return key.subarray(0, Math.max(0, key.length - boundsBytes))
}
