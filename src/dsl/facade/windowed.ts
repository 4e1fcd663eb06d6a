/** Grouped streams cut into windows or sessions, to be folded into a windowed table. */

import type { SessionWindows, SlidingWindows, TimeWindows, Windowed } from '../../common/windows.ts'
import { fold, type Grouping } from '../grouping.ts'
import type { Present, SerdeFor } from '../types.ts'
import { aggregate, count, reduce } from './folds.ts'
import { KTable } from './ktable.ts'
import type { AggregateOptions, ReduceOptions, SessionAggregateOptions, WindowedOptions } from './options.ts'

/** A grouped stream cut into sessions. A session that a later record joins with others is deleted from the table: its update is null. */
export class SessionWindowedKStream<out K, out V> {
  readonly #grouping: Grouping
  readonly #windows: SessionWindows

  constructor(grouping: Grouping, windows: SessionWindows) {
    this.#grouping = grouping
    this.#windows = windows
  }

  /**
   * How many records each session of a key has had. Late records are dropped and counted as such.
   * @example clicks.groupByKey().windowedBy(Windows.session('30m', { grace: '1m' })).count('clicks-per-visit')
   */
  count(name: string, options: WindowedOptions<K, V> = {}): KTable<Windowed<K>, bigint | null> {
    return new KTable(fold(this.#grouping, this.#windows, 'count', name, count(options)))
  }

  /**
   * Folds the values of a session into one of the same type; sessions that become one are folded by the same function.
   * @example readings.groupByKey().windowedBy(visits).reduce('highest', (a, b) => (a > b ? a : b))
   * @throws StreamError INVALID_TOPOLOGY when the value serde is not known.
   */
  reduce<VR extends V = V>(
    name: string,
    reducer: (reduced: Present<V>, value: V, key: K) => V,
    options: ReduceOptions<SerdeFor<V, VR>> & WindowedOptions<K, V> = {},
  ): KTable<Windowed<K>, V | null> {
    return new KTable(fold(this.#grouping, this.#windows, 'reduce', name, reduce(reducer, options)))
  }

  /**
   * Folds the values of a session into an aggregate of any type.
   * @example
   * clicks.groupByKey().windowedBy(Windows.session('30m', { grace: '1m' })).aggregate('pages-per-visit', {
   *   init: () => [],
   *   add: (pages, click) => [...pages, click.page],
   *   merge: (pages, others) => [...pages, ...others],
   *   serde: json<string[]>(),
   * })
   */
  aggregate<A>(
    name: string,
    options: SessionAggregateOptions<K, V, A> & WindowedOptions<K, V>,
  ): KTable<Windowed<K>, A | null> {
    const given = { ...aggregate(options), merger: options?.merge }
    return new KTable(fold(this.#grouping, this.#windows, 'aggregate', name, given))
  }
}

/** A grouped stream cut into windows of event time. */
export class TimeWindowedKStream<out K, out V> {
  readonly #grouping: Grouping
  readonly #windows: TimeWindows | SlidingWindows

  constructor(grouping: Grouping, windows: TimeWindows | SlidingWindows) {
    this.#grouping = grouping
    this.#windows = windows
  }

  /**
   * How many records each key has had in each window. Late records, past the grace, are dropped and counted as such.
   * @example clicks.groupByKey().windowedBy(Windows.tumbling('1m', { grace: '10s' })).count('clicks-per-minute')
   */
  count(name: string, options: WindowedOptions<K, V> = {}): KTable<Windowed<K>, bigint> {
    return new KTable(fold(this.#grouping, this.#windows, 'count', name, count(options)))
  }

  /**
   * Folds the values of a key in a window into one of the same type.
   * @example readings.groupByKey().windowedBy(hourly).reduce('highest', (a, b) => (a > b ? a : b))
   * @throws StreamError INVALID_TOPOLOGY when the value serde is not known.
   */
  reduce<VR extends V = V>(
    name: string,
    reducer: (reduced: Present<V>, value: V, key: K) => V,
    options: ReduceOptions<SerdeFor<V, VR>> & WindowedOptions<K, V> = {},
  ): KTable<Windowed<K>, V> {
    return new KTable(fold(this.#grouping, this.#windows, 'reduce', name, reduce(reducer, options)))
  }

  /**
   * Folds the values of a key in a window into an aggregate of any type.
   * @example
   * quakes.groupByKey().windowedBy(Windows.hopping('1h', { advance: '5m', grace: '1m' })).aggregate('mean-magnitude', {
   *   init: () => ({ n: 0, sum: 0 }),
   *   add: (total, quake) => ({ n: total.n + 1, sum: total.sum + quake.magnitude }),
   *   serde: json,
   * })
   */
  aggregate<A>(name: string, options: AggregateOptions<K, V, A> & WindowedOptions<K, V>): KTable<Windowed<K>, A> {
    return new KTable(fold(this.#grouping, this.#windows, 'aggregate', name, aggregate(options)))
  }
}
