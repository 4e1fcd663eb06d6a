/**
 * Stores as a program reads them beside the records (Kafka Streams: interactive queries). What is read is committed; each query, and each loop
 * over its rows, sees a partition as it was when it began, however long it takes. Rows are new objects, and come a few at a time: leave a
 * loop with `break`, and what it held is let go.
 */

import type { Row } from '../store.ts'

/** A row and its key. */
export interface KeyedRow<out K, out V> extends Row<V> {
  readonly key: K
}

/** Writes what keys of a prefix begin with; any serde does. */
export interface PrefixSerializer<in P> {
  readonly serialize: (prefix: P) => Buffer
}

/** Rows by key, in the order of the keys' bytes (Kafka Streams: ReadOnlyKeyValueStore). */
export interface QueryableKeyValueStore<K, out V> {
  readonly kind: 'key-value'
  readonly name: string
  /** undefined where there is no row. Partitions are looked at one after the other, that of the key first. */
  get(key: K): Promise<Row<V> | undefined>
  all(): AsyncIterable<KeyedRow<K, V>>
  reverseAll(): AsyncIterable<KeyedRow<K, V>>
  /** Rows with keys from `from` to `to`, both included; undefined leaves an end open. */
  range(from?: K, to?: K): AsyncIterable<KeyedRow<K, V>>
  reverseRange(from?: K, to?: K): AsyncIterable<KeyedRow<K, V>>
  /** Rows whose keys begin with the bytes of the prefix. */
  prefixScan<P>(prefix: P, serde: PrefixSerializer<P>): AsyncIterable<KeyedRow<K, V>>
  /** Rows there are. They are counted: it takes as long as to go over them. */
  approximateNumEntries(): Promise<number>
}
