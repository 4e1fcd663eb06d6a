/** Tables: an operator for each method of Kafka Streams' KTable. */

import type { AnySerde, Serde } from '../../serde/serde.ts'
import { type ForeignKeyJoinArguments, joinByForeignKey } from '../foreign-key-join.ts'
import type { UserFunction } from '../stateless.ts'
import type { TableState } from '../stream-state.ts'
import { suppress } from '../suppress.ts'
import type { UntilTimeLimit, UntilWindowCloses } from '../suppressed.ts'
import { groupTableBy } from '../table-grouping.ts'
import { derived, joinTables, toStream } from '../tables.ts'
import { transformValues } from '../transform-values.ts'
import type { Guard, OfWindows, Predicate, Present, SameKey, SerdeFor, ValueOf } from '../types.ts'
import { KGroupedTable } from './grouped-table.ts'
import { KStream } from './kstream.ts'
import { notA } from './not-a.ts'
import type { ForeignKeyJoinOptions, SuppressOptions, TableJoinOptions } from './options.ts'
import type { Empty, Stores, Tables, TransformValuesOptions } from './processor.ts'

/** By key with a joiner, by a foreign key with an object that has both functions. */
type TableJoinArguments = [other: unknown, by: UserFunction | ForeignKeyJoinArguments, options?: TableJoinOptions]

/** The last value of each key, kept in a store. `null` in `V` says that rows can be deleted. */
export class KTable<out K, out V> {
  readonly #state: TableState

  /** For the builder: a table comes from `b.table(topic, { store })`, `toTable` or an aggregate. */
  constructor(state: TableState) {
    this.#state = state
  }

  /** For the facade alone: what the table stands for. */
  static stateOf(table: KTable<unknown, unknown>): TableState {
    return table.#state
  }

  /**
   * The rows for which the predicate holds; the others count as deleted. A type guard narrows the value.
   * @example customers.filter(customer => customer.active)
   */
  filter<S extends Present<V>>(predicate: Guard<K, Present<V>, S>): KTable<K, S | null>
  filter(predicate: Predicate<K, Present<V>>): KTable<K, V | null>
  filter<S extends Present<V>>(name: string, predicate: Guard<K, Present<V>, S>): KTable<K, S | null>
  filter(name: string, predicate: Predicate<K, Present<V>>): KTable<K, V | null>
  filter(...args: [string | UserFunction, UserFunction?]): KTable<K, V | null> {
    return new KTable(derived(this.#state, 'filter', args))
  }

  /**
   * The rows for which the predicate does not hold; the others count as deleted.
   * @example customers.filterNot(customer => customer.blocked)
   */
  filterNot(predicate: Predicate<K, Present<V>>): KTable<K, V | null>
  filterNot(name: string, predicate: Predicate<K, Present<V>>): KTable<K, V | null>
  filterNot(...args: [string | UserFunction, UserFunction?]): KTable<K, V | null> {
    return new KTable(derived(this.#state, 'filterNot', args))
  }

  /**
   * Another value for each row; a deleted row stays deleted.
   * @example customers.mapValues(customer => customer.tier)
   */
  mapValues<V2>(mapper: (value: Present<V>, key: K) => V2): KTable<K, V2 | Extract<V, null>>
  mapValues<V2>(name: string, mapper: (value: Present<V>, key: K) => V2): KTable<K, V2 | Extract<V, null>>
  mapValues<V2>(...args: [string | UserFunction, UserFunction?]): KTable<K, V2 | Extract<V, null>> {
    return new KTable(derived(this.#state, 'mapValues', args))
  }

  /**
   * Another value for each row, by a function that has stores, tables to read and a context (Kafka Streams: ValueTransformerWithKey). Unlike
   * `mapValues` it is called for deleted rows too, and the results are kept, in the store of that name.
   * @example
   * customers.transformValues('tier-changes', {
   *   stores: { changes: store({ key: string, value: double }) },
   *   serde: json<{ tier: string; changes: number }>(),
   *   transform(customer, id, { stores }) {
   *     const changes = (stores.changes.get(id) ?? -1) + 1
   *     stores.changes.put(id, changes)
   *     return customer === null ? null : { tier: customer.tier, changes }
   *   },
   * })
   * @throws StreamError INVALID_TOPOLOGY when the name, the function or a serde is missing, or a table to read is none of the same topology.
   */
  transformValues<
    RS extends AnySerde,
    R extends ValueOf<RS> | null,
    S extends Stores = Empty,
    T extends Tables = Empty,
  >(name: string, options: TransformValuesOptions<K, V, R, RS, S, T>): KTable<K, R> {
    const { stores, tables, transform, serde, storage, punctuators } = options ?? {}
    const read = Object.entries(tables ?? {}).map(([key, table]) => [key, this.#table(table, `tables.${key}`)])
    const given = { stores, tables: Object.fromEntries(read), transform, serde, storage, punctuators }
    return new KTable(transformValues(this.#state, name, given))
  }

  /**
   * The same table with fewer updates: each key's are held back, in the store of that name, until the window of the key has closed or a
   * time is over, and the last one is passed on, with its timestamp and headers. A join sees a row change when its update is passed on.
   * Time is stream time: it moves with the updates that come here, and survives a restart.
   * @example
   * clicks
   *   .groupByKey()
   *   .windowedBy(Windows.tumbling('1m', { grace: '10s' }))
   *   .count('clicks-per-minute')
   *   .suppress('final-clicks', Suppressed.untilWindowCloses('unbounded'))
   * @example balances.suppress('calm-balances', Suppressed.untilTimeLimit('5s', { maxRecords: 10_000, whenFull: 'emit' }))
   * @throws StreamError INVALID_TOPOLOGY when the value serde is not known, no window is upstream that could close, or the table is versioned.
   */
  suppress<VR extends Present<V> = Present<V>>(
    name: string,
    suppressed: UntilTimeLimit,
    options?: SuppressOptions<SerdeFor<V, VR>>,
  ): KTable<K, V>
  suppress<VR extends Present<V> = Present<V>>(
    name: string,
    suppressed: UntilWindowCloses & OfWindows<K>,
    options?: SuppressOptions<SerdeFor<V, VR>>,
  ): KTable<K, Present<V>>
  suppress(
    name: string,
    suppressed: UntilWindowCloses | UntilTimeLimit,
    options?: SuppressOptions<AnySerde>,
  ): KTable<K, V> {
    return new KTable(suppress(this.#state, name, suppressed, options))
  }

  /**
   * A row for each key that has one in both tables, made anew whenever either changes; the result carries the later of the
   * two timestamps. The joiner gets rows that are there.
   * @example customers.join(addresses, (customer, address) => ({ ...customer, city: address.city }))
   * @throws StreamError INVALID_TOPOLOGY when the other is no table of the same topology.
   */
  join<K2, V2, R>(
    other: KTable<K2, V2> & SameKey<K, K2>,
    joiner: (value: Present<V>, other: Present<V2>, key: K) => R,
    options?: TableJoinOptions,
  ): KTable<K, R | null>
  /**
   * Joins each row with the row of the other table that it refers to (KIP-213). An update of either makes the results anew: of the one
   * row, or of all that refer to it. The result is kept in the store of that name.
   * @example
   * employees.join(departments, {
   *   name: 'employees-with-department',
   *   foreignKey: (employee) => employee.departmentId,
   *   joiner: (employee, department) => ({ ...employee, department: department.name }),
   *   serde: json,
   * })
   * @throws StreamError INVALID_TOPOLOGY when the name or a serde is missing.
   */
  join<
    K2,
    V2,
    S extends AnySerde,
    R extends ValueOf<S> | null,
    VR extends Present<V> = Present<V>,
    OR extends Present<V2> = Present<V2>,
  >(
    other: KTable<K2, V2>,
    by: ForeignKeyJoinOptions<K, Present<V>, NoInfer<K2>, Present<V2>, R, S, SerdeFor<V, VR>, SerdeFor<V2, OR>>,
  ): KTable<K, R | null>
  join(...args: TableJoinArguments): KTable<K, unknown> {
    return this.#join('join', args)
  }

  /**
   * As `join`, but a row without a partner is there too, joined with null.
   * @example customers.leftJoin(addresses, (customer, address) => ({ ...customer, city: address?.city ?? null }))
   * @throws StreamError INVALID_TOPOLOGY when the other is no table of the same topology.
   */
  leftJoin<K2, V2, R>(
    other: KTable<K2, V2> & SameKey<K, K2>,
    joiner: (value: Present<V>, other: Present<V2> | null, key: K) => R,
    options?: TableJoinOptions,
  ): KTable<K, R | null>
  /**
   * As `join` by a foreign key, but a row that refers to no row is there too, joined with null.
   * @example
   * orders.leftJoin(coupons, {
   *   name: 'discounted-orders',
   *   foreignKey: (order) => order.coupon,
   *   joiner: (order, coupon) => order.cents - (coupon?.cents ?? 0),
   *   serde: double,
   * })
   * @throws StreamError INVALID_TOPOLOGY when the name or a serde is missing.
   */
  leftJoin<
    K2,
    V2,
    S extends AnySerde,
    R extends ValueOf<S> | null,
    VR extends Present<V> = Present<V>,
    OR extends Present<V2> = Present<V2>,
  >(
    other: KTable<K2, V2>,
    by: ForeignKeyJoinOptions<K, Present<V>, NoInfer<K2>, Present<V2> | null, R, S, SerdeFor<V, VR>, SerdeFor<V2, OR>>,
  ): KTable<K, R | null>
  leftJoin(...args: TableJoinArguments): KTable<K, unknown> {
    return this.#join('leftJoin', args)
  }

  /**
   * A row for each key that has one in either table; the side without one is null, never both.
   * @example web.outerJoin(shop, (web, shop) => ({ web, shop }))
   * @throws StreamError INVALID_TOPOLOGY when the other is no table of the same topology.
   */
  outerJoin<K2, V2, R>(
    other: KTable<K2, V2> & SameKey<K, K2>,
    joiner: (value: Present<V> | null, other: Present<V2> | null, key: K) => R,
    options?: TableJoinOptions,
  ): KTable<K, R | null> {
    return new KTable(joinTables(this.#state, this.#table(other, 'outerJoin'), 'outerJoin', joiner, options))
  }

  #join(method: 'join' | 'leftJoin', [other, by, options]: TableJoinArguments): KTable<K, unknown> {
    const table = this.#table(other, method)
    if (typeof by === 'object' && by !== null) return new KTable(joinByForeignKey(this.#state, table, method, by))
    return new KTable(joinTables(this.#state, table, method, by, options))
  }

  #table(other: unknown, method: string): TableState {
    if (!(other instanceof KTable)) throw notA('table', method, this.#state)
    return KTable.stateOf(other)
  }

  /**
   * Groups the rows by another key, through the repartition topic `<app>-<name>-repartition`.
   * @param mapper gives the key and the value that a row has in its group; null for either takes it out of all groups.
   * @example customers.groupBy('by-country', (customer, id) => [customer.country, id], { key: string, value: string }).count('per-country')
   * @throws StreamError INVALID_TOPOLOGY when the name or a serde is missing.
   */
  groupBy<K2, V2>(
    name: string,
    mapper: (value: Present<V>, key: K) => readonly [NoInfer<K2> | null, NoInfer<V2> | null],
    serdes: { readonly key: Serde<K2>; readonly value: Serde<V2> },
  ): KGroupedTable<K2, V2> {
    return new KGroupedTable(groupTableBy(this.#state, name, mapper, serdes))
  }

  /**
   * Every update of the table as a record.
   * @example counts.toStream().to(topic('counts', { key: string, value: int64 }))
   */
  toStream(name?: string): KStream<K, V> {
    return new KStream(toStream(this.#state, name))
  }
}
