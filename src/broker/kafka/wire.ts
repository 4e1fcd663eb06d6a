/** The primitives of the Kafka protocol over one growing or one given buffer; a read past the end is CORRUPT, never a wrong value. */

import { StreamError } from '../../common/errors.ts'

const two32 = 4294967296

/** Appends to a buffer that doubles when it is full. Every method returns the writer. */
export class Writer {
  #buffer: Buffer
  #length = 0

  constructor(capacity = 256) {
    this.#buffer = Buffer.allocUnsafe(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** What was written; shares memory with the writer, which is not to be used afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  #reserve(bytes: number): number {
    const at = this.#length
    const need = at + bytes
    if (need > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(need, this.#buffer.length * 2))
      this.#buffer.copy(grown, 0, 0, at)
      this.#buffer = grown
    }
    this.#length = need
    return at
  }

  int8(value: number): this {
    const at = this.#reserve(1)
    this.#buffer.writeInt8(value, at)
    return this
  }

  int16(value: number): this {
    const at = this.#reserve(2)
    this.#buffer.writeInt16BE(value, at)
    return this
  }

  int32(value: number): this {
    const at = this.#reserve(4)
    this.#buffer.writeInt32BE(value, at)
    return this
  }

  /** A whole number within ±2^53. */
  int64(value: number): this {
    const at = this.#reserve(8)
    this.#buffer.writeInt32BE(Math.floor(value / two32), at)
    this.#buffer.writeInt32BE(value | 0, at + 4)
    return this
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0)
  }

  /** Unsigned varint, up to 2^32 - 1. */
  uvarint(value: number): this {
    let rest = value
    while (rest > 0x7f) {
      const at = this.#reserve(1)
      this.#buffer[at] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    const at = this.#reserve(1)
    this.#buffer[at] = rest
    return this
  }

  /** Zigzag varint of an int32. */
  varint(value: number): this {
    return this.uvarint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  raw(bytes: Uint8Array): this {
    const at = this.#reserve(bytes.length)
    this.#buffer.set(bytes, at)
    return this
  }

  #utf8(value: string, bytes: number): this {
    const at = this.#reserve(bytes)
    this.#buffer.write(value, at, bytes, 'utf8')
    return this
  }

  /** `null` where the protocol allows a nullable string. */
  string(value: string | null): this {
    if (value === null) return this.int16(-1)
    const bytes = Buffer.byteLength(value)
    return this.int16(bytes).#utf8(value, bytes)
  }

  compactString(value: string | null): this {
    if (value === null) return this.uvarint(0)
    const bytes = Buffer.byteLength(value)
    return this.uvarint(bytes + 1).#utf8(value, bytes)
  }

  bytes(value: Uint8Array | null): this {
    return value === null ? this.int32(-1) : this.int32(value.length).raw(value)
  }

  array<T>(items: readonly T[] | null, write: (writer: this, item: T) => unknown): this {
    this.int32(items === null ? -1 : items.length)
    if (items !== null) for (const item of items) write(this, item)
    return this
  }

  compactArray<T>(items: readonly T[] | null, write: (writer: this, item: T) => unknown): this {
    this.uvarint(items === null ? 0 : items.length + 1)
    if (items !== null) for (const item of items) write(this, item)
    return this
  }

  /** An empty tagged-field section. */
  tags(): this {
    return this.int8(0)
  }
}

/** Walks over a buffer. Strings are copied, bytes are views of the buffer. */
export class Reader {
  readonly buffer: Buffer
  /** Where the next read starts. */
  position: number
  readonly #end: number

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.buffer = buffer
    this.position = start
    this.#end = end
  }

  get remaining(): number {
    return this.#end - this.position
  }

  #take(bytes: number): number {
    const at = this.position
    if (bytes < 0 || bytes > this.#end - at) {
      throw new StreamError('CORRUPT', `a response of ${this.#end} bytes ends where ${bytes} bytes at ${at} should be`)
    }
    this.position = at + bytes
    return at
  }

  skip(bytes: number): void {
    this.#take(bytes)
  }

  int8(): number {
    return this.buffer.readInt8(this.#take(1))
  }

  int16(): number {
    return this.buffer.readInt16BE(this.#take(2))
  }

  int32(): number {
    return this.buffer.readInt32BE(this.#take(4))
  }

  /** @throws StreamError CORRUPT beyond ±2^53, where a number is no longer exact. */
  int64(): number {
    const at = this.#take(8)
    const value = this.buffer.readInt32BE(at) * two32 + this.buffer.readUInt32BE(at + 4)
    if (!Number.isSafeInteger(value)) {
      throw new StreamError(
        'CORRUPT',
        `a 64-bit number in a response is out of range: ${this.buffer.readBigInt64BE(at)}`,
      )
    }
    return value
  }

  boolean(): boolean {
    return this.int8() !== 0
  }

  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.#take(1)] as number
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new StreamError('CORRUPT', `a varint in a response has more than 5 bytes at ${this.position}`)
  }

  varint(): number {
    const value = this.uvarint()
    return (value >>> 1) ^ -(value & 1)
  }

  #utf8(bytes: number): string {
    const at = this.#take(bytes)
    return this.buffer.toString('utf8', at, at + bytes)
  }

  nullableString(): string | null {
    const bytes = this.int16()
    return bytes < 0 ? null : this.#utf8(bytes)
  }

  /** A null string is read as ''. */
  string(): string {
    return this.nullableString() ?? ''
  }

  nullableCompactString(): string | null {
    const bytes = this.uvarint() - 1
    return bytes < 0 ? null : this.#utf8(bytes)
  }

  compactString(): string {
    return this.nullableCompactString() ?? ''
  }

  #view(bytes: number): Buffer {
    const at = this.#take(bytes)
    return this.buffer.subarray(at, at + bytes)
  }

  bytes(): Buffer | null {
    const bytes = this.int32()
    return bytes < 0 ? null : this.#view(bytes)
  }

  #items<T>(count: number, read: (reader: this) => T): T[] {
    // Every element takes a byte at least, so a longer array is damage and must not be allocated for.
    if (count > this.remaining) {
      throw new StreamError('CORRUPT', `a response names ${count} elements where ${this.remaining} bytes are left`)
    }
    const items: T[] = []
    for (let i = 0; i < count; i++) items.push(read(this))
    return items
  }

  /** A null array is read as an empty one. */
  array<T>(read: (reader: this) => T): T[] {
    return this.#items(this.int32(), read)
  }

  compactArray<T>(read: (reader: this) => T): T[] {
    return this.#items(this.uvarint() - 1, read)
  }

  /** Skips a tagged-field section. */
  tags(): void {
    for (let count = this.uvarint(); count > 0; count--) {
      this.uvarint()
      this.skip(this.uvarint())
    }
  }
}
