/**
 * All live sessions of a key in one value, or all sliding windows of a key that start in one stretch: `count:4`, then `start:8 second:8 length:4 value`
 * each, in their order, big-endian. The second is the end of a session, the latest timestamp of a sliding window.
 */

import { type ByteTarget, deserializeWith, readerOf, serializeWith, writerOf } from '../common/bytes.ts'
import { type Codec, readInt64, writeInt64 } from './codec.ts'
import type { Pane, Session } from './store.ts'

const countBytes = 4
const headBytes = 8 + 8 + 4

export function sessionsCodec<V>(value: Codec<V>): Codec<Session<V>[]> {
  return listCodec(
    value,
    (session) => session.end,
    (start, end, value) => ({ start, end, value }),
  )
}

export function panesCodec<V>(value: Codec<V>): Codec<Pane<V>[]> {
  return listCodec(
    value,
    (pane) => pane.timestamp,
    (start, timestamp, value) => ({ start, value, timestamp }),
  )
}

function listCodec<V, T extends { readonly start: number; readonly value: V }>(
  value: Codec<V>,
  secondOf: (one: T) => number,
  make: (start: number, second: number, value: V) => T,
): Codec<T[]> {
  const writeValue = writerOf(value)
  const readValue = readerOf(value)
  return {
    primitive: false,
    serialize: serializeWith((list: T[], target: ByteTarget): void => {
      const at = target.reserve(countBytes)
      target.length = target.buffer.writeUInt32BE(list.length, at)
      for (const one of list) {
        const head = target.reserve(headBytes)
        writeInt64(target.buffer, one.start, head)
        writeInt64(target.buffer, secondOf(one), head + 8)
        target.length = head + headBytes
        writeValue(one.value, target)
        // The buffer may have grown, and be another one.
        target.buffer.writeUInt32BE(target.length - head - headBytes, head + 16)
      }
    }),
    deserialize: deserializeWith((source: Buffer, from: number): T[] => {
      const list: T[] = []
      let at = from + countBytes
      for (let left = source.readUInt32BE(from); left > 0; left--) {
        const valueAt = at + headBytes
        const end = valueAt + source.readUInt32BE(at + 16)
        list.push(make(readInt64(source, at), readInt64(source, at + 8), readValue(source, valueAt, end)))
        at = end
      }
      return list
    }),
  }
}

/** Starts of a stored list, or its seconds, without a look at the values. @param at where the list begins. */
export function timesIn(list: Buffer, at: number, which: 'start' | 'second'): readonly number[] {
  const times: number[] = []
  let head = at + countBytes
  for (let left = list.readUInt32BE(at); left > 0; left--) {
    times.push(readInt64(list, which === 'start' ? head : head + 8))
    head += headBytes + list.readUInt32BE(head + 16)
  }
  return times
}
