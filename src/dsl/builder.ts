/** Where a topology starts: topics become streams and tables. */

import type { RecordContext } from '../common/record-context.ts'
import type { DeserializationPolicy, TopicDefinition } from '../serde/topic.ts'
import type { TopicPattern } from '../serde/topic-pattern.ts'
import type { SourceLocation, TimestampPolicy } from '../topology/node.ts'
import { callSite } from './call-site.ts'
import { GlobalKTable } from './facade/global-ktable.ts'
import { KStream } from './facade/kstream.ts'
import { KTable } from './facade/ktable.ts'
import type { MaterializedOptions } from './facade/options.ts'
import { globalTable } from './global-tables.ts'
import type { Graph, ReadArguments } from './graph.ts'
import { invalid, requireName, requireSync } from './invalid.ts'
import { requireTopic, requireTopics } from './sinks.ts'
import { type StartFromOption, startFrom, tableStartFrom } from './start-from.ts'
import { merge } from './stateless.ts'
import type { StreamState } from './stream-state.ts'
import { materialized } from './tables.ts'
import type { PatternSource, Source, StreamTypeError } from './types.ts'

/** What a source reads: its keys and values. */
export interface SourceOptions<K = unknown, V = unknown> {
  /**
   * What to do with a record whose bytes do not read: stop before it, or write it to a topic, untouched and with the cause in
   * its headers, in the same transaction. Default `fail`.
   */
  readonly onDeserializationError?: 'fail' | { readonly deadLetter: string }
  /**
   * Event time of a record, ms since 1970 (Kafka Streams: `TimestampExtractor`). Default: the record's timestamp. It reads the record once more.
   * @example b.stream(orders, { timestamp: (order, _, { timestamp }) => order?.placedAt ?? timestamp })
   */
  readonly timestamp?: (value: V | null, key: K | null, record: RecordContext) => number
  /**
   * What to do with a record whose timestamp is negative, or no whole number: as with one that does not read, leave it out and count it, or
   * take the highest timestamp before it in its partition, or the clock (Kafka Streams: FailOnInvalidTimestamp, LogAndSkipOnInvalidTimestamp,
   * UsePartitionTimeOnInvalidTimestamp). Default `fail`.
   */
  readonly onInvalidTimestamp?: TimestampPolicy
  /**
   * Where a partition starts of which the group has committed no position (Kafka Streams: `AutoOffsetReset`): at its first record,
   * after its last one, nowhere, which is an error, or with the first record that is no older than that by its timestamp. What is committed always
   * goes before, and one that is out of range ends the app: a position is never reset. Default: the application's (`--from`), which is
   * `earliest`. In the test driver topics begin empty.
   * @example b.stream(clicks, { startFrom: { ago: '1h' } })
   */
  readonly startFrom?: StartFromOption
}

export interface TableOptions<K = unknown, V = unknown> extends SourceOptions<K, V>, MaterializedOptions {
  /** Name of the store, and of its changelog if it has one of its own. */
  readonly store: string
  /** As of a stream; a table is all rows of its topic, so that it starts with the first. Default `earliest`, whatever the application's is. */
  readonly startFrom?: 'earliest' | 'none'
  /**
   * What the rows are restored from. `own`: a changelog, `<app>-<store>-changelog`. `source`: the topic itself, up to where it was processed, so
   * that nothing is written for the table (Kafka Streams: `topology.optimization`). The topic must be compacted (`cleanup.policy=compact`), and
   * event time must come from the record alone; such a table has no history and no ttl. Default `own`.
   * @example b.table(customers, { store: 'customers', changelog: 'source' })
   */
  readonly changelog?: 'own' | 'source' | undefined
}

export interface GlobalTableOptions {
  /** Name of the table, unique among stores. It has no changelog: the topic is one. */
  readonly store: string
}

type AnySource<K = unknown, V = unknown> = Source<K, V> | PatternSource<K, V>
type KeyOf<T> = T extends AnySource<infer K, unknown> ? K : never
type ValueOf<T> = T extends AnySource<unknown, infer V> ? V : never
/** Those of the keys that not all topics have. */
type OtherKeys<T, K = KeyOf<T>> = T extends AnySource<infer One> ? ([K] extends [One] ? never : One) : never
/** Anything for topics whose keys are all of one type, else the words. */
type OneKey<T> = [OtherKeys<T>] extends [never]
  ? unknown
  : StreamTypeError<'keys differ, read each topic on its own, call selectKey(...) and merge them'>

export class StreamsBuilder {
  readonly #graph: Graph

  constructor(graph: Graph) {
    this.#graph = graph
  }

  /**
   * The records of a topic, or of several, as a stream; of a pattern those of every topic that matches, also of one that comes to be while it runs,
   * from its first record on.
   * @example b.stream(orders)
   * @example b.stream(orders, { onDeserializationError: { deadLetter: 'orders.dlq' } })
   * @example b.stream(topicPattern(/orders-\w+/, { key: string, value: json<Order>() }))
   * @throws StreamError INVALID_TOPOLOGY when a topic is read twice with different serdes or policies, or by its name and by a pattern.
   */
  stream<K, V>(topic: AnySource<K, V>, options?: SourceOptions<NoInfer<K>, NoInfer<V>>): KStream<K, V>
  stream<const T extends readonly AnySource[]>(
    topics: T & OneKey<T[number]>,
    options?: SourceOptions<KeyOf<T[number]>, ValueOf<T[number]>>,
  ): KStream<KeyOf<T[number]>, ValueOf<T[number]>>
  stream(topics: AnySource | readonly AnySource[], options?: SourceOptions<never, never>): KStream<unknown, unknown> {
    const site = callSite()
    const list = Array.isArray(topics) ? (topics as readonly AnySource[]) : [topics as AnySource]
    const sources = list.map((topic) => this.#source(topic, options, 'stream', site, startFrom))
    const [only] = sources
    if (only === undefined) throw invalid('stream was given no topic', 'Give at least one topic.', 'stream', site)
    return new KStream(sources.length === 1 ? only : merge(sources, undefined))
  }

  /**
   * The topic's last value of each key, in a store; a record with a null value deletes the row.
   * @example b.table(customers, { store: 'customers' })
   * @example b.table(rates, { store: 'rates', history: '1h' })
   * @example b.table(customers, { store: 'customers', changelog: 'source' })
   * @throws StreamError INVALID_TOPOLOGY when the store's name is taken, the topic is read with other serdes, the history is no duration, or the
   * topic cannot be the changelog.
   */
  table<K, V>(topic: Source<K, V>, options: TableOptions<NoInfer<K>, NoInfer<V>>): KTable<K, V | null> {
    const site = callSite()
    const source = this.#source(topic, options, 'table', site, tableStartFrom)
    const { store, storage, history, ttl, changelog } = options ?? {}
    return new KTable(materialized(source, store, 'table', { storage, history, ttl, changelog }, site))
  }

  /**
   * The topic's last value of each key, all of them in the memory of every engine, for streams to look up under a key of their choice
   * without being partitioned by it. It is read to its end before any task starts, and followed from then on, whatever the
   * time of its records; a record with a null value deletes the row. One that does not decode stops the app.
   * @example b.globalTable(countries, { store: 'countries' })
   * @throws StreamError INVALID_TOPOLOGY when the store's name is missing or taken, or it is to start amid its topic.
   */
  globalTable<K, V>(topic: Source<K, V>, options: GlobalTableOptions): GlobalKTable<K, V> {
    const site = callSite()
    return new GlobalKTable(globalTable(this.#graph, requireTopic(topic, 'globalTable', site), options, site))
  }

  #source(
    given: AnySource,
    options: SourceOptions<never, never> | undefined,
    call: string,
    site: SourceLocation | undefined,
    startOf: typeof startFrom,
  ): StreamState {
    const topic = call === 'stream' ? requireTopics(given, site) : requireTopic(given, call, site)
    const { name, key, value } = topic
    const onDeserializationError = policy(options?.onDeserializationError, topic, site)
    const times = timestamps(options, name, site)
    const from = startOf(options?.startFrom, name, site)
    const start = from === undefined ? {} : { startFrom: from }
    const reads = { key, value, onDeserializationError, ...times, ...start }
    const node =
      topic.kind === 'topic' ? this.#graph.source(name, reads, site) : this.#graph.patternSource(topic, reads, site)
    return { graph: this.#graph, node, key, value, rekeyed: false }
  }
}

function policy(
  given: SourceOptions['onDeserializationError'],
  source: TopicDefinition<unknown, unknown> | TopicPattern<unknown, unknown>,
  site: SourceLocation | undefined,
): DeserializationPolicy {
  const node = source.name
  if (given === undefined || given === 'fail') return Object.freeze({ policy: 'fail' })
  if (typeof given !== 'object' || given === null) {
    throw invalid(
      `${node}: onDeserializationError is ${JSON.stringify(given)}`,
      "Give 'fail', the default, or { deadLetter: 'topic' }.",
      node,
      site,
    )
  }
  const topic = requireName(given.deadLetter, 'dead-letter topic', node, site)
  const isRead = source.kind === 'topic' ? topic === node : source.pattern.test(topic)
  if (isRead) {
    throw invalid(
      `${node}: its dead letters go back to it, and would be read for ever`,
      source.kind === 'topic'
        ? `Give them a topic of their own: { deadLetter: '${node}.dlq' }.`
        : `Give them a topic that the pattern does not match, as it does ${topic}.`,
      node,
      site,
    )
  }
  return Object.freeze({ policy: 'dead-letter', topic })
}

const timestampPolicies: readonly unknown[] = [
  'fail',
  'skip',
  'partition-time',
  'wall-clock',
] satisfies TimestampPolicy[]

function timestamps(
  options: SourceOptions<never, never> | undefined,
  node: string,
  site: SourceLocation | undefined,
): Pick<ReadArguments, 'timestamp' | 'onInvalidTimestamp'> {
  const { timestamp, onInvalidTimestamp = 'fail' } = options ?? {}
  if (!timestampPolicies.includes(onInvalidTimestamp)) {
    throw invalid(
      `${node}: onInvalidTimestamp is ${JSON.stringify(onInvalidTimestamp)}`,
      "Give 'fail', the default, 'skip', 'partition-time' or 'wall-clock'.",
      node,
      site,
    )
  }
  if (timestamp === undefined) return { onInvalidTimestamp }
  return { timestamp: requireSync(timestamp, 'timestamp', node, site), onInvalidTimestamp }
}
