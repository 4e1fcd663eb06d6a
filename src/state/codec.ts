/** How a store reads and writes its keys and values; `Serde<T>` of the DSL fits, though state knows no serde. */

import { ByteTarget } from '../common/bytes.ts'

export interface Codec<T> {
  /** Whether equal values are `===` and always give equal bytes: such keys need no bytes to be looked up in memory. */
  readonly primitive: boolean
  readonly serialize: (value: T) => Buffer
  readonly deserialize: (bytes: Buffer) => T
}

/**
 * Row layouts, all integers big-endian:
 *
 *     stored key     key-value   utf8(store) 00 key
 *                    window      utf8(store) 00 start:8 key          time first: expiry is one range
 *                    join        utf8(store) 00 timestamp:8 seq:4 key
 *     stored value               timestamp:8 value
 *                    join        held:1 value
 *     changelog key  key-value   key
 *                    window      key start:8 00000000                as Kafka Streams' WindowKeySchema
 *                    join        key timestamp:8 seq:4
 *
 * No store name is empty or holds a 00, so no prefix is the prefix of another, and keys that open with 00 are free for us.
 */
export function storePrefix(name: string): Buffer {
  return Buffer.from(`${name}\0`, 'utf8')
}

/** The first key after all of a store's rows. */
export function storeEnd(name: string): Buffer {
  return Buffer.from(`${name}\u0001`, 'utf8')
}

const two32 = 0x1_0000_0000

/** Eight bytes big-endian, exact for every safe integer. */
export function writeInt64(target: Buffer, value: number, offset: number): void {
  const high = Math.floor(value / two32)
  target.writeInt32BE(high, offset)
  target.writeUInt32BE(value - high * two32, offset + 4)
}

export function readInt64(source: Buffer, offset: number): number {
  return source.readInt32BE(offset) * two32 + source.readUInt32BE(offset + 4)
}

/** `timestamp value`, as the byte store holds a row. */
export function stampedValue(value: Buffer, timestamp: number): Buffer {
  const stored = Buffer.allocUnsafe(8 + value.length)
  writeInt64(stored, timestamp, 0)
  stored.set(value, 8)
  return stored
}

/** Where a kind of store puts its keys. */
export interface RowLayout {
  /** What a stored key has besides the key, in bytes. */
  readonly rowKeyBytes: number
  /** What a changelog key has after the key, in bytes. */
  readonly changelogKeyBytes: number
  /** Appends the stored key of the key [from, to) of `source`, which may be the target's own buffer. */
  writeRowKey(start: number, source: Buffer, from: number, to: number, target: ByteTarget): void
  /** Appends what makes the key before it one of the changelog. */
  endChangelogKey(start: number, target: ByteTarget): void
  /** The start that a changelog key says which ends at `keyEnd`. */
  startIn(source: Buffer, keyEnd: number): number
}

export function keyValueLayout(prefix: Buffer): RowLayout {
  return {
    rowKeyBytes: prefix.length,
    changelogKeyBytes: 0,
    writeRowKey(_start, source, from, to, target) {
      target.writeBytes(prefix)
      target.writeRange(source, from, to)
    },
    endChangelogKey() {
      // A changelog key is the key.
    },
    startIn: () => 0,
  }
}

const startBytes = 8
const changelogEndBytes = startBytes + 4

export function windowLayout(prefix: Buffer): RowLayout {
  return {
    rowKeyBytes: prefix.length + startBytes,
    changelogKeyBytes: changelogEndBytes,
    writeRowKey(start, source, from, to, target) {
      target.writeBytes(prefix)
      writeStart(start, target)
      target.writeRange(source, from, to)
    },
    endChangelogKey(start, target) {
      writeStart(start, target)
      const at = target.reserve(4)
      target.length = target.buffer.writeUInt32BE(0, at)
    },
    startIn: (source, keyEnd) => readInt64(source, keyEnd - changelogEndBytes),
  }
}

function writeStart(start: number, target: ByteTarget): void {
  const at = target.reserve(startBytes)
  writeInt64(target.buffer, start, at)
  target.length = at + startBytes
}

/** What a join buffer's keys have besides the key: timestamp and seq. */
export const joinKeyBytes = 8 + 4

/** Appends `timestamp:8 seq:4`. */
export function writeJoinPlace(timestamp: number, seq: number, target: ByteTarget): void {
  const at = target.reserve(joinKeyBytes)
  writeInt64(target.buffer, timestamp, at)
  target.length = target.buffer.writeUInt32BE(seq, at + 8)
}

/** Appends the stored key, without the prefix, of the changelog key [from, to) of another buffer. */
export function writeJoinRowKey(source: Buffer, from: number, to: number, target: ByteTarget): void {
  target.writeRange(source, to - joinKeyBytes, to)
  target.writeRange(source, from, to - joinKeyBytes)
}

const noKey = Buffer.alloc(0)

/** The stored key of a key, in a buffer of its own; of no key the lower bound of all rows of that start. */
export function rowKey(layout: RowLayout, start: number, key: Buffer = noKey): Buffer {
  const target = new ByteTarget(layout.rowKeyBytes + key.length)
  layout.writeRowKey(start, key, 0, key.length, target)
  return target.copy()
}

/** The first bytes after all that begin with these; there are some, since a store's rows begin with its name. */
export function firstAfter(prefix: Buffer): Buffer {
  let last = prefix.length - 1
  while (prefix[last] === 0xff) last--
  const next = Buffer.from(prefix.subarray(0, last + 1))
  next[last] = (next[last] as number) + 1
  return next
}
