/**
 * The sessions of a key that end in one stretch in one value, or the sliding windows of a key that start in one: `count:4`, then
 * `start:8 second:8 length:4 value` each, in their order, big-endian. The second is the end of a session, the latest timestamp of a sliding window.
 * Before the sessions stands `onward:8`.
 */

import { type ByteTarget, deserializeWith, readerOf, serializeWith, writerOf } from '../common/bytes.ts'
import { type Codec, readInt64, writeInt64 } from './codec.ts'
import type { Pane, Session } from './store.ts'

const countBytes = 4
const headBytes = 8 + 8 + 4
const timestampBytes = 8
const onwardBytes = 8

/** In memory it is changed in place: it is shared with nobody, and a discard forgets it. */
export interface SessionRow<V> {
  /** The stretch where to look for the session that crosses the end of this one; 0: there is none. */
  onward: number
  readonly sessions: Session<V>[]
}

export function sessionsCodec<V>(value: Codec<V>): Codec<SessionRow<V>> {
  const list = listCodec<V, Session<V>>(
    value,
    (session) => session.end,
    (start, end, value) => ({ start, end, value }),
  )
  const writeList = writerOf(list)
  const readList = readerOf(list)
  return {
    primitive: false,
    serialize: serializeWith(({ onward, sessions }: SessionRow<V>, target: ByteTarget): void => {
      const at = target.reserve(onwardBytes)
      writeInt64(target.buffer, onward, at)
      target.length = at + onwardBytes
      writeList(sessions, target)
    }),
    deserialize: deserializeWith((source: Buffer, from: number, to: number): SessionRow<V> => {
      return { onward: readInt64(source, from), sessions: readList(source, from + onwardBytes, to) }
    }),
  }
}

/** Ends of the sessions in a stored row, without a look at the values. @param row `timestamp:8 onward:8 list`. */
export function endsIn(row: Buffer): readonly number[] {
  return timesIn(row, timestampBytes + onwardBytes, 'second')
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
