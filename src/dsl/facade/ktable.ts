/** Tables: an operator for each method of Kafka Streams' KTable. */

import type { AnySerde } from '../../serde/serde.ts'
import type { UserFunction } from '../stateless.ts'
import type { TableState } from '../stream-state.ts'
import { suppress } from '../suppress.ts'
import type { UntilTimeLimit, UntilWindowCloses } from '../suppressed.ts'
import { derived, toStream } from '../tables.ts'
import type { Guard, OfWindows, Predicate, Present, SerdeFor } from '../types.ts'
import { KStream } from './kstream.ts'
import type { SuppressOptions } from './options.ts'

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
   * @throws StreamError INVALID_TOPOLOGY when the value serde is not known, or no window is upstream that could close.
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
   * Every update of the table as a record.
   * @example counts.toStream().to(topic('counts', { key: string, value: int64 }))
   */
  toStream(name?: string): KStream<K, V> {
    return new KStream(toStream(this.#state, name))
  }
}
