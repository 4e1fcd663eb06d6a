/** Tables: an operator for each method of Kafka Streams' KTable. */

import type { UserFunction } from '../stateless.ts'
import type { TableState } from '../stream-state.ts'
import { derived, toStream } from '../tables.ts'
import type { Guard, Predicate, Present } from '../types.ts'
import { KStream } from './kstream.ts'

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
   * Every update of the table as a record.
   * @example counts.toStream().to(topic('counts', { key: string, value: int64 }))
   */
  toStream(name?: string): KStream<K, V> {
    return new KStream(toStream(this.#state, name))
  }
}
