/** Grouped streams: what `groupByKey` and `groupBy` give, to be folded into a table or cut into windows. */

import type { Duration } from '../../common/time.ts'
import type { SessionWindows, SlidingWindows, TimeWindows } from '../../common/windows.ts'
import { cogroup } from '../cogrouping.ts'
import { fold, type Grouping, requireWindows } from '../grouping.ts'
import type { Ended, Present, SerdeFor } from '../types.ts'
import { CogroupedKStream } from './cogrouped.ts'
import { aggregate, count, reduce } from './folds.ts'
import { KTable } from './ktable.ts'
import type { AggregateOptions, ReduceOptions, StoreOptions, Ttl } from './options.ts'
import { SessionWindowedKStream, TimeWindowedKStream } from './windowed.ts'

/** A stream whose records are to be folded by key into a table. */
export class KGroupedStream<out K, out V> {
  readonly #grouping: Grouping

  constructor(grouping: Grouping) {
    this.#grouping = grouping
  }

  /** For the facade alone: what the grouped stream stands for. */
  static groupingOf(grouped: KGroupedStream<unknown, unknown>): Grouping {
    return grouped.#grouping
  }

  /**
   * How many records each key has had, in the store of that name. Records with a null key or value do not count.
   * @example payments.groupByKey().count('payments-per-order')
   */
  count<T extends Duration | undefined = undefined>(
    name: string,
    options: StoreOptions & Ttl<T> = {},
  ): KTable<K, bigint | Ended<T>> {
    return new KTable(fold(this.#grouping, undefined, 'count', name, count(options)))
  }

  /**
   * Folds the values of a key into one of the same type; the first value is the first result.
   * @example readings.groupByKey().reduce('highest', (highest, reading) => (reading > highest ? reading : highest))
   * @throws StreamError INVALID_TOPOLOGY when the value serde is not known.
   */
  reduce<VR extends V = V, T extends Duration | undefined = undefined>(
    name: string,
    reducer: (reduced: Present<V>, value: Present<V>, key: K) => V,
    options: ReduceOptions<SerdeFor<V, VR>> & Ttl<T> = {},
  ): KTable<K, V | Ended<T>> {
    return new KTable(fold(this.#grouping, undefined, 'reduce', name, reduce(reducer, options)))
  }

  /**
   * Folds the values of a key into an aggregate of any type.
   * @example
   * orders.groupByKey().aggregate('revenue', {
   *   init: () => ({ orders: 0, sum: 0 }),
   *   add: (total, order) => ({ orders: total.orders + 1, sum: total.sum + order.amount }),
   *   serde: json,
   * })
   */
  aggregate<A, T extends Duration | undefined = undefined>(
    name: string,
    options: AggregateOptions<K, Present<V>, A> & Ttl<T>,
  ): KTable<K, A | Ended<T>> {
    return new KTable(fold(this.#grouping, undefined, 'aggregate', name, aggregate(options)))
  }

  /**
   * The first of several grouped streams that are folded into one table, with the aggregator for its records; the type of the table is
   * the aggregator's.
   * @example
   * orders
   *   .groupByKey()
   *   .cogroup<Customer>((customer, order) => ({ ...customer, spent: customer.spent + order.amount }))
   *   .cogroup(visits.groupByKey(), (customer, visit) => ({ ...customer, lastPage: visit.page }))
   *   .aggregate('customers', { init: () => ({ spent: 0, lastPage: '' }), serde: json<Customer>() })
   */
  cogroup<A>(add: (aggregate: A, value: V, key: K) => A): CogroupedKStream<K, A> {
    return new CogroupedKStream(cogroup([], this.#grouping, add))
  }

  /**
   * Folds per key and window of event time.
   * @example orders.groupByKey().windowedBy(Windows.tumbling('1h', { grace: '5m' })).count('orders-per-hour')
   */
  windowedBy(windows: TimeWindows): TimeWindowedKStream<K, V>
  /**
   * Folds per key and set of records that lie no more than the time difference apart. Records with a null value do not count.
   * @example logins.groupByKey().windowedBy(Windows.sliding('10m', { grace: '1m' })).count('logins-within-10m')
   */
  windowedBy(windows: SlidingWindows): TimeWindowedKStream<K, Present<V>>
  /**
   * Folds per key and session: records with no longer silence between them than the gap.
   * @example clicks.groupByKey().windowedBy(Windows.session('30m', { grace: '1m' })).count('clicks-per-visit')
   */
  windowedBy(windows: SessionWindows): SessionWindowedKStream<K, V>
  windowedBy(
    windows: TimeWindows | SlidingWindows | SessionWindows,
  ): TimeWindowedKStream<K, V> | TimeWindowedKStream<K, Present<V>> | SessionWindowedKStream<K, V> {
    const given = requireWindows(windows)
    return given.kind === 'session'
      ? new SessionWindowedKStream(this.#grouping, given)
      : new TimeWindowedKStream(this.#grouping, given)
  }
}
