/** What the calls of the facade take besides functions and names. */

import type { Storage } from '../../common/storage.ts'
import type { Duration } from '../../common/time.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Emit } from '../grouping.ts'
import type { Partitioner, Present, Sink } from '../types.ts'

/** Options of whatever keeps a store. */
export interface StoreOptions {
  /** `memory` keeps no file: the whole changelog is read again at every start. Default `disk`. */
  readonly storage?: Storage | undefined
}

/** Of what is kept by key alone. */
export interface Ttl<T extends Duration | undefined = Duration | undefined> {
  /**
   * How long a row stays, in event time: it ends when stream time reaches its timestamp + ttl, is deleted downstream with that time, and by a tombstone in
   * the changelog of the same transaction. A record that comes when its row would have ended is dropped and counted as `late`. When each row ends is held in
   * memory. Ms, or `'1d'`. Default: until it is deleted.
   */
  readonly ttl?: T | undefined
}

/** Options of windowed aggregates. */
export interface WindowedOptions<in K, in V> extends StoreOptions {
  /**
   * `updates` passes on every update of a window, `final` one when it closes, which is when stream time reaches its end + grace (of a session its
   * end + gap + grace, exclusive; Kafka Streams: `EmitStrategy.onWindowClose`). Default `updates`.
   */
  readonly emit?: Emit | undefined
  /**
   * Takes the records that come after a window has closed: one for each closed window, with key, value, timestamp and headers as they came, and headers
   * `streamctl.late.*` that say which window, at which stream time. Without it they are dropped. They are counted as `late` in any case.
   */
  readonly late?: Sink<K, Present<V>> | undefined
}

/** Options of a table made of a topic or stream. */
export interface MaterializedOptions extends StoreOptions, Ttl {
  /**
   * Makes the table versioned (KIP-889): of each key it keeps, besides the latest version, those that were valid this far back in
   * stream time, so that late updates fall into place and joins look up what was valid at the record's time. Ms, or `'1h'`. Default:
   * not versioned, the last update to arrive wins.
   */
  readonly history?: Duration | undefined
}

export interface ReduceOptions<ValueSerde> extends StoreOptions {
  /** How the store and its changelog hold the value. Default: the stream's value serde. */
  readonly serde?: ValueSerde | undefined
}

/** Serdes for where the stream no longer knows its own: after a change of key or value. */
export interface SerdeOptions<KeySerde, ValueSerde> {
  readonly key?: KeySerde | undefined
  readonly value?: ValueSerde | undefined
}

export interface GroupOptions<KeySerde, ValueSerde> extends SerdeOptions<KeySerde, ValueSerde> {
  /** Base name of the repartition topic, if the grouping needs one. Default: the name of the aggregate's store. */
  readonly name?: string | undefined
}

export interface RepartitionOptions<KeySerde, ValueSerde, StreamPartitioner>
  extends SerdeOptions<KeySerde, ValueSerde> {
  /** Default: as many as the largest topic upstream has, or as a join demands. */
  readonly partitions?: number | undefined
  /**
   * Default: by the key. With another, records of one key may come to lie apart, or not where those of another topic are that they are
   * to be joined with.
   */
  readonly partitioner?: StreamPartitioner | undefined
}

interface LimitOptions<in K, in V, KeySerde, ValueSerde> extends SerdeOptions<KeySerde, ValueSerde>, StoreOptions {
  /** What tells records of one key apart; null for a record that is not to be looked at. Default: the key alone. */
  readonly by?: ((value: Present<V>, key: K) => string | number | bigint | boolean | null) | undefined
  /** How far behind stream time a record may be and still be judged. Ms, or `'1h'`. Default: as long as the period. */
  readonly grace?: Duration | undefined
}

export interface DedupeOptions<in K, in V, KeySerde, ValueSerde> extends LimitOptions<K, V, KeySerde, ValueSerde> {
  /** The period, in event time: ms, or `'1h'`. A record that is further behind stream time than the grace is passed on. */
  readonly within: Duration
}

export interface RateLimitOptions<in K, in V, KeySerde, ValueSerde> extends LimitOptions<K, V, KeySerde, ValueSerde> {
  /** Records that are within, in any period: 1 to 100,000. A row of the store holds their times. */
  readonly limit: number
  /** The period, in event time: ms, or `'1m'`. A record that is further behind stream time than the grace is over. */
  readonly per: Duration
}

export interface MapAsyncOptions {
  /** Most calls under way at a time in a task, and most records held for the order. Default 100. */
  readonly concurrency?: number | undefined
  /** A call that takes longer stops the application, as one that rejects does. Default `30s`. */
  readonly timeout?: Duration | undefined
}

export interface ToOptions<K, V> {
  /** Default: by the key. */
  readonly partitioner?: Partitioner<K, V> | undefined
}

export interface ToOneOfOptions<K, V, Topics> extends ToOptions<K, V> {
  /** Every topic that may be chosen: they are checked at the start, and so are their types. */
  readonly among: Topics
}

export interface PrintOptions {
  /** Default: the name of the operator before. */
  readonly label?: string | undefined
  /** Records to print, of each task. Default: all. */
  readonly limit?: number | undefined
}

export interface ToTableOptions<KeySerde, ValueSerde> extends SerdeOptions<KeySerde, ValueSerde>, MaterializedOptions {}

export interface SuppressOptions<ValueSerde> extends StoreOptions {
  /** How the store and its changelog hold the value. Default: the table's value serde. */
  readonly serde?: ValueSerde | undefined
}

export interface JoinOptions<KeySerde, ValueSerde> extends SerdeOptions<KeySerde, ValueSerde> {
  /** Display name, and base name of the repartition topic if the join needs one. */
  readonly name?: string | undefined
}

export interface StreamJoinOptions<KeySerde, ValueSerde, OtherSerde>
  extends SerdeOptions<KeySerde, ValueSerde>,
    StoreOptions {
  /** Name of the join, and first part of the names of its stores and of the repartition topics that it needs. Keep it stable. */
  readonly name: string
  /** Serde of the other stream's values, where that stream no longer knows it. */
  readonly otherValue?: OtherSerde | undefined
  /** Gives record by record what Kafka Streams 4.1 gives; what is different without, and better, is in the guide. */
  readonly compat?: 'kafka-streams' | undefined
}

/** Of a stream with a table. */
export interface StreamTableJoinOptions<KeySerde, ValueSerde> extends JoinOptions<KeySerde, ValueSerde> {
  /**
   * How long a record waits, in stream time, before it looks up what the table held at its time: so long updates of the table may be late. Of
   * versioned tables only, with at least that history; needs a name, as the records wait in the store `<name>-buffer` (KIP-923).
   * Ms, or `'10s'`. Default: it does not wait.
   */
  readonly grace?: Duration | undefined
}

export interface GlobalJoinOptions {
  /** Display name. */
  readonly name?: string | undefined
}

export interface AggregateOptions<K, V, A> extends StoreOptions {
  /** The aggregate before the first record of a key. Its type is the table's. */
  readonly init: () => A
  /** The next aggregate: a new value, never the given one changed. Null deletes the row. */
  readonly add: (aggregate: A, value: V, key: K) => A
  /** How the store and its changelog hold the aggregate; `json` as it stands fits any plain object. */
  readonly serde: Serde<NoInfer<Present<A>>>
}

export interface CogroupOptions<A> extends StoreOptions {
  /** The aggregate before the first record of a key, of whichever stream. */
  readonly init: () => A
  /** How the store and its changelog hold the aggregate; `json` as it stands fits any plain object. */
  readonly serde: Serde<NoInfer<Present<A>>>
}

export interface SessionCogroupOptions<K, A> extends CogroupOptions<A> {
  /** The aggregate of two sessions that a record joins; the first one of all is that of `init`. */
  readonly merge: (aggregate: A, other: Present<A>, key: K) => A
}

export interface SessionAggregateOptions<K, V, A> extends AggregateOptions<K, V, A> {
  /** The aggregate of two sessions that a record joins; the first one of all is that of `init`. */
  readonly merge: (aggregate: A, other: Present<A>, key: K) => A
}

export interface TableJoinOptions {
  /** Display name. */
  readonly name?: string | undefined
}

export interface TableAggregateOptions<K, V, A> extends AggregateOptions<K, V, A> {
  /** The aggregate without a value that was added before. Null deletes the row. */
  readonly subtract: (aggregate: Present<A>, value: V, key: K) => A
}

export interface ForeignKeyJoinOptions<K, V, F, O, R, ResultSerde, ValueSerde, OtherSerde> extends StoreOptions {
  /** Names the store of the results, if they are kept, that of the subscriptions (`<name>-subscriptions`) and the topics between the two tables. */
  readonly name: string
  /** The key in the other table; null refers to no row. */
  readonly foreignKey: (value: V, key: K) => F | null
  readonly joiner: (value: V, other: O, key: K) => R
  /**
   * How the store of the results and its changelog hold them. Without it no results are kept, which is less to write: the table's updates can
   * be mapped and turned into a stream, and a row of an inner join that refers to nothing is a deletion each time, whether there was a result or not.
   */
  readonly serde?: ResultSerde | undefined
  /** Where the table no longer knows its own: a row's bytes say whether an answer is to the row of now. */
  readonly value?: ValueSerde | undefined
  /** Of the other table's values, where it no longer knows its own: its rows travel in answers. */
  readonly otherValue?: OtherSerde | undefined
}
