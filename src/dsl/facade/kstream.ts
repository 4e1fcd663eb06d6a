/** Streams: an operator for each method of Kafka Streams' KStream. */

import type { RecordContext } from '../../common/record-context.ts'
import type { JoinWindows } from '../../common/windows.ts'
import type { AnySerde, Serde } from '../../serde/serde.ts'
import { callSite } from '../call-site.ts'
import { joinGlobalTable } from '../global-tables.ts'
import type { NodeBody } from '../graph.ts'
import { groupBy, groupByKey } from '../grouping.ts'
import { dedupe, rateLimit } from '../limits.ts'
import { mapAsync } from '../map-async.ts'
import { type ProcessArguments, process } from '../process.ts'
import { repartition } from '../repartition.ts'
import { print, type SinkArguments, sink } from '../sinks.ts'
import { merge, split, stateless, type UserFunction } from '../stateless.ts'
import { joinStreams, type StreamJoinArguments } from '../stream-joins.ts'
import type { StreamState, TableState } from '../stream-state.ts'
import { type JoinArguments, joinTable, toTable } from '../tables.ts'
import type {
  AnySink,
  Branches,
  Guard,
  Partitioner,
  Predicate,
  Present,
  ReadBack,
  SameKey,
  SerdeFor,
  Several,
  Sink,
} from '../types.ts'
import { GlobalKTable } from './global-ktable.ts'
import { KGroupedStream } from './grouped.ts'
import { KTable } from './ktable.ts'
import { notA } from './not-a.ts'
import type {
  DedupeOptions,
  GlobalJoinOptions,
  GroupOptions,
  MapAsyncOptions,
  PrintOptions,
  RateLimitOptions,
  RepartitionOptions,
  StreamJoinOptions,
  StreamTableJoinOptions,
  ToOneOfOptions,
  ToOptions,
  ToTableOptions,
} from './options.ts'
import type { Empty, FixedKeyProcessorOptions, ProcessorOptions, Stores, Tables } from './processor.ts'

/** What follows the first function: windows and options with a stream, options with a table; with a global table the joiner and options. */
type JoinRest = [next?: JoinWindows | JoinArguments | UserFunction, options?: StreamJoinArguments]

/** An unbounded sequence of records. */
export class KStream<out K, out V> {
  readonly #state: StreamState

  /** For the builder: a stream comes from `b.stream(topic)`. */
  constructor(state: StreamState) {
    this.#state = state
  }

  /**
   * Keeps the records for which the predicate holds; a type guard narrows the value.
   * @example orders.filter(order => order.amount > 100)
   * @example orders.filter('large', order => order.amount > 100)
   */
  filter<S extends V>(predicate: Guard<K, V, S>): KStream<K, S>
  filter(predicate: Predicate<K, V>): KStream<K, V>
  filter<S extends V>(name: string, predicate: Guard<K, V, S>): KStream<K, S>
  filter(name: string, predicate: Predicate<K, V>): KStream<K, V>
  filter(...args: [string | UserFunction, UserFunction?]): KStream<K, V> {
    return this.#add('filter', args, (predicate, parents) => ({ kind: 'filter', parents, predicate, negate: false }))
  }

  /**
   * Keeps the records for which the predicate does not hold.
   * @example orders.filterNot(order => order.cancelled)
   */
  filterNot<S extends V>(predicate: Guard<K, V, S>): KStream<K, Exclude<V, S>>
  filterNot(predicate: Predicate<K, V>): KStream<K, V>
  filterNot<S extends V>(name: string, predicate: Guard<K, V, S>): KStream<K, Exclude<V, S>>
  filterNot(name: string, predicate: Predicate<K, V>): KStream<K, V>
  filterNot(...args: [string | UserFunction, UserFunction?]): KStream<K, V> {
    return this.#add('filterNot', args, (predicate, parents) => ({ kind: 'filter', parents, predicate, negate: true }))
  }

  /**
   * One record for one, with a new key and value. A later grouping, join or table goes through a repartition topic;
   * where the key stays, `mapValues` saves that.
   * @example payments.map(payment => [payment.orderId, payment.amount])
   */
  map<K2, V2>(mapper: (value: V, key: K) => readonly [K2, V2]): KStream<K2, V2>
  map<K2, V2>(name: string, mapper: (value: V, key: K) => readonly [K2, V2]): KStream<K2, V2>
  map<K2, V2>(...args: [string | UserFunction, UserFunction?]): KStream<K2, V2> {
    return this.#add('map', args, (mapper, parents) => ({ kind: 'map', parents, mapper }))
  }

  /**
   * One record for one, with a new value under the same key.
   * @example orders.mapValues(order => order.amount)
   */
  mapValues<V2>(mapper: (value: V, key: K) => V2): KStream<K, V2>
  mapValues<V2>(name: string, mapper: (value: V, key: K) => V2): KStream<K, V2>
  mapValues<V2>(...args: [string | UserFunction, UserFunction?]): KStream<K, V2> {
    return this.#add('mapValues', args, (mapper, parents) => ({ kind: 'map-values', parents, mapper }))
  }

  /**
   * One record for one, with a value that comes from a promise, under the same key. Calls run side by side, results leave in the order
   * of their records, and a commit waits for the calls under way: exactly once holds for the results. A call itself may be made again
   * after a crash.
   * @param mapper its third argument has a `signal` that is aborted when nobody waits for the call any more.
   * @example orders.mapAsync('with-rate', async (order) => ({ ...order, rate: await rates.of(order.currency) }), { concurrency: 20 })
   * @throws StreamError INVALID_TOPOLOGY for a missing or taken name, a concurrency or timeout that is none.
   */
  mapAsync<V2>(
    name: string,
    mapper: (value: V, key: K, call: { readonly signal: AbortSignal }) => Promise<V2>,
    options?: MapAsyncOptions,
  ): KStream<K, V2> {
    return new KStream(mapAsync(this.#state, name, mapper, options))
  }

  /**
   * Any number of records for one, each with its own key and value.
   * @example orders.flatMap(order => order.items.map(item => [item.sku, item.quantity] as const))
   */
  flatMap<K2, V2>(mapper: (value: V, key: K) => Iterable<readonly [K2, V2]>): KStream<K2, V2>
  flatMap<K2, V2>(name: string, mapper: (value: V, key: K) => Iterable<readonly [K2, V2]>): KStream<K2, V2>
  flatMap<K2, V2>(...args: [string | UserFunction, UserFunction?]): KStream<K2, V2> {
    return this.#add('flatMap', args, (mapper, parents) => ({ kind: 'flat-map', parents, mapper }))
  }

  /**
   * Any number of records for one, all under its key.
   * @example lines.flatMapValues(line => line.split(' '))
   */
  flatMapValues<V2>(mapper: (value: V, key: K) => Several<V2>): KStream<K, V2>
  flatMapValues<V2>(name: string, mapper: (value: V, key: K) => Several<V2>): KStream<K, V2>
  flatMapValues<V2>(...args: [string | UserFunction, UserFunction?]): KStream<K, V2> {
    return this.#add('flatMapValues', args, (mapper, parents) => ({ kind: 'flat-map-values', parents, mapper }))
  }

  /**
   * Another key for the same value. A later grouping, join or table goes through a repartition topic.
   * @example orders.selectKey(order => order.customerId)
   */
  selectKey<K2>(selector: (value: V, key: K) => K2): KStream<K2, V>
  selectKey<K2>(name: string, selector: (value: V, key: K) => K2): KStream<K2, V>
  selectKey<K2>(...args: [string | UserFunction, UserFunction?]): KStream<K2, V> {
    return this.#add('selectKey', args, (mapper, parents) => ({ kind: 'select-key', parents, mapper }))
  }

  /**
   * Looks at each record as it passes. What the action does is not undone when a transaction is.
   * @example orders.peek((order, id) => log.debug(id, order))
   */
  peek(action: (value: V, key: K) => void): KStream<K, V>
  peek(name: string, action: (value: V, key: K) => void): KStream<K, V>
  peek(...args: [string | UserFunction, UserFunction?]): KStream<K, V> {
    return this.#add('peek', args, (action, parents) => ({ kind: 'peek', parents, action }))
  }

  /**
   * Ends the stream in an action. What it does is not undone when a transaction is: a record may be seen twice.
   * @example alerts.foreach(alert => pager.notify(alert))
   */
  foreach(action: (value: V, key: K) => void): void
  foreach(name: string, action: (value: V, key: K) => void): void
  foreach(...args: [string | UserFunction, UserFunction?]): void {
    this.#add('foreach', args, (action, parents) => ({ kind: 'foreach', parents, action }))
  }

  /**
   * The records of both streams. Nothing is promised of their order among each other.
   * @example web.merge(mobile)
   */
  merge<K2, V2>(other: KStream<K2, V2> & SameKey<K, K2>): KStream<K, V | V2>
  merge<K2, V2>(name: string, other: KStream<K2, V2> & SameKey<K, K2>): KStream<K, V | V2>
  merge<V2>(...args: [string | KStream<unknown, unknown>, KStream<unknown, unknown>?]): KStream<K, V | V2> {
    const [name, other] = typeof args[0] === 'string' ? args : [undefined, args[0]]
    if (!(other instanceof KStream)) throw notA('stream', 'merge', this.#state)
    return new KStream(merge([this.#state, other.#state], name))
  }

  /**
   * Sends each record to the first branch whose predicate holds, and drops it when none does.
   * @example
   * const { large, rest } = orders.split({ large: order => order.amount > 100, rest: otherwise })
   */
  split<const B extends Branches<K, V>>(branches: B): Split<K, V, B>
  split<const B extends Branches<K, V>>(name: string, branches: B): Split<K, V, B>
  split<const B extends Branches<K, V>>(...args: [string | B, B?]): Split<K, V, B> {
    const [name, branches] = typeof args[0] === 'string' ? [args[0], args[1]] : [undefined, args[0]]
    const states = split(this.#state, name, branches ?? {})
    return Object.fromEntries(Object.entries(states).map(([branch, state]) => [branch, new KStream(state)])) as Split<
      K,
      V,
      B
    >
  }

  /**
   * Passes on the first record of each key, or with `by` of each id within a key, and drops those that are less than a period of event
   * time away from one that was passed on; they are counted as `duplicate`. A record without a key or id is passed on. After a
   * change of key it goes through a repartition topic of that name.
   * @example payments.dedupe('payments-once', { by: payment => payment.id, within: '1h' })
   * @throws StreamError INVALID_TOPOLOGY for a missing or taken name, no period, a serde that is not known.
   */
  dedupe<K2 = K, V2 = V>(
    name: string,
    options: DedupeOptions<K, V, SerdeFor<K, K2>, SerdeFor<V, V2>>,
  ): KStream<ReadBack<K2, K>, ReadBack<V2, V>> {
    return new KStream(dedupe(this.#state, name, options))
  }

  /**
   * Parts the records of each key, or with `by` of each id within a key, into those within a limit and those over it: in any span of
   * event time `[t, t + per)` at most `limit` records are within, however out of order they come (a sliding-window log). A record
   * without a key or id is within. What is over and nobody reads is counted as `over-limit`. After a change of key it goes
   * through a repartition topic of that name.
   * @example
   * const { within, over } = requests.rateLimit('requests-per-client', { limit: 100, per: '1m' })
   * over.to(rejected)
   * @throws StreamError INVALID_TOPOLOGY for a missing or taken name, no limit or period, a serde that is not known.
   */
  rateLimit<K2 = K, V2 = V>(
    name: string,
    options: RateLimitOptions<K, V, SerdeFor<K, K2>, SerdeFor<V, V2>>,
  ): {
    readonly within: KStream<ReadBack<K2, K>, ReadBack<V2, V>>
    readonly over: KStream<ReadBack<K2, K>, ReadBack<V2, V>>
  } {
    const { within, over } = rateLimit(this.#state, name, options)
    return { within: new KStream(within), over: new KStream(over) }
  }

  /**
   * Groups by the key as it is. After a change of key this goes through a repartition topic, which takes the given name, else
   * that of the aggregate's store; then both serdes must be given where the stream no longer knows them.
   * @example payments.groupByKey().count('payments-per-order')
   * @example orders.selectKey(o => o.customerId).groupByKey({ key: string }).count('orders-per-customer')
   * @throws StreamError INVALID_TOPOLOGY when a serde is not known.
   */
  groupByKey<K2 = K, V2 = V>(
    options?: GroupOptions<SerdeFor<K, K2>, SerdeFor<V, V2>>,
  ): KGroupedStream<ReadBack<K2, K>, ReadBack<V2, V>> {
    return new KGroupedStream(groupByKey(this.#state, options))
  }

  /**
   * Groups by a new key, through the repartition topic `<app>-<name>-repartition`.
   * @param serdes `value` is needed where the value was changed since the topic.
   * @example words.groupBy('by-word', word => word, { key: string, value: string }).count('word-counts')
   * @throws StreamError INVALID_TOPOLOGY when the value serde is not known.
   */
  groupBy<K2, V2 = V>(
    name: string,
    selector: (value: V, key: K) => NoInfer<K2>,
    serdes: { readonly key: Serde<K2>; readonly value?: SerdeFor<V, V2> },
  ): KGroupedStream<K2, ReadBack<V2, V>> {
    return new KGroupedStream(groupBy(this.#state, name, selector, serdes))
  }

  /**
   * Sends the stream through the topic `<app>-<name>-repartition`.
   * @param options serdes where the stream no longer knows them, and a fixed number of partitions; default as many as the
   * largest topic upstream has, or as a join demands.
   * @example orders.selectKey(o => o.customerId).repartition('by-customer', { key: string, partitions: 12 })
   * @throws StreamError INVALID_TOPOLOGY when a serde is not known.
   */
  repartition<K2 = K, V2 = V>(
    name: string,
    options?: RepartitionOptions<SerdeFor<K, K2>, SerdeFor<V, V2>, Partitioner<K, V>>,
  ): KStream<ReadBack<K2, K>, ReadBack<V2, V>> {
    const call = `${this.#state.graph.nameOf(this.#state.node)}.repartition`
    return new KStream(repartition(this.#state, name, options, call, `repartition('${name}', { ... })`, callSite()))
  }

  /**
   * The table of each key's last value, in the store of that name; a null value deletes the row.
   * @example profiles.toTable('profiles')
   * @example rates.toTable('rates', { history: '1h' })
   * @throws StreamError INVALID_TOPOLOGY when a serde is not known.
   */
  toTable<K2 = K, V2 = V>(
    name: string,
    options?: ToTableOptions<SerdeFor<K, K2>, SerdeFor<V, V2>>,
  ): KTable<ReadBack<K2, K>, ReadBack<V2, V> | null> {
    return new KTable(toTable(this.#state, name, options))
  }

  /**
   * Joins each record with the records of the other stream that have its key and a timestamp within the windows, whichever of them comes
   * first; a result carries the later timestamp. Late records (window end + grace < stream time) are dropped.
   * @param options `name` names the stores, and the repartition topics of sides whose key was changed.
   * @example
   * orders.join(payments, (order, payment) => ({ ...order, paid: payment.amount }), Windows.join('1h', { grace: '5m' }), {
   *   name: 'paid-orders',
   * })
   * @throws StreamError INVALID_TOPOLOGY when the name or a serde is missing.
   */
  join<KO, VO, R, KR extends K = K, VR extends V = V, OR extends VO = VO>(
    other: KStream<KO, VO> & SameKey<K, KO>,
    joiner: (value: Present<V>, otherValue: Present<VO>, key: K) => R,
    windows: JoinWindows,
    options: StreamJoinOptions<SerdeFor<K, KR>, SerdeFor<V, VR>, SerdeFor<VO, OR>>,
  ): KStream<K, R>
  /**
   * Adds to each record what the table holds under its key at that moment, a versioned table what it held at the record's time;
   * a record without a row is dropped. Updates of the table emit nothing.
   * @param options `name` is required after a change of key: it names the repartition topic.
   * @example orders.join(customers, (order, customer) => ({ ...order, tier: customer.tier }))
   * @example orders.join(rates, (order, rate) => order.amount * rate, { name: 'in-euro', grace: '10s' })
   * @throws StreamError INVALID_TOPOLOGY when the name or a serde is missing.
   */
  join<KT, VT, R, KR extends K = K, VR extends V = V>(
    table: KTable<KT, VT> & SameKey<K, KT>,
    joiner: (value: V, tableValue: Present<VT>, key: K) => R,
    options?: StreamTableJoinOptions<SerdeFor<K, KR>, SerdeFor<V, VR>>,
  ): KStream<K, R>
  /**
   * Adds to each record what a global table holds under the key that the selector gives at that moment; a record without a row, or for
   * which the selector gives null, is dropped. Nothing is repartitioned; updates of the table emit nothing.
   * @example orders.join(countries, (order) => order.country, (order, country) => ({ ...order, vat: country.vat }))
   * @throws StreamError INVALID_TOPOLOGY when the selector or the joiner is no function.
   */
  join<KG, VG, R>(
    table: GlobalKTable<KG, VG>,
    selector: (value: V, key: K) => NoInfer<KG> | null,
    joiner: (value: V, tableValue: Present<VG>, key: K) => R,
    options?: GlobalJoinOptions,
  ): KStream<K, R>
  join(other: unknown, joiner: UserFunction, ...rest: JoinRest): KStream<K, never> {
    return this.#join('join', other, joiner, rest)
  }

  /**
   * As `join` of two streams, but a record that nothing matches by the time its window closes (end + grace < stream time) is given out
   * with null for the other stream's value. That is final: it matches nothing that comes later. A record without a key matches nothing
   * and is given out at once.
   * @example
   * orders.leftJoin(payments, (order, payment) => ({ ...order, paid: payment !== null }), Windows.join('1h', { grace: '5m' }), {
   *   name: 'orders-with-payment',
   * })
   * @throws StreamError INVALID_TOPOLOGY when the name or a serde is missing.
   */
  leftJoin<KO, VO, R, KR extends K = K, VR extends V = V, OR extends VO = VO>(
    other: KStream<KO, VO> & SameKey<K, KO>,
    joiner: (value: Present<V>, otherValue: Present<VO> | null, key: K) => R,
    windows: JoinWindows,
    options: StreamJoinOptions<SerdeFor<K, KR>, SerdeFor<V, VR>, SerdeFor<VO, OR>>,
  ): KStream<K, R>
  /**
   * As `join`, but a record without a row passes on with null for the table's value.
   * @example orders.leftJoin(customers, (order, customer) => ({ ...order, tier: customer?.tier ?? 'unknown' }))
   * @throws StreamError INVALID_TOPOLOGY when the name or a serde is missing.
   */
  leftJoin<KT, VT, R, KR extends K = K, VR extends V = V>(
    table: KTable<KT, VT> & SameKey<K, KT>,
    joiner: (value: V, tableValue: VT | null, key: K) => R,
    options?: StreamTableJoinOptions<SerdeFor<K, KR>, SerdeFor<V, VR>>,
  ): KStream<K, R>
  /**
   * As `join` with a global table, but a record without a row, or without a key to look up, passes on with null for the table's value.
   * @example orders.leftJoin(countries, (order) => order.country, (order, country) => ({ ...order, vat: country?.vat ?? 0 }))
   * @throws StreamError INVALID_TOPOLOGY when the selector or the joiner is no function.
   */
  leftJoin<KG, VG, R>(
    table: GlobalKTable<KG, VG>,
    selector: (value: V, key: K) => NoInfer<KG> | null,
    joiner: (value: V, tableValue: VG | null, key: K) => R,
    options?: GlobalJoinOptions,
  ): KStream<K, R>
  leftJoin(other: unknown, joiner: UserFunction, ...rest: JoinRest): KStream<K, never> {
    return this.#join('leftJoin', other, joiner, rest)
  }

  /**
   * As `leftJoin` of two streams, for the records of both: one that nothing matches is given out with null for the other's value.
   * @example
   * sent.outerJoin(received, (s, r) => ({ sent: s?.at ?? null, received: r?.at ?? null }), Windows.join('10m', { grace: '1m' }), {
   *   name: 'deliveries',
   * })
   * @throws StreamError INVALID_TOPOLOGY when the name or a serde is missing.
   */
  outerJoin<KO, VO, R, KR extends K = K, VR extends V = V, OR extends VO = VO>(
    other: KStream<KO, VO> & SameKey<K, KO>,
    joiner: (value: Present<V> | null, otherValue: Present<VO> | null, key: K) => R,
    windows: JoinWindows,
    options: StreamJoinOptions<SerdeFor<K, KR>, SerdeFor<V, VR>, SerdeFor<VO, OR>>,
  ): KStream<K, R> {
    if (!(other instanceof KStream)) throw notA('stream', 'outerJoin', this.#state)
    return new KStream(joinStreams(this.#state, other.#state, 'outerJoin', joiner, windows, options))
  }

  /**
   * A processor of your own: a function that is given each record, with stores, tables to read and punctuators, and that forwards
   * what it likes (Kafka Streams: Processor). The key counts as changed after it.
   * @param name display name, and base of the names of its stores: `<name>-<key in stores>`.
   * @example
   * payments.process('attempts', {
   *   stores: { tries: store({ key: string, value: json<number>() }) },
   *   out: { key: string, value: json<number>() },
   *   on({ key, value }, context) {
   *     const tries = (context.stores.tries.get(value.orderId) ?? 0) + 1
   *     context.stores.tries.put(value.orderId, tries)
   *     if (tries === 3) context.forward(key, tries)
   *   },
   * })
   * @throws StreamError INVALID_TOPOLOGY for a missing or taken name, a store or punctuator that is none.
   */
  process<K2 = never, V2 = never, S extends Stores = Empty, T extends Tables = Empty>(
    name: string,
    options: ProcessorOptions<K, V, K2, V2, S, T>,
  ): KStream<K2, V2> {
    return new KStream(process(this.#state, name, this.#processor(options), false))
  }

  /**
   * As `process`, but what is forwarded keeps the key of its record, so that no repartition topic is needed afterwards
   * (Kafka Streams: FixedKeyProcessor).
   * @example
   * readings.processValues('changes', {
   *   stores: { last: store({ key: string, value: double }) },
   *   out: { value: double },
   *   on({ key, value }, { stores, forward }) {
   *     if (stores.last.get(key) !== value) forward(value)
   *     stores.last.put(key, value)
   *   },
   * })
   * @throws StreamError INVALID_TOPOLOGY as `process`.
   */
  processValues<V2 = never, S extends Stores = Empty, T extends Tables = Empty>(
    name: string,
    options: FixedKeyProcessorOptions<K, V, V2, S, T>,
  ): KStream<K, V2> {
    return new KStream(process(this.#state, name, this.#processor(options), true))
  }

  /**
   * Writes the stream to a topic. A null value is written as a tombstone.
   * @example totals.to(topic('totals', { key: string, value: json<Total>() }))
   * @example orders.to(byCountry, { partitioner: (id, order, partitions) => order.country % partitions })
   */
  to(topic: Sink<K, Present<V>>, options?: ToOptions<K, V>): void
  /**
   * Writes each record to the topic that a function chooses among those given (Kafka Streams: TopicNameExtractor).
   * @example orders.to((order) => (order.amount > 100 ? large : small), { among: [large, small] })
   * @throws StreamError INVALID_TOPOLOGY when no topics are given.
   */
  to<const T extends readonly Sink<K, Present<V>>[]>(
    chooser: (value: V, key: K, context: RecordContext) => NoInfer<T[number]>,
    options: ToOneOfOptions<K, V, T>,
  ): void
  to(target: AnySink | UserFunction, options?: SinkArguments): void {
    sink(this.#state, target, options)
  }

  /**
   * Ends the stream in lines on stderr, `[label]: key, value`, for a look while a topology is being made (Kafka Streams: Printed). What is
   * printed is not taken back when a transaction is.
   * @example orders.print({ label: 'orders', limit: 10 })
   */
  print(options?: PrintOptions): void {
    print(this.#state, options)
  }

  #processor(options: {
    readonly stores?: Stores
    readonly tables?: Tables
    readonly out?: { readonly key?: AnySerde; readonly value: AnySerde }
    readonly on: unknown
    readonly punctuators?: ProcessArguments['punctuators']
  }): ProcessArguments {
    const { stores, tables, out, on, punctuators } = options ?? {}
    const read = Object.entries(tables ?? {}).map(([key, table]) => [key, this.#table(table, `tables.${key}`)])
    return { stores, tables: Object.fromEntries(read), out, on, punctuators }
  }

  #join(
    method: 'join' | 'leftJoin',
    other: unknown,
    joiner: UserFunction,
    [first, second]: JoinRest,
  ): KStream<K, never> {
    if (other instanceof KStream) {
      return new KStream(joinStreams(this.#state, other.#state, method, joiner, first as JoinWindows, second))
    }
    if (other instanceof GlobalKTable) {
      const [selector, table] = [joiner, GlobalKTable.stateOf(other)]
      const join = first as UserFunction
      return new KStream(joinGlobalTable(this.#state, table, method === 'leftJoin', selector, join, second))
    }
    return new KStream(
      joinTable(this.#state, this.#table(other, method), method === 'leftJoin', joiner, first as JoinArguments),
    )
  }

  #table(table: unknown, method: string): TableState {
    if (!(table instanceof KTable)) throw notA('table', method, this.#state)
    return KTable.stateOf(table)
  }

  #add<K2, V2>(
    method: string,
    args: [string | UserFunction, UserFunction?],
    body: (fn: UserFunction, parents: readonly number[]) => NodeBody,
  ): KStream<K2, V2> {
    return new KStream(stateless(this.#state, method, args, body))
  }
}

/** What `split` gives: a stream per branch, narrowed where its predicate is a type guard. */
export type Split<K, V, B> = {
  // biome-ignore lint/suspicious/noExplicitAny: the guard's parameters are those of the stream; only what it narrows to counts.
  readonly [N in keyof B]: KStream<K, B[N] extends (value: any, key: any) => value is infer S ? S : V>
}
