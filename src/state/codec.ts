/** How a store reads and writes its keys and values; `Serde<T>` of the DSL fits, though state knows no serde. */

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
 *     stored value               timestamp:8 value
 *     changelog key  key-value   key
 *                    window      key start:8 00000000                as Kafka Streams' WindowKeySchema
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

/** `prefix key` */
export function keyValueRowKey(prefix: Buffer, key: Buffer): Buffer {
  const row = Buffer.allocUnsafe(prefix.length + key.length)
  row.set(prefix, 0)
  row.set(key, prefix.length)
  return row
}

/** `prefix start key`; with an empty key the lower bound of all rows of that start. */
export function windowRowKey(prefix: Buffer, start: number, key: Buffer): Buffer {
  const row = Buffer.allocUnsafe(prefix.length + 8 + key.length)
  row.set(prefix, 0)
  writeInt64(row, start, prefix.length)
  row.set(key, prefix.length + 8)
  return row
}

/** `key start 0`, the key of a window store's changelog record. */
export function windowChangelogKey(start: number, key: Buffer): Buffer {
  const row = Buffer.allocUnsafe(key.length + 12)
  row.set(key, 0)
  writeInt64(row, start, key.length)
  row.writeUInt32BE(0, key.length + 8)
  return row
}
