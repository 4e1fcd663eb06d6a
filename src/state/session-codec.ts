/** All live sessions of a key in one value: `count:4`, then `start:8 end:8 length:4 value` each, in their order, big-endian. */

import { type ByteTarget, deserializeWith, readerOf, serializeWith, writerOf } from '../common/bytes.ts'
import { type Codec, readInt64, writeInt64 } from './codec.ts'
import type { Session } from './store.ts'

const countBytes = 4
const headBytes = 8 + 8 + 4

export function sessionsCodec<V>(value: Codec<V>): Codec<Session<V>[]> {
  const writeValue = writerOf(value)
  const readValue = readerOf(value)
  return {
    primitive: false,
    serialize: serializeWith((sessions: Session<V>[], target: ByteTarget): void => {
      const at = target.reserve(countBytes)
      target.length = target.buffer.writeUInt32BE(sessions.length, at)
      for (const session of sessions) {
        const head = target.reserve(headBytes)
        writeInt64(target.buffer, session.start, head)
        writeInt64(target.buffer, session.end, head + 8)
        target.length = head + headBytes
        writeValue(session.value, target)
        // The buffer may have grown, and be another one.
        target.buffer.writeUInt32BE(target.length - head - headBytes, head + 16)
      }
    }),
    deserialize: deserializeWith((source: Buffer, from: number): Session<V>[] => {
      const sessions: Session<V>[] = []
      let at = from + countBytes
      for (let left = source.readUInt32BE(from); left > 0; left--) {
        const valueAt = at + headBytes
        const end = valueAt + source.readUInt32BE(at + 16)
        sessions.push({
          start: readInt64(source, at),
          end: readInt64(source, at + 8),
          value: readValue(source, valueAt, end),
        })
        at = end
      }
      return sessions
    }),
  }
}
