/**
 * Key-value store whose rows end: each when stream time reaches its timestamp + ttl. The row is deleted then and there, with a tombstone in the
 * changelog of the same transaction, so that what is restored is what was seen; compaction does the rest. Bytes and changelog are those of
 * a key-value store: one may become the other.
 */

import { readerOf } from '../common/bytes.ts'
import { type Codec, keyValueLayout, type RowLayout, readInt64, storeEnd, storePrefix } from './codec.ts'
import type { Bucket } from './entry.ts'
import { KeyFilter } from './key-filter.ts'
import type { KeyValueStoreOptions } from './key-value.ts'
import { Overlay } from './overlay.ts'
import { StoreView } from './read/view.ts'
import { restoredWrite } from './restored-write.ts'
import { RowEnds } from './row-ends.ts'
import type { ByteStore, ByteWrite, ChangelogRow, ExpiringStore, Row, StateStore, WrittenValue } from './store.ts'
import { TimedStore } from './timed-store.ts'

export interface ExpiringStoreOptions<K, V> extends KeyValueStoreOptions<K, V> {
  /** ms of stream time after its timestamp that a row ends. */
  readonly ttlMs: number
}

export class OverlayExpiringStore<K, V> extends TimedStore<K, V> implements ExpiringStore<K, V>, StateStore {
  readonly name: string
  readonly #ttlMs: number
  readonly #key: Codec<K>
  readonly #bytes: ByteStore
  readonly #layout: RowLayout
  protected readonly overlay: Overlay<K, V>
  readonly #bucket: Bucket<V>
  /** From the beginning, where that is empty; else it is not known what the bytes hold. */
  readonly #filter: KeyFilter | undefined
  readonly #ends: RowEnds<K>
  /** When every row ends is known. */
  #loaded: boolean

  constructor(options: ExpiringStoreOptions<K, V>) {
    super()
    const { name, ttlMs, key, bytes, empty = false } = options
    this.name = name
    this.#ttlMs = ttlMs
    this.#key = key
    this.#bytes = bytes
    this.#bucket = { start: 0, rows: new Map(), complete: empty }
    this.#filter = empty ? new KeyFilter() : undefined
    this.#layout = keyValueLayout(storePrefix(name))
    this.overlay = new Overlay({ ...options, store: name, layout: this.#layout, filter: this.#filter })
    this.#ends = new RowEnds(key)
    this.#loaded = empty
  }

  get(key: K): Row<V> | undefined {
    const entry = this.overlay.read(this.#bucket, key)
    return entry === undefined || entry.value === null ? undefined : (entry as Row<V>)
  }

  put(key: K, value: V | null, timestamp: number, written?: WrittenValue): void {
    this.overlay.write(this.#bucket, key, value, timestamp, written)
    if (value !== null) this.#ends.put(key, timestamp + this.#ttlMs)
  }

  digest(key: K): string | null {
    return this.overlay.digest(this.#bucket, key)
  }

  view(): StoreView<K> {
    return new StoreView({
      overlay: this.overlay,
      bytes: this.#bytes,
      key: this.#key,
      layout: this.#layout,
      bucket: () => this.#bucket,
      streamTime: this.settledTime,
    })
  }

  isOver(timestamp: number): boolean {
    return timestamp + this.#ttlMs <= this.streamTime
  }

  advance(streamTime: number, ended: (key: K, value: V, end: number) => void): void {
    this.streamTime = streamTime
    if (this.#ends.first > streamTime) return
    this.#ends.take(
      streamTime,
      (key) => {
        const row = this.get(key)
        return row === undefined ? undefined : row.timestamp + this.#ttlMs
      },
      (key, end) => {
        const { value } = this.get(key) as Row<V>
        this.overlay.write(this.#bucket, key, null, end)
        ended(key, value, end)
      },
    )
  }

  override discard(): void {
    super.discard()
    this.#bucket.rows.clear()
    this.#bucket.complete = false
    this.#forgetEnds()
  }

  restore(row: ChangelogRow): ByteWrite {
    this.overlay.checkRestorable()
    if (this.#bucket.rows.size > 0 || this.#bucket.complete) this.discard()
    this.#forgetEnds()
    this.#filter?.add(row.key, 0, row.key.length)
    return restoredWrite(this.#layout, 0, row.key, row)
  }

  async load(): Promise<void> {
    if (this.#loaded) return
    const prefix = storePrefix(this.name)
    const readKey = readerOf(this.#key)
    for await (const [stored, row] of this.#bytes.scan(prefix, storeEnd(this.name))) {
      this.#ends.put(readKey(stored, prefix.length, stored.length), readInt64(row, 0) + this.#ttlMs)
    }
    this.#loaded = true
  }

  async expire(): Promise<void> {
    // A row is deleted when it ends.
  }

  #forgetEnds(): void {
    this.#ends.clear()
    this.#loaded = false
  }
}
