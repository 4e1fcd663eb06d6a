/** The typing rules of the facade: sources covariant, sinks contravariant, joined keys equal; null shows in tables only. */

import type { Windowed } from '../common/windows.ts'
import type { Deserializer, Serde, Serializer } from '../serde/serde.ts'

/** What a stream can be read from: the reading half of a topic. */
export interface Source<out K, out V> {
  readonly kind: 'topic'
  readonly name: string
  readonly key: Deserializer<K>
  readonly value: Deserializer<V>
}

/** Topics by a pattern of their names: the reading half of them. */
export interface PatternSource<out K, out V> {
  readonly kind: 'topic-pattern'
  readonly name: string
  readonly key: Deserializer<K>
  readonly value: Deserializer<V>
}

/** What a stream can be written to: the writing half of a topic. A topic that takes more than the stream holds fits. */
export interface Sink<in K, in V> {
  readonly kind: 'topic'
  readonly name: string
  readonly key: Serializer<K>
  readonly value: Serializer<V>
}

/** A sink of any types. */
export type AnySink = Sink<never, never>

/**
 * Chooses the partition of a record, from 0; undefined leaves it to the key, as Kafka does. Arguments come in the order of Kafka's own
 * partitioners (Kafka Streams: StreamPartitioner).
 */
export type Partitioner<K, V> = (key: K, value: V, partitions: number) => number | undefined

/** A type nothing fits: the compiler's message then holds the plain words. */
export type StreamTypeError<Words extends string> = { readonly [W in Words]: never }

/** Anything when the keys are the same type, else the words. Keys that differ in type differ in bytes: they never meet. */
export type SameKey<A, B> = [A] extends [B] ? ([B] extends [A] ? unknown : NoSameKey<B>) : NoSameKey<B>

/** Of what is no stream or table of the kind that is taken, the compiler infers no key. */
type NoSameKey<B> = unknown extends B
  ? StreamTypeError<'not what this call takes, or its key is of no known type; two streams are joined within windows, under a name'>
  : StreamTypeError<'keys differ, call selectKey(...) first'>

/** Any number of values for one record. A text is refused: as it is iterable, it would be taken for its characters. */
export type Several<T> = Iterable<T> & {
  readonly charAt?: StreamTypeError<'a text is one value: give [text], or [...text] for its characters'>
}

/** Anything when the key is one of windows, else the words. */
export type OfWindows<K> = [K] extends [Windowed<unknown>]
  ? unknown
  : StreamTypeError<'only the windows of a windowed table close: use Suppressed.untilTimeLimit(...)'>

/** A value that is there: without the tombstone. */
export type Present<V> = Exclude<V, null>

/** null where a ttl is given: rows that end are deleted. */
export type Ended<Ttl> = [Ttl] extends [undefined] ? never : null

/** A serde that can write `T`. What it reads back, `Read`, may be wider: `string` for `'EUR' | 'USD'`. */
export type SerdeFor<T, Read> = Serde<Read> & Serializer<Present<T>>

/** What a serde reads. */
export type ValueOf<S> = S extends Deserializer<infer T> ? T : never

/** The same type, hidden from inference: NoInfer would stay visible in the results. */
type Uninferred<T> = [T][T extends unknown ? 0 : never]

/** What a stream of `T` holds after a serde that reads `Read`; `any` (a bare `json`) and `unknown` tell nothing new. */
export type ReadBack<Read, T> = unknown extends Read ? T : Uninferred<Read>

/** The branch of a `split` that takes what no branch before it took. Put it last. */
export const otherwise: unique symbol = Symbol('otherwise')

export type Predicate<K, V> = (value: V, key: K) => boolean

/** A predicate that narrows the value. */
export type Guard<K, V, S extends V> = (value: V, key: K) => value is S

/** Branches of a `split` by name, tried in the order written. */
export type Branches<K, V> = Readonly<Record<string, Predicate<K, V> | typeof otherwise>>
