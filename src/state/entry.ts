/** A row in memory: what it holds, and where it stands on its way to the byte store. */

import type { WrittenValue } from './store.ts'

/** Rows that share a window start; a key-value store has one bucket. */
export interface Bucket<V> {
  readonly start: number
  readonly rows: Map<unknown, Entry<V>>
  /** The bytes hold no row that is not here: what is not found is nowhere. */
  complete: boolean
}

/** A row in memory. It is handed out as the `Row` of a `get`, so it changes with the next `put` of its key. */
export interface Entry<V> {
  /** null: deleted, and the byte store may still hold it. */
  value: V | null
  timestamp: number
  /** The key itself when primitive, else its bytes as a latin1 string. */
  readonly key: unknown
  readonly bucket: Bucket<V>
  /** Changed since the last seal. */
  dirty: boolean
  /** The value's bytes, where they are known before the seal. */
  written: WrittenValue | undefined
  /** Sealed since the last flush, last as that row of the sealed log. */
  unflushed: boolean
  sealedRow: number
  /** Hash of the value's bytes, once somebody has asked for it; undefined again with the next write. */
  digest: string | undefined
  /** Estimated bytes in memory, known once it has been bytes. */
  size: number
  /** Read since it became clean: spared once by eviction. */
  used: boolean
  clean: boolean
  older: Entry<V> | null
  newer: Entry<V> | null
}

/** A row that nothing is known of yet, in its bucket. */
export function newEntry<V>(bucket: Bucket<V>, key: unknown): Entry<V> {
  const entry: Entry<V> = {
    value: null,
    timestamp: 0,
    key,
    bucket,
    dirty: false,
    written: undefined,
    unflushed: false,
    sealedRow: 0,
    digest: undefined,
    size: 0,
    used: false,
    clean: false,
    older: null,
    newer: null,
  }
  bucket.rows.set(key, entry)
  return entry
}
