/**
 * Where serializers write: bytes that grow at their end and are used again, so that a record on its way costs no buffer of its
 * own. What was written is valid until `clear`.
 */

const firstCapacity = 256
/** A target that a large value has grown beyond this gives its memory back when it is cleared. */
const mostKept = 8 * 1024 * 1024

export class ByteTarget {
  /** Holds what was written in its first `length` bytes. Another one after `reserve` has grown it. */
  buffer: Buffer
  length = 0

  constructor(capacity = firstCapacity) {
    this.buffer = Buffer.allocUnsafeSlow(capacity)
  }

  /** Makes room for `bytes` more. @returns where they begin; whoever writes them raises `length`. */
  reserve(bytes: number): number {
    const need = this.length + bytes
    if (need > this.buffer.length) this.#grow(need)
    return this.length
  }

  clear(): void {
    this.length = 0
    if (this.buffer.length > mostKept) this.buffer = Buffer.allocUnsafeSlow(firstCapacity)
  }

  /** Appends UTF-8; lone surrogates become U+FFFD. */
  writeText(text: string): void {
    // A UTF-16 code unit takes three bytes at most.
    const at = this.reserve(text.length * 3)
    this.length = at + this.buffer.write(text, at, 'utf8')
  }

  writeBytes(source: Buffer): void {
    this.writeRange(source, 0, source.length)
  }

  /** Appends the bytes [start, end) of `source`. */
  writeRange(source: Buffer, start: number, end: number): void {
    const at = this.reserve(end - start)
    copyRange(source, start, end, this.buffer, at)
    this.length = at + end - start
  }

  /** What was written, in a buffer of its own. */
  copy(): Buffer {
    return Buffer.copyBytesFrom(this.buffer, 0, this.length)
  }

  #grow(need: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(need, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }
}

/** Up to here a loop is faster than a call into native code. */
const copyLoopBytes = 40

/** Copies [start, end) of `source` to `at` of `target`, which has the room. */
export function copyRange(source: Buffer, start: number, end: number, target: Buffer, at: number): void {
  if (end - start > copyLoopBytes) {
    source.copy(target, at, start, end)
    return
  }
  for (let from = start, to = at; from < end; from++, to++) target[to] = source[from] as number
}

export type ReadFrom<T> = (source: Buffer, start: number, end: number) => T
export type WriteInto<T> = (value: T, target: ByteTarget) => void

/**
 * By the function that a serde shows: a serde made of another one's parts keeps what is its own, and loses what it replaces
 * (`{ ...json(), deserialize: mine }`).
 */
const readers = new WeakMap<(bytes: Buffer) => unknown, ReadFrom<unknown>>()
const writers = new WeakMap<(value: never) => Buffer, WriteInto<never>>()

/** A `deserialize` that can read a value out of a larger buffer, which spares a record a view of its bytes. */
export function deserializeWith<T>(read: ReadFrom<T>): (bytes: Buffer) => T {
  const deserialize = (bytes: Buffer): T => read(bytes, 0, bytes.length)
  readers.set(deserialize, read)
  return deserialize
}

/** A `serialize` that can append to a target, which spares a record a buffer of its own. */
export function serializeWith<T>(write: WriteInto<T>): (value: T) => Buffer {
  // One each: a serde that is made of others writes while they do.
  const target = new ByteTarget()
  const serialize = (value: T): Buffer => {
    // A value may serialize others with the same serde while it is written (toJSON): what is there stays as it is.
    const start = target.length
    try {
      write(value, target)
      return Buffer.copyBytesFrom(target.buffer, start, target.length - start)
    } finally {
      if (start === 0) target.clear()
      else target.length = start
    }
  }
  writers.set(serialize, write)
  return serialize
}

/** Reads a value out of a larger buffer; with a view of its bytes where the serde knows nothing better. */
export function readerOf<T>({ deserialize }: { readonly deserialize: (bytes: Buffer) => T }): ReadFrom<T> {
  const known = readers.get(deserialize) as ReadFrom<T> | undefined
  return known ?? ((source, start, end) => deserialize(source.subarray(start, end)))
}

/** Appends a value's bytes; through a buffer of their own where the serde knows nothing better. */
export function writerOf<T>({ serialize }: { readonly serialize: (value: T) => Buffer }): WriteInto<T> {
  const known = writers.get(serialize as (value: never) => Buffer) as WriteInto<T> | undefined
  return known ?? ((value, target) => target.writeBytes(serialize(value)))
}

/** Bytes as a text of one character each (latin1). Equal bytes are equal texts, and such texts compare as the bytes do. */
export const byteText = Object.freeze({
  primitive: true,
  serialize: serializeWith((text: string, target: ByteTarget): void => {
    const at = target.reserve(text.length)
    target.length = at + target.buffer.write(text, at, 'latin1')
  }),
  deserialize: deserializeWith((source: Buffer, start: number, end: number) => source.toString('latin1', start, end)),
})
