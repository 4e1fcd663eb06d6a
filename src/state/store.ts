/** What operators hold: synchronous stores of values, and the bytes below them. */

/** A stored value and the timestamp it carries (ms). */
export interface Row<V> {
  readonly value: V
  readonly timestamp: number
}

export interface KeyValueStore<K, V> {
  /** The row is the live one: take what you need of it before the next put of its key. */
  get(key: K): Row<V> | undefined
  /** A null value deletes the key; the tombstone goes to the changelog with this timestamp. */
  put(key: K, value: V | null, timestamp: number): void
}

export interface WindowStore<K, V> {
  /** Rows are found by key and window start (ms); live as those of a key-value store. */
  get(key: K, start: number): Row<V> | undefined
  put(key: K, start: number, value: V | null, timestamp: number): void
  /** Highest timestamp its operator has seen, -1 before the first; survives restarts. */
  streamTime: number
}

export interface ByteWrite {
  readonly key: Buffer
  /** null deletes. */
  readonly value: Buffer | null
}

/** Ordered bytes of one task (memcmp order). Only committed state is ever written here. */
export interface ByteStore {
  get(key: Buffer): Buffer | undefined
  /** All or nothing. */
  write(writes: readonly ByteWrite[]): Promise<void>
  /** Deletes keys in [from, to). */
  deleteRange(from: Buffer, to: Buffer): Promise<void>
  /** Rows with keys in [from, to), in order. */
  scan(from: Buffer, to: Buffer): AsyncIterable<readonly [key: Buffer, value: Buffer]>
  /** About how many bytes on disk the keys in [from, to) take, in files already written; null without files. */
  diskBytes(from: Buffer, to: Buffer): Promise<number | null>
  close(): Promise<void>
}

/** One row for the changelog: what a store's commit turns into a record. */
export interface ChangelogRow {
  readonly key: Buffer
  readonly value: Buffer | null
  readonly timestamp: number
}

/**
 * The engine's side of a store. The life of a write: `put` → live overlay → `seal` (serialized into changelog rows and
 * byte writes, still readable) → `settle` once those are durable, or `discard` when the transaction did not commit.
 */
export interface StateStore {
  readonly name: string
  readonly kind: 'key-value' | 'window'
  /** Estimate of what the unsealed overlay holds, in bytes. */
  readonly uncommittedBytes: number
  /** Rows in memory, overlay and cache together. */
  readonly cachedRows: number
  /**
   * Serializes the overlay. Calls `row` per changed key, in order of first change, and appends the same changes to `writes`.
   * Writes after this belong to the next seal. Several seals may be unsettled; they settle in order.
   */
  seal(row: (key: Buffer, value: Buffer | null, timestamp: number) => void, writes: ByteWrite[]): void
  /** The oldest unsettled seal is in the byte store. */
  settle(): void
  /** Forgets every write that is not settled, sealed or not: reads see the byte store again. */
  discard(): void
  /** Turns a changelog record back into the byte write that it mirrors. */
  restore(row: ChangelogRow): ByteWrite
  /** Deletes rows that no record can reach any more (expired windows). */
  expire(): Promise<void>
}
