/** What `process` and `processValues` take and give their functions (Kafka Streams: Processor, FixedKeyProcessor, KIP-820). */

import type { Headers } from '../../common/record.ts'
import type { RecordContext } from '../../common/record-context.ts'
import type { Duration } from '../../common/time.ts'
import type { Serde } from '../../serde/serde.ts'
import type { AnyStoreDefinition, StoreDefinition } from '../store.ts'
import type { Present, StreamTypeError } from '../types.ts'
import type { KTable } from './ktable.ts'
import type { StoreOptions } from './options.ts'

/** A record as a processor is given it (Kafka Streams: Record). */
export interface ProcessorRecord<out K, out V> {
  readonly key: K
  readonly value: V
  /** ms since the epoch. */
  readonly timestamp: number
  readonly headers: Headers
}

/** A table as a processor reads it. */
export interface ReadOnlyKeyValueStore<in K, out V> {
  /** undefined where there is no row. */
  get(key: K): V | undefined
}

/** Values that come out are not to be changed: put a new one. */
export interface KeyValueStore<in K, in out V> extends ReadOnlyKeyValueStore<K, V> {
  /** A null value deletes. The row carries the timestamp of the record at hand. */
  put(key: K, value: V | null): void
  /** Puts the value where there is none. @returns the one that was there. */
  putIfAbsent(key: K, value: V): V | undefined
  /** @returns the value that was there. */
  delete(key: K): V | undefined
}

export interface ForwardOptions {
  /** ms since the epoch. Default: that of the record at hand; in a punctuation its time. */
  readonly timestamp?: number
  /** In place of those of the record at hand. */
  readonly headers?: Headers
}

export type Stores = Readonly<Record<string, AnyStoreDefinition>>
// biome-ignore lint/suspicious/noExplicitAny: each table has types of its own.
export type Tables = Readonly<Record<string, KTable<any, any>>>

type StoresOf<S> = {
  readonly [N in keyof S]: S[N] extends StoreDefinition<infer K, infer V> ? KeyValueStore<K, V> : never
}
type TablesOf<T> = {
  readonly [N in keyof T]: T[N] extends KTable<infer K, infer V> ? ReadOnlyKeyValueStore<K, Present<V>> : never
}

/** What user functions see besides their record. It is only to be used while one of them runs, not after an await or in a callback. */
export interface ProcessingContext<S, T> extends RecordContext {
  readonly stores: StoresOf<S>
  readonly tables: TablesOf<T>
  readonly applicationId: string
  /** `<sub-topology>_<partition>` */
  readonly taskId: string
  /** Highest timestamp that the task has seen, the record at hand included, ms; -1 before the first record. */
  readonly currentStreamTimeMs: number
  /** ms since the epoch. What depends on it may come out otherwise when a record is processed again. */
  readonly currentSystemTimeMs: number
}

/** `forward` passes a record on at once: what is downstream has run when it returns. */
export interface ProcessorContext<S, T, K2, V2> extends ProcessingContext<S, T> {
  readonly forward: [K2] extends [never]
    ? StreamTypeError<'nothing is forwarded without out: { key, value }'>
    : (key: K2, value: V2, options?: ForwardOptions) => void
}

/** As `ProcessorContext`, under the key of the record at hand. */
export interface FixedKeyProcessorContext<S, T, V2> extends ProcessingContext<S, T> {
  readonly forward: [V2] extends [never]
    ? StreamTypeError<'nothing is forwarded without out: { value }'>
    : (value: V2, options?: ForwardOptions) => void
}

/** What comes back, a promise above all, has to show: a function that goes on later is no processor. */
// biome-ignore lint/suspicious/noConfusingVoidType: with void alone any function would do, an async one too.
type Synchronous = void | undefined

/** Called when a time has come (Kafka Streams: Punctuator). A commit is due after it, as after a record. */
export interface Punctuator<C> {
  /**
   * `stream-time` moves with the records of the task and stands still without them: first at the first record, then on the
   * multiples of the interval; after a restart it goes on where it was. `wall-clock-time`: first one interval after the task's start.
   */
  readonly type: 'stream-time' | 'wall-clock-time'
  /** Called once when several intervals have passed. */
  readonly every: Duration
  /** @param timestamp the stream time, or that of the clock, that made it due, ms. */
  readonly punctuate: (timestamp: number, context: C) => Synchronous
}

interface Surroundings<S, T> {
  /** By the names under which they are in `context.stores`. */
  readonly stores?: S
  /** Tables to read, by the names under which they are in `context.tables`: their rows as they are now, of this partition; of a versioned one the latest. */
  readonly tables?: T
}

export interface ProcessorOptions<K, V, K2, V2, S, T> extends Surroundings<S, T> {
  /** Serdes of what is forwarded; without them nothing can be. */
  readonly out?: { readonly key: Serde<K2>; readonly value: Serde<V2> }
  readonly on: (record: ProcessorRecord<K, V>, context: ProcessorContext<S, T, K2, V2>) => Synchronous
  readonly punctuators?: readonly Punctuator<ProcessorContext<S, T, K2, V2>>[]
}

export interface FixedKeyProcessorOptions<K, V, V2, S, T> extends Surroundings<S, T> {
  /** Serde of what is forwarded; without it nothing can be. */
  readonly out?: { readonly value: Serde<V2> }
  readonly on: (record: ProcessorRecord<K, V>, context: FixedKeyProcessorContext<S, T, V2>) => Synchronous
  /** They cannot forward: no record is at hand whose key it would be. */
  readonly punctuators?: readonly Punctuator<ProcessingContext<S, T>>[]
}

export interface TransformValuesOptions<K, V, R, ResultSerde, S, T> extends Surroundings<S, T>, StoreOptions {
  /** Called once for each update: null comes for a row that was deleted, and null deletes. */
  readonly transform: (value: V, key: K, context: ProcessingContext<S, T>) => R
  /** How the store of the results and its changelog hold them. */
  readonly serde: ResultSerde
  /** They cannot change rows of the table: those change with its updates. */
  readonly punctuators?: readonly Punctuator<ProcessingContext<S, T>>[]
}

/** No stores, no tables. */
export type Empty = Readonly<Record<never, never>>
