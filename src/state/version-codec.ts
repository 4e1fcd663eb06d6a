/**
 * The rows that the versions of a key are kept in, big-endian: the head, with the latest version and where the others lie, and chunks
 * of older ones in their order.
 *
 *     head    01 first chunk:8 chunks:4 second start:8 there:1 value       there is 0 when the latest version says deleted
 *     chunk   00 count:4, then timestamp:8 length:4 value each             a length of -1 says deleted
 */

import { type ByteTarget, deserializeWith, readerOf, serializeWith, writerOf } from '../common/bytes.ts'
import { type Codec, readInt64, writeInt64 } from './codec.ts'

/** Rows are told apart by an ordinal: that of heads, and those of chunks, which are far above it. */
export const headOrdinal = 0

/** What a key held from its timestamp on; null: nothing. */
export interface Version<V> {
  readonly value: V | null
  readonly timestamp: number
}

/** The latest version of a key, and its chunks: `count` ordinals from `first` on. Changed in place. */
export interface Head<V> {
  value: V | null
  /** Of the latest version; its row has it too. */
  timestamp: number
  first: number
  count: number
  /** Timestamp of the first version of the second chunk: until then the first one holds. 0 without a second chunk. */
  secondStart: number
}

/** A chunk is a list. */
export type VersionRow<V> = Head<V> | Version<V>[]

const headBytes = 1 + 8 + 4 + 8 + 1
const countBytes = 1 + 4
const versionBytes = 8 + 4

export function versionCodec<V>(value: Codec<V>): Codec<VersionRow<V>> {
  const writeValue = writerOf(value)
  const readValue = readerOf(value)

  function writeChunk(versions: readonly Version<V>[], target: ByteTarget): void {
    const at = target.reserve(countBytes)
    target.buffer.writeUInt8(0, at)
    target.length = target.buffer.writeUInt32BE(versions.length, at + 1)
    for (const version of versions) {
      const head = target.reserve(versionBytes)
      writeInt64(target.buffer, version.timestamp, head)
      target.length = head + versionBytes
      if (version.value !== null) writeValue(version.value, target)
      // The buffer may have grown, and be another one.
      target.buffer.writeInt32BE(version.value === null ? -1 : target.length - head - versionBytes, head + 8)
    }
  }

  function readChunk(source: Buffer, start: number): Version<V>[] {
    const versions: Version<V>[] = []
    let at = start + countBytes
    for (let left = source.readUInt32BE(start + 1); left > 0; left--) {
      const timestamp = readInt64(source, at)
      const length = source.readInt32BE(at + 8)
      const valueAt = at + versionBytes
      at = valueAt + Math.max(0, length)
      versions.push({ value: length < 0 ? null : readValue(source, valueAt, at), timestamp })
    }
    return versions
  }

  return {
    primitive: false,
    serialize: serializeWith((row: VersionRow<V>, target: ByteTarget): void => {
      if (Array.isArray(row)) {
        writeChunk(row, target)
        return
      }
      const at = target.reserve(headBytes)
      const { buffer } = target
      buffer.writeUInt8(1, at)
      writeInt64(buffer, row.first, at + 1)
      buffer.writeUInt32BE(row.count, at + 9)
      writeInt64(buffer, row.secondStart, at + 13)
      target.length = buffer.writeUInt8(row.value === null ? 0 : 1, at + 21)
      if (row.value !== null) writeValue(row.value, target)
    }),
    deserialize: deserializeWith((source: Buffer, start: number, end: number): VersionRow<V> => {
      if (source.readUInt8(start) === 0) return readChunk(source, start)
      const value = isDeleted(source, start) ? null : readValue(source, start + headBytes, end)
      return { value, timestamp: 0, ...readChunks(source, start) }
    }),
  }
}

/** Whether the latest version of the head at `start` says deleted. */
export function isDeleted(source: Buffer, start: number): boolean {
  return source.readUInt8(start + 21) === 0
}

/** Where the head at `start` says that the older versions lie. */
export function readChunks(source: Buffer, start: number): Pick<Head<unknown>, 'first' | 'count' | 'secondStart'> {
  return {
    first: readInt64(source, start + 1),
    count: source.readUInt32BE(start + 9),
    secondStart: readInt64(source, start + 13),
  }
}

/** Index of the last version with a timestamp of at most `time`, -1 when there is none. */
export function lastUpTo(versions: readonly Version<unknown>[], time: number): number {
  let low = 0
  let high = versions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((versions[middle] as Version<unknown>).timestamp <= time) low = middle + 1
    else high = middle
  }
  return low - 1
}
