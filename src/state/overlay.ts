/**
 * The rows of a store that are in memory: uncommitted writes and the read cache in one map of live entries, so that reading and
 * writing a hot key is one look-up and no serialization. Invariant: an entry leaves the map only when the byte store holds its value.
 *
 *              load                put                 seal                  settle
 *     (bytes) ──────▶ clean ──────────────▶ dirty ──────────────▶ sealed ──────────────▶ clean ──▶ evicted
 *                       ▲                     ▲   put while sealed: dirty and sealed at once   │
 *                       └─────────────────────┴──────────── pins = unsettled seals it is in ◀──┘
 *
 * Only clean entries are in the list from oldest to newest; dirty and sealed ones are pinned.
 */

import { messageOf, StreamError } from '../common/errors.ts'
import { type Codec, readInt64, stampedValue } from './codec.ts'
import type { ByteStore, ByteWrite } from './store.ts'

export interface CacheLimits {
  /** Most clean rows kept; 0 keeps none, so that every read after a commit goes through bytes. Default: no limit. */
  readonly cacheRows?: number
  /** Most bytes of clean rows kept, by estimate. Default 16 MiB. */
  readonly cacheBytes?: number
}

/** Rows that share a window start; a key-value store has one bucket. */
export interface Bucket<V> {
  readonly start: number
  readonly rows: Map<unknown, Entry<V>>
}

/** A row in memory. It is handed out as the `Row` of a `get`, so it changes with the next `put` of its key. */
export interface Entry<V> {
  /** null: deleted, and not settled yet. */
  value: V | null
  timestamp: number
  /** The key itself when primitive, else its bytes as a latin1 string. */
  readonly key: unknown
  readonly bucket: Bucket<V>
  /** Changed since the last seal. */
  dirty: boolean
  /** Unsettled seals that hold it. */
  pins: number
  /** Estimated bytes in memory, known once it has been bytes. */
  size: number
  /** Read since it became clean: spared once by eviction. */
  used: boolean
  clean: boolean
  older: Entry<V> | null
  newer: Entry<V> | null
}

export interface OverlayArgs<K, V> extends CacheLimits {
  readonly store: string
  readonly bytes: ByteStore
  readonly key: Codec<K>
  readonly value: Codec<V>
  readonly rowKey: (start: number, key: Buffer) => Buffer
  readonly changelogKey: (start: number, key: Buffer) => Buffer
  /** The last row of a bucket has left memory. */
  readonly emptied?: (bucket: Bucket<V>) => void
}

/** What an entry weighs besides its bytes: the object, its slot in the map, the timestamp. */
const entryBytes = 160
const firstGuess = 128

export class Overlay<K, V> {
  readonly #args: OverlayArgs<K, V>
  readonly #primitive: boolean
  readonly #maxRows: number
  readonly #maxBytes: number
  #rows = 0
  #cleanRows = 0
  #cleanBytes = 0
  #oldest: Entry<V> | null = null
  #newest: Entry<V> | null = null
  #dirty: Entry<V>[] = []
  #seals: Entry<V>[][] = []
  /** Mean size of a sealed row, to estimate what has not been serialized yet. */
  #meanBytes = firstGuess
  /** The last entry found: the put that follows a get finds it without a look-up. */
  #lastKey: unknown
  #lastEntry: Entry<V> | undefined

  constructor(args: OverlayArgs<K, V>) {
    this.#args = args
    this.#primitive = args.key.primitive
    this.#maxRows = args.cacheRows ?? Number.POSITIVE_INFINITY
    this.#maxBytes = args.cacheBytes ?? 16 * 1024 * 1024
  }

  get rows(): number {
    return this.#rows
  }

  get uncommittedBytes(): number {
    return this.#dirty.length * (this.#meanBytes + 64)
  }

  /** The live entry of a key, read from bytes if need be; its value is null when the key was deleted. */
  read(bucket: Bucket<V>, key: K): Entry<V> | undefined {
    const entry = this.#find(bucket, key)
    if (entry === undefined) return this.#load(bucket, key)
    entry.used = true
    return entry
  }

  write(bucket: Bucket<V>, key: K, value: V | null, timestamp: number): void {
    const entry = this.#find(bucket, key) ?? this.#insert(bucket, this.#mapKey(canonical(key)))
    entry.value = value
    entry.timestamp = timestamp
    if (entry.dirty) return
    entry.dirty = true
    this.#dirty.push(entry)
    if (entry.clean) this.#unlink(entry)
  }

  /** @throws StreamError SERIALIZATION when a value does not serialize; only `discard` is of use then. */
  seal(row: (key: Buffer, value: Buffer | null, timestamp: number) => void, writes: ByteWrite[]): void {
    const { rowKey, changelogKey } = this.#args
    const sealed = this.#dirty
    this.#dirty = []
    let bytes = 0
    for (const entry of sealed) {
      const start = entry.bucket.start
      const key = this.#keyBytes(entry.key)
      const value = entry.value === null ? null : this.#valueBytes(entry.value)
      row(changelogKey(start, key), value, entry.timestamp)
      writes.push({ key: rowKey(start, key), value: value === null ? null : stampedValue(value, entry.timestamp) })
      const size = key.length + (value === null ? 0 : value.length)
      bytes += size
      entry.size = size + entryBytes
      entry.dirty = false
      entry.pins++
    }
    this.#seals.push(sealed)
    if (sealed.length > 0) this.#meanBytes = bytes / sealed.length
  }

  settle(): void {
    const sealed = this.#seals.shift()
    if (sealed === undefined) {
      throw new StreamError('INTERNAL', `store ${this.#args.store} was settled without a seal`)
    }
    for (const entry of sealed) {
      entry.pins--
      // Changed or sealed again: a later settle makes it clean.
      if (entry.pins > 0 || entry.dirty) continue
      if (entry.value === null) this.#remove(entry)
      else this.#link(entry)
    }
    this.#trim()
  }

  /** Forgets every row in memory. The owner forgets its buckets too. */
  clear(): void {
    this.#rows = 0
    this.#cleanRows = 0
    this.#cleanBytes = 0
    this.#oldest = null
    this.#newest = null
    this.#dirty = []
    this.#seals = []
    this.#forgetLast()
  }

  /** @throws StreamError INTERNAL when writes are under way: restored rows would slip under them. */
  checkRestorable(): void {
    if (this.#dirty.length > 0 || this.#seals.length > 0) {
      throw new StreamError('INTERNAL', `store ${this.#args.store} has uncommitted writes while it is restored`)
    }
  }

  /** Drops the clean rows of a bucket. Whether none are left. */
  dropClean(bucket: Bucket<V>): boolean {
    for (const entry of bucket.rows.values()) {
      if (!entry.clean) continue
      this.#unlink(entry)
      bucket.rows.delete(entry.key)
      this.#rows--
    }
    this.#forgetLast()
    return bucket.rows.size === 0
  }

  #find(bucket: Bucket<V>, key: K): Entry<V> | undefined {
    const last = this.#lastEntry
    if (last !== undefined && key === this.#lastKey && bucket === last.bucket) return last
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
    const { bytes, rowKey } = this.#args
    const same = canonical(key)
    const keyBytes = this.#args.key.serialize(same)
    const stored = bytes.get(rowKey(bucket.start, keyBytes))
    if (stored === undefined) return undefined
    const entry = this.#insert(bucket, this.#primitive ? same : keyBytes.toString('latin1'))
    try {
      entry.timestamp = readInt64(stored, 0)
      entry.value = this.#args.value.deserialize(stored.subarray(8))
    } catch (thrown) {
      this.#remove(entry)
      throw this.#unreadable(thrown)
    }
    entry.size = keyBytes.length + stored.length + entryBytes
    this.#link(entry)
    this.#trim()
    if (entry.clean) {
      this.#lastKey = key
      this.#lastEntry = entry
    }
    return entry
  }

  #insert(bucket: Bucket<V>, key: unknown): Entry<V> {
    const entry: Entry<V> = {
      value: null,
      timestamp: 0,
      key,
      bucket,
      dirty: false,
      pins: 0,
      size: 0,
      used: false,
      clean: false,
      older: null,
      newer: null,
    }
    bucket.rows.set(key, entry)
    this.#rows++
    return entry
  }

  #remove(entry: Entry<V>): void {
    const { bucket } = entry
    bucket.rows.delete(entry.key)
    this.#rows--
    if (this.#lastEntry === entry) this.#forgetLast()
    if (bucket.rows.size === 0) this.#args.emptied?.(bucket)
  }

  #link(entry: Entry<V>): void {
    entry.clean = true
    entry.older = this.#newest
    entry.newer = null
    if (this.#newest === null) this.#oldest = entry
    else this.#newest.newer = entry
    this.#newest = entry
    this.#cleanRows++
    this.#cleanBytes += entry.size
  }

  #unlink(entry: Entry<V>): void {
    entry.clean = false
    if (entry.older === null) this.#oldest = entry.newer
    else entry.older.newer = entry.newer
    if (entry.newer === null) this.#newest = entry.older
    else entry.newer.older = entry.older
    entry.older = null
    entry.newer = null
    this.#cleanRows--
    this.#cleanBytes -= entry.size
  }

  #trim(): void {
    while (this.#cleanRows > this.#maxRows || this.#cleanBytes > this.#maxBytes) {
      const entry = this.#oldest
      if (entry === null) return
      this.#unlink(entry)
      if (entry.used) {
        entry.used = false
        this.#link(entry)
      } else {
        this.#remove(entry)
      }
    }
  }

  #forgetLast(): void {
    this.#lastKey = undefined
    this.#lastEntry = undefined
  }

  #mapKey(key: K): unknown {
    return this.#primitive ? key : this.#args.key.serialize(key).toString('latin1')
  }

  #keyBytes(mapKey: unknown): Buffer {
    return this.#primitive ? this.#args.key.serialize(mapKey as K) : Buffer.from(mapKey as string, 'latin1')
  }

  #valueBytes(value: V): Buffer {
    try {
      return this.#args.value.serialize(value)
    } catch (thrown) {
      const store = this.#args.store
      throw new StreamError('SERIALIZATION', `store ${store}: a value does not serialize: ${messageOf(thrown)}`, {
        cause: thrown,
        where: { node: store },
        hint: 'Give the store a value serde that fits what its aggregator returns.',
      })
    }
  }

  #unreadable(thrown: unknown): StreamError {
    const store = this.#args.store
    return new StreamError('CORRUPT', `store ${store}: a stored row does not read: ${messageOf(thrown)}`, {
      cause: thrown,
      where: { node: store },
      hint: 'If the value serde of the store has changed, give the store another name or run under another --app-id; else delete its state directory and it is rebuilt.',
    })
  }
}

/** Keys with the same bytes must be one entry: lone surrogates all encode to U+FFFD, and -0 and 0 are one key of a map. */
function canonical<K>(key: K): K {
  if (typeof key === 'string') return key.isWellFormed() ? key : (key.toWellFormed() as K)
  return key === 0 ? (0 as K) : key
}
