/**
 * Stores as a program reads them beside the records (Kafka Streams: interactive queries). What is read is committed; each query, and each loop
 * over its rows, sees a partition as it was when it began, however long it takes. Rows are new objects, and come a few at a time: leave a
 * loop with `break`, and what it held is let go.
 */

import type { Windowed } from '../../common/windows.ts'
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
  /** Rows whose keys begin with the bytes of the prefix. @throws StreamError INVALID_ARGUMENT at once, without a serde. */
  prefixScan<P>(prefix: P, serde: PrefixSerializer<P>): AsyncIterable<KeyedRow<K, V>>
  /** Rows there are. They are counted: it takes as long as to go over them. */
  approximateNumEntries(): Promise<number>
}

/**
 * Windows, tumbling, hopping or sliding, for as long as stream time is not past their retention, which is their size + grace (of sliding ones two time
 * differences + grace). Times are of the start of a window, ms since the epoch, both ends included; -Infinity and Infinity leave one open (Kafka Streams:
 * ReadOnlyWindowStore). Windows of a key come by their start. Those of several keys too, and of one start in the order of the keys' bytes; sliding ones
 * come by stretches of a time difference + 1 ms, in each by key, then by start.
 */
export interface QueryableWindowStore<K, out V> {
  readonly kind: 'window'
  readonly name: string
  /** The window that starts then; undefined where there is none. */
  fetch(key: K, start: number): Promise<Row<V> | undefined>
  fetch(key: K, from: number, to: number): AsyncIterable<KeyedRow<Windowed<K>, V>>
  backwardFetch(key: K, from: number, to: number): AsyncIterable<KeyedRow<Windowed<K>, V>>
  fetchAll(from: number, to: number): AsyncIterable<KeyedRow<Windowed<K>, V>>
  backwardFetchAll(from: number, to: number): AsyncIterable<KeyedRow<Windowed<K>, V>>
  all(): AsyncIterable<KeyedRow<Windowed<K>, V>>
  backwardAll(): AsyncIterable<KeyedRow<Windowed<K>, V>>
}

/**
 * Sessions, until stream time is gap + grace past their end; the timestamp of a row is that end (Kafka Streams: ReadOnlySessionStore). Those of a key come
 * by their start; of several keys by the stretch of eight gaps in which they end, there in the order of the keys' bytes.
 */
export interface QueryableSessionStore<K, out V> {
  readonly kind: 'session'
  readonly name: string
  fetch(key: K): AsyncIterable<KeyedRow<Windowed<K>, V>>
  /** Of the keys from `from` to `to`, both included; undefined leaves an end open. */
  fetch(from: K | undefined, to: K | undefined): AsyncIterable<KeyedRow<Windowed<K>, V>>
  backwardFetch(key: K): AsyncIterable<KeyedRow<Windowed<K>, V>>
  backwardFetch(from: K | undefined, to: K | undefined): AsyncIterable<KeyedRow<Windowed<K>, V>>
  /** Those that end at `earliestEnd` or later and start at `latestStart` or earlier, ms. */
  findSessions(key: K, earliestEnd: number, latestStart: number): AsyncIterable<KeyedRow<Windowed<K>, V>>
  backwardFindSessions(key: K, earliestEnd: number, latestStart: number): AsyncIterable<KeyedRow<Windowed<K>, V>>
  /** The session with that start and end; undefined where there is none. */
  fetchSession(key: K, start: number, end: number): Promise<Row<V> | undefined>
  all(): AsyncIterable<KeyedRow<Windowed<K>, V>>
  backwardAll(): AsyncIterable<KeyedRow<Windowed<K>, V>>
}

/** What each key held at a time (Kafka Streams: VersionedKeyValueStore). */
export interface QueryableVersionedStore<K, out V> {
  readonly kind: 'versioned'
  readonly name: string
  /**
   * The version that was valid at `asOf`, ms, without it the latest, with the timestamp since which it was; undefined when the key was deleted then, or
   * `asOf` is further back than the history of the store. The latest version never ends.
   */
  get(key: K, asOf?: number): Promise<Row<V> | undefined>
  /** The latest version of every key that is not deleted, in the order of the keys' bytes. */
  all(): AsyncIterable<KeyedRow<K, V>>
}
