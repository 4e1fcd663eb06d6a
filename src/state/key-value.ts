/** Key-value store with timestamps: the last value of each key (Kafka Streams: TimestampedKeyValueStore). */

import type { CacheLimits } from './clean-rows.ts'
import { type Codec, keyValueLayout, type RowLayout, storePrefix } from './codec.ts'
import type { Bucket } from './entry.ts'
import { KeyFilter } from './key-filter.ts'
import { Overlay } from './overlay.ts'
import { StoreView } from './read/view.ts'
import { restoredWrite } from './restored-write.ts'
import type {
  AppendRow,
  ByteStore,
  ByteWrite,
  ChangelogRow,
  KeyValueStore,
  Row,
  StateStore,
  WrittenValue,
} from './store.ts'

export interface KeyValueStoreOptions<K, V> extends CacheLimits {
  readonly name: string
  readonly key: Codec<K>
  readonly value: Codec<V>
  /** The task's bytes, shared with its other stores. */
  readonly bytes: ByteStore
  /** The bytes hold no row of the store. Default false. */
  readonly empty?: boolean
}

export class OverlayKeyValueStore<K, V> implements KeyValueStore<K, V>, StateStore {
  readonly isTimed = false
  readonly streamTime = -1
  readonly name: string
  readonly #key: Codec<K>
  readonly #bytes: ByteStore
  readonly #layout: RowLayout
  readonly #overlay: Overlay<K, V>
  readonly #bucket: Bucket<V>
  /** From the beginning, where that is empty; else it is not known what the bytes hold. */
  readonly #filter: KeyFilter | undefined

  constructor(options: KeyValueStoreOptions<K, V>) {
    this.name = options.name
    this.#key = options.key
    this.#bytes = options.bytes
    this.#bucket = { start: 0, rows: new Map(), complete: options.empty === true }
    this.#filter = options.empty === true ? new KeyFilter() : undefined
    this.#layout = keyValueLayout(storePrefix(options.name))
    this.#overlay = new Overlay({ ...options, store: options.name, layout: this.#layout, filter: this.#filter })
  }

  get(key: K): Row<V> | undefined {
    const entry = this.#overlay.read(this.#bucket, key)
    return entry === undefined || entry.value === null ? undefined : (entry as Row<V>)
  }

  put(key: K, value: V | null, timestamp: number, written?: WrittenValue): void {
    this.#overlay.write(this.#bucket, key, value, timestamp, written)
  }

  digest(key: K): string | null {
    return this.#overlay.digest(this.#bucket, key)
  }

  view(): StoreView<K> {
    return new StoreView({
      overlay: this.#overlay,
      bytes: this.#bytes,
      key: this.#key,
      layout: this.#layout,
      bucket: () => this.#bucket,
      streamTime: this.streamTime,
    })
  }

  recoverStreamTime(): void {
    // Rows stay until they are deleted, whatever the time.
  }

  get uncommittedBytes(): number {
    return this.#overlay.uncommittedBytes
  }

  get cachedRows(): number {
    return this.#overlay.rows
  }

  get unflushedRows(): number {
    return this.#overlay.unflushedRows
  }

  get unflushedBytes(): number {
    return this.#overlay.unflushedBytes
  }

  seal(append: AppendRow): void {
    this.#overlay.seal(append)
  }

  settle(): void {
    this.#overlay.settle()
  }

  flush(writes: ByteWrite[]): void {
    this.#overlay.flush(writes, 0)
  }

  flushed(): void {
    this.#overlay.flushed()
  }

  discard(): void {
    this.#overlay.clear()
    this.#bucket.rows.clear()
    this.#bucket.complete = false
  }

  restore(row: ChangelogRow): ByteWrite {
    this.#overlay.checkRestorable()
    if (this.#bucket.rows.size > 0 || this.#bucket.complete) this.discard()
    this.#filter?.add(row.key, 0, row.key.length)
    return restoredWrite(this.#layout, 0, row.key, row)
  }

  async load(): Promise<void> {
    // Nothing is kept about all rows.
  }

  async expire(): Promise<void> {
    // A key-value row is kept until it is deleted.
  }
}
