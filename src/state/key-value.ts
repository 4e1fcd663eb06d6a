/** Key-value store with timestamps: the last value of each key (Kafka Streams: TimestampedKeyValueStore). */

import { type Codec, keyValueRowKey, stampedValue, storePrefix } from './codec.ts'
import { type Bucket, type CacheLimits, Overlay } from './overlay.ts'
import type { ByteStore, ByteWrite, ChangelogRow, KeyValueStore, Row, StateStore } from './store.ts'

export interface KeyValueStoreOptions<K, V> extends CacheLimits {
  readonly name: string
  readonly key: Codec<K>
  readonly value: Codec<V>
  /** The task's bytes, shared with its other stores. */
  readonly bytes: ByteStore
}

export class OverlayKeyValueStore<K, V> implements KeyValueStore<K, V>, StateStore {
  readonly kind = 'key-value'
  readonly name: string
  readonly #prefix: Buffer
  readonly #overlay: Overlay<K, V>
  readonly #bucket: Bucket<V> = { start: 0, rows: new Map() }

  constructor(options: KeyValueStoreOptions<K, V>) {
    this.name = options.name
    const prefix = storePrefix(options.name)
    this.#prefix = prefix
    this.#overlay = new Overlay({
      ...options,
      store: options.name,
      rowKey: (_, key) => keyValueRowKey(prefix, key),
      changelogKey: (_, key) => key,
    })
  }

  get(key: K): Row<V> | undefined {
    const entry = this.#overlay.read(this.#bucket, key)
    return entry === undefined || entry.value === null ? undefined : (entry as Row<V>)
  }

  put(key: K, value: V | null, timestamp: number): void {
    this.#overlay.write(this.#bucket, key, value, timestamp)
  }

  get uncommittedBytes(): number {
    return this.#overlay.uncommittedBytes
  }

  get cachedRows(): number {
    return this.#overlay.rows
  }

  seal(row: (key: Buffer, value: Buffer | null, timestamp: number) => void, writes: ByteWrite[]): void {
    this.#overlay.seal(row, writes)
  }

  settle(): void {
    this.#overlay.settle()
  }

  discard(): void {
    this.#overlay.clear()
    this.#bucket.rows.clear()
  }

  restore(row: ChangelogRow): ByteWrite {
    this.#overlay.checkRestorable()
    if (this.#bucket.rows.size > 0) this.discard()
    return {
      key: keyValueRowKey(this.#prefix, row.key),
      value: row.value === null ? null : stampedValue(row.value, row.timestamp),
    }
  }

  async expire(): Promise<void> {
    // A key-value row is kept until it is deleted.
  }
}
