/** Grouped tables: what `KTable.groupBy` gives, to be folded into a table. */

import { countSerde } from '../grouping.ts'
import { foldTable, type TableGrouping } from '../table-grouping.ts'
import type { Present, SerdeFor } from '../types.ts'
import { KTable } from './ktable.ts'
import type { ReduceOptions, StoreOptions, TableAggregateOptions } from './options.ts'

/**
 * A table whose rows are to be folded by another key. When a row changes, its old value is taken out of the group it was in, and its
 * new one is put into the group it is in; where that is the same group, it is one step.
 */
export class KGroupedTable<out K, out V> {
  readonly #grouping: TableGrouping

  constructor(grouping: TableGrouping) {
    this.#grouping = grouping
  }

  /**
   * How many rows each group has, in the store of that name; a group that lost its last row stays, with 0.
   * @example customers.groupBy('by-country', (c, id) => [c.country, id], { key: string, value: string }).count('customers-per-country')
   */
  count(name: string, { storage }: StoreOptions = {}): KTable<K, bigint> {
    const aggregator = (count: bigint): bigint => count + 1n
    const subtractor = (count: bigint): bigint => count - 1n
    const initializer = (): bigint => 0n
    return new KTable(
      foldTable(this.#grouping, 'count', name, { initializer, aggregator, subtractor, value: countSerde, storage }),
    )
  }

  /**
   * Folds the values of a group into one of the same type; the first value is the first result.
   * @param subtractor takes a value out again; null deletes the row.
   * @example balances.groupBy('by-branch', (b) => [b.branch, b.cents], money).reduce('per-branch', (a, b) => a + b, (a, b) => a - b)
   */
  reduce<VR extends V = V>(
    name: string,
    adder: (reduced: V, value: V, key: K) => V | null,
    subtractor: (reduced: V, value: V, key: K) => V | null,
    { serde, storage }: ReduceOptions<SerdeFor<V, VR>> = {},
  ): KTable<K, V | null> {
    return new KTable(
      foldTable(this.#grouping, 'reduce', name, { aggregator: adder, subtractor, value: serde, storage }),
    )
  }

  /**
   * Folds the values of a group into an aggregate of any type.
   * @example
   * accounts.groupBy('by-bank', (account) => [account.bank, account], { key: string, value: json<Account>() }).aggregate('deposits', {
   *   init: () => ({ accounts: 0, cents: 0 }),
   *   add: (sum, account) => ({ accounts: sum.accounts + 1, cents: sum.cents + account.cents }),
   *   subtract: (sum, account) => ({ accounts: sum.accounts - 1, cents: sum.cents - account.cents }),
   *   serde: json,
   * })
   */
  aggregate<A>(name: string, options: TableAggregateOptions<K, Present<V>, A>): KTable<K, A> {
    const { init, add, subtract, serde, storage } = options ?? {}
    const fold = { initializer: init, aggregator: add, subtractor: subtract, value: serde, storage }
    return new KTable(foldTable(this.#grouping, 'aggregate', name, fold))
  }
}
