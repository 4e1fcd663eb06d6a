/**
 * The rows of a store that are in memory: writes on their way to the byte store and the read cache in one map of live entries, so
 * that reading and writing a hot key is one look-up and no serialization. Invariant: an entry leaves the map only when the byte
 * store holds its value.
 *
 *              load                put                  seal                      flush
 *     (bytes) ──────▶ clean ──────────────▶ dirty ──────────────▶ unflushed ──────────────▶ clean ──▶ evicted
 *                                             ▲                      │
 *                                             └────── put: both ─────┘
 *
 * A row is serialized once per seal, into the changelog, if its bytes are not known already; those bytes are kept until the flush, since the
 * live value may have moved on by then. A row that changes in every commit so costs the byte store one write a flush. Only clean entries can be evicted.
 */

import { ByteTarget, readerOf, writerOf } from '../common/bytes.ts'
import { messageOf, StreamError } from '../common/errors.ts'
import { hash64 } from '../common/hash.ts'
import { type CacheLimits, CleanRows } from './clean-rows.ts'
import { type Codec, type RowLayout, readInt64, writeInt64 } from './codec.ts'
import { type Bucket, type Entry, newEntry } from './entry.ts'
import type { KeyFilter } from './key-filter.ts'
import { canonical } from './map-keys.ts'
import { keyEndOf, keyStartOf, noRow, SealedLog, type SealedRows, timestampOf, valueEndOf } from './sealed-log.ts'
import type { AppendRow, ByteStore, ByteWrite, WrittenValue } from './store.ts'

export interface OverlayArgs<K, V> extends CacheLimits {
  readonly store: string
  readonly bytes: ByteStore
  readonly key: Codec<K>
  readonly value: Codec<V>
  readonly layout: RowLayout
  /** Of a store of one bucket: the keys that the bytes may hold. Rows that get there otherwise than by a flush are the owner's to add. */
  readonly filter?: KeyFilter | undefined
  /** The last row of a bucket has left memory. */
  readonly emptied?: (bucket: Bucket<V>) => void
}

/** What an entry weighs besides its bytes: the object, its slot in the map, the timestamps. */
const entryBytes = 256
const firstGuess = 128
const timestampBytes = 8

export class Overlay<K, V> {
  readonly #args: OverlayArgs<K, V>
  readonly #primitive: boolean
  readonly #writeKey: (key: K, target: ByteTarget) => void
  readonly #writeValue: (value: V, target: ByteTarget) => void
  readonly #readValue: (source: Buffer, start: number, end: number) => V
  /** A key that is looked up in bytes. */
  readonly #keyTarget = new ByteTarget()
  #rows = 0
  readonly #clean: CleanRows<V>
  #dirty: Entry<V>[] = []
  /** Values that were serialized before the seal. */
  readonly #early = new ByteTarget()
  /** The last row that was read from the byte store, while it is as it was read, and the bytes. */
  #loadedEntry: Entry<V> | undefined
  #loadedBytes: Buffer | undefined
  #unflushed: Entry<V>[] = []
  readonly #sealed = new SealedLog()
  /** `sealed`: a commit is under way, what is sealed may still come to nothing. `flushing`: the sealed bytes are being written. */
  #phase: 'settled' | 'sealed' | 'flushing' = 'settled'
  #changes = 0
  /** Mean size of a sealed row, to estimate what has not been serialized yet. */
  #meanBytes = firstGuess
  /** The last entry found: the put that follows a get finds it without a look-up. */
  #lastKey: unknown
  #lastEntry: Entry<V> | undefined
  /** The last key that was looked for and is nowhere: the put that follows makes it without another look. */
  #absentKey: unknown
  #absentBucket: Bucket<V> | undefined

  constructor(args: OverlayArgs<K, V>) {
    this.#args = args
    this.#primitive = args.key.primitive
    this.#writeKey = writerOf(args.key)
    this.#writeValue = writerOf(args.value)
    this.#readValue = readerOf(args.value)
    this.#clean = new CleanRows(args)
  }

  get rows(): number {
    return this.#rows
  }

  get uncommittedBytes(): number {
    return this.#dirty.length * (this.#meanBytes + 64)
  }

  get unflushedRows(): number {
    return this.#unflushed.length
  }

  /** Sealed since the last flush, every version of a row. */
  get unflushedBytes(): number {
    return this.#sealed.target.length
  }

  /** The live entry of a key, read from bytes if need be; its value is null when the key was deleted. */
  read(bucket: Bucket<V>, key: K): Entry<V> | undefined {
    const entry = this.#find(bucket, key)
    if (entry !== undefined) {
      entry.used = true
      return entry
    }
    const loaded = bucket.complete ? undefined : this.#load(bucket, key)
    this.#absentKey = canonical(key)
    this.#absentBucket = loaded === undefined && this.#primitive ? bucket : undefined
    return loaded
  }

  /** @param written the value's bytes, where they are known; they must stay as they are. */
  write(bucket: Bucket<V>, key: K, value: V | null, timestamp: number, written?: WrittenValue): void {
    const isNew = bucket === this.#absentBucket && key === this.#absentKey
    const found = isNew ? undefined : this.#find(bucket, key)
    const entry = found ?? this.#insert(bucket, this.#mapKey(canonical(key)))
    if (isNew) this.#absentBucket = undefined
    this.#lastKey = key
    this.#lastEntry = entry
    entry.value = value
    entry.timestamp = timestamp
    entry.digest = undefined
    if (entry === this.#loadedEntry) this.#loadedEntry = undefined
    entry.written = written
    if (entry.dirty) return
    entry.dirty = true
    this.#dirty.push(entry)
    if (entry.clean) this.#clean.remove(entry)
  }

  /**
   * Hash of the bytes of a key's value as it is now, null when it has none: the same for as long as the row is not written, across restarts too.
   * @throws StreamError SERIALIZATION when the value does not serialize.
   */
  digest(bucket: Bucket<V>, key: K): string | null {
    const entry = this.read(bucket, key)
    if (entry === undefined || entry.value === null) return null
    entry.digest ??= this.#digestOf(entry, entry.value)
    return entry.digest
  }

  #digestOf(entry: Entry<V>, value: V): string {
    if (entry.dirty) {
      entry.written ??= this.#writtenEarly(value)
      const { bytes, valueStart, valueEnd } = entry.written
      return hash64(bytes, valueStart, valueEnd)
    }
    if (entry.unflushed) {
      const rows = this.#sealed.all()
      return hash64(rows.source, keyEndOf(rows, entry.sealedRow), valueEndOf(rows, entry.sealedRow))
    }
    const stored = entry === this.#loadedEntry ? (this.#loadedBytes as Buffer) : this.#storedOf(entry)
    return hash64(stored, timestampBytes)
  }

  #writtenEarly(value: V): WrittenValue {
    const target = this.#early
    const valueStart = target.length
    this.#sealValue(value, target)
    return { bytes: target.buffer, valueStart, valueEnd: target.length }
  }

  /** Of a row that the byte store holds. */
  #storedOf({ bucket, key }: Entry<V>): Buffer {
    const target = this.#keyTarget
    target.clear()
    this.#writeMapKey(key, target)
    const stored = this.#lookUp(bucket)
    if (stored !== undefined) return stored
    throw new StreamError('INTERNAL', `store ${this.#args.store} has lost a row that it had written`)
  }

  /** What the byte store holds of the key that has been written to the target for it. */
  #lookUp(bucket: Bucket<V>): Buffer | undefined {
    const { bytes, layout } = this.#args
    const target = this.#keyTarget
    const keyEnd = target.length
    layout.writeRowKey(bucket.start, target.buffer, 0, keyEnd, target)
    return bytes.get(target.buffer.subarray(keyEnd, target.length))
  }

  /** @throws StreamError SERIALIZATION when a value does not serialize; only `discard` is of use then. */
  seal(append: AppendRow): void {
    this.#enter('settled', 'sealed')
    const { layout } = this.#args
    const changed = this.#dirty
    const log = this.#sealed
    const { target } = log
    const before = target.length
    this.#dirty = []
    for (const entry of changed) {
      const start = target.length
      this.#writeMapKey(entry.key, target)
      layout.endChangelogKey(entry.bucket.start, target)
      const keyEnd = target.length
      const { value, timestamp, written } = entry
      if (written !== undefined) target.writeRange(written.bytes, written.valueStart, written.valueEnd)
      else if (value !== null) this.#sealValue(value, target)
      const end = target.length
      append(target.buffer, start, keyEnd - start, value === null ? -1 : end - keyEnd, timestamp)
      entry.sealedRow = log.add(start, keyEnd, value === null, timestamp, entry.unflushed ? entry.sealedRow : noRow)
      entry.size = end - start + entryBytes
      entry.dirty = false
      entry.written = undefined
      if (!entry.unflushed) {
        entry.unflushed = true
        this.#unflushed.push(entry)
      }
    }
    this.#early.clear()
    if (changed.length > 0) this.#meanBytes = (target.length - before) / changed.length
    this.#changes++
  }

  /** The seal is committed. */
  settle(): void {
    this.#enter('sealed', 'settled')
    this.#sealed.settle()
    this.#changes++
  }

  /**
   * Adds what was sealed since the last flush to `writes`, but for rows of the buckets that start before `from`: they have no
   * future. Whoever writes them says so with `flushed`.
   */
  flush(writes: ByteWrite[], from: number): void {
    this.#enter('settled', 'flushing')
    const { layout, filter } = this.#args
    const rows = this.#sealed.all()
    const { source } = rows
    const target = new ByteTarget(this.#unflushed.length * (layout.rowKeyBytes + timestampBytes) + this.unflushedBytes)
    for (const { bucket, sealedRow } of this.#unflushed) {
      if (bucket.start < from) continue
      const sealedKeyEnd = keyEndOf(rows, sealedRow)
      const valueEnd = valueEndOf(rows, sealedRow)
      const keyStart = target.length
      const sourceStart = keyStartOf(rows, sealedRow)
      const sourceEnd = sealedKeyEnd - layout.changelogKeyBytes
      layout.writeRowKey(bucket.start, source, sourceStart, sourceEnd, target)
      const keyEnd = target.length
      if (valueEnd >= 0) {
        filter?.add(source, sourceStart, sourceEnd)
        const at = target.reserve(timestampBytes)
        writeInt64(target.buffer, timestampOf(rows, sealedRow), at)
        target.length = at + timestampBytes
        target.writeRange(source, sealedKeyEnd, valueEnd)
      }
      writes.push({
        key: target.buffer.subarray(keyStart, keyEnd),
        value: valueEnd < 0 ? null : target.buffer.subarray(keyEnd, target.length),
      })
    }
  }

  /** The byte store holds what `flush` gave. */
  flushed(): void {
    this.#enter('flushing', 'settled')
    const written = this.#unflushed
    this.#unflushed = []
    this.#sealed.clear()
    this.#changes++
    for (const entry of written) {
      entry.unflushed = false
      // A later flush makes it clean.
      if (entry.dirty) continue
      if (entry.value === null) this.#remove(entry)
      else this.#clean.add(entry)
    }
    this.#trim()
  }

  /** Forgets every row in memory. The owner forgets its buckets too. */
  clear(): void {
    this.#rows = 0
    this.#clean.clear()
    this.#dirty = []
    this.#early.clear()
    this.#unflushed = []
    this.#sealed.clear()
    this.#changes++
    this.#phase = 'settled'
    this.#forgetLast()
  }

  /** Counts what moves rows from one place to another: a seal, a settle, a flush, a clear. */
  get changes(): number {
    return this.#changes
  }

  /** What is committed and may not be in the bytes yet. */
  settledRows(): SealedRows {
    return this.#sealed.show()
  }

  /** Where in `settledRows` the committed row of a key is; `noRow`: the bytes have it, or there is none. */
  settledRow(bucket: Bucket<V> | undefined, key: K): number {
    const entry = bucket?.rows.get(this.#mapKey(canonical(key)))
    return entry?.unflushed === true ? this.#sealed.settled(entry.sealedRow) : noRow
  }

  /** @throws StreamError INTERNAL when writes are under way: restored rows would slip under them. */
  checkRestorable(): void {
    if (this.#dirty.length > 0 || this.#unflushed.length > 0) {
      throw new StreamError('INTERNAL', `store ${this.#args.store} has writes of its own while it is restored`)
    }
  }

  #enter(from: 'settled' | 'sealed' | 'flushing', to: 'settled' | 'sealed' | 'flushing'): void {
    if (this.#phase !== from) {
      throw new StreamError('INTERNAL', `store ${this.#args.store} was ${this.#phase} when it had to be ${from}`)
    }
    this.#phase = to
  }

  /** Drops the clean rows of a bucket. Whether none are left. */
  dropClean(bucket: Bucket<V>): boolean {
    for (const entry of bucket.rows.values()) {
      if (!entry.clean) continue
      this.#clean.remove(entry)
      bucket.rows.delete(entry.key)
      this.#rows--
    }
    bucket.complete = false
    this.#forgetLast()
    return bucket.rows.size === 0
  }

  #find(bucket: Bucket<V>, key: K): Entry<V> | undefined {
    const last = this.#lastEntry
    // By what an object holds, not by which it is: one that was changed since is another key.
    if (last !== undefined && this.#primitive && key === this.#lastKey && bucket === last.bucket) return last
    const entry = bucket.rows.get(this.#mapKey(key))
    if (entry !== undefined) {
      this.#lastKey = key
      this.#lastEntry = entry
      return entry
    }
    // Not yet under this key; perhaps under the one that has the same bytes.
    const same = canonical(key)
    return Object.is(same, key) ? undefined : bucket.rows.get(this.#mapKey(same))
  }

  #load(bucket: Bucket<V>, key: K): Entry<V> | undefined {
    const { filter } = this.#args
    const same = canonical(key)
    const target = this.#keyTarget
    target.clear()
    this.#writeKey(same, target)
    const keyEnd = target.length
    if (filter?.mayHave(target.buffer, 0, keyEnd) === false) return undefined
    const mapKey = this.#primitive ? same : target.buffer.toString('latin1', 0, keyEnd)
    const stored = this.#lookUp(bucket)
    if (stored === undefined) return undefined
    const entry = this.#insert(bucket, mapKey)
    try {
      entry.timestamp = readInt64(stored, 0)
      entry.value = this.#readValue(stored, timestampBytes, stored.length)
    } catch (thrown) {
      this.#remove(entry)
      throw unreadable(this.#args.store, thrown)
    }
    this.#loadedEntry = entry
    this.#loadedBytes = stored
    entry.size = keyEnd + stored.length + entryBytes
    this.#clean.add(entry)
    this.#trim()
    if (entry.clean) {
      this.#lastKey = key
      this.#lastEntry = entry
    }
    return entry
  }

  #insert(bucket: Bucket<V>, key: unknown): Entry<V> {
    this.#rows++
    return newEntry(bucket, key)
  }

  #remove(entry: Entry<V>): void {
    const { bucket } = entry
    bucket.rows.delete(entry.key)
    this.#rows--
    if (this.#lastEntry === entry) this.#forgetLast()
    if (bucket.rows.size === 0) this.#args.emptied?.(bucket)
  }

  #trim(): void {
    for (let entry = this.#clean.evict(); entry !== undefined; entry = this.#clean.evict()) {
      entry.bucket.complete = false
      this.#remove(entry)
    }
  }

  #forgetLast(): void {
    this.#lastKey = undefined
    this.#lastEntry = undefined
    this.#absentBucket = undefined
    this.#loadedEntry = undefined
    this.#loadedBytes = undefined
  }

  #mapKey(key: K): unknown {
    return this.#primitive ? key : this.#args.key.serialize(key).toString('latin1')
  }

  #writeMapKey(mapKey: unknown, target: ByteTarget): void {
    if (this.#primitive) this.#writeKey(mapKey as K, target)
    else target.writeBytes(Buffer.from(mapKey as string, 'latin1'))
  }

  #sealValue(value: V, target: ByteTarget): void {
    try {
      this.#writeValue(value, target)
    } catch (thrown) {
      const store = this.#args.store
      throw new StreamError('SERIALIZATION', `store ${store}: a value does not serialize: ${messageOf(thrown)}`, {
        cause: thrown,
        where: { node: store },
        hint: 'Give the store a value serde that fits what its aggregator returns.',
      })
    }
  }
}

/** A row of the store that its serdes do not read. */
export function unreadable(store: string, thrown: unknown): StreamError {
  return new StreamError('CORRUPT', `store ${store}: a stored row does not read: ${messageOf(thrown)}`, {
    cause: thrown,
    where: { node: store },
    hint: 'If the value serde of the store has changed, give the store another name or run under another --app-id; else delete its state directory and it is rebuilt.',
  })
}
