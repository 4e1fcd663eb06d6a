/** Several grouped streams, to be folded into one table or cut into windows. */

import type { Storage } from '../../common/storage.ts'
import type { Duration } from '../../common/time.ts'
import type { SessionWindows, SlidingWindows, TimeWindows, Windowed } from '../../common/windows.ts'
import type { AnySerde } from '../../serde/serde.ts'
import { type Cogrouping, cogroup, cogrouped, nobodysAggregator } from '../cogrouping.ts'
import { type Fold, fold, requireWindows } from '../grouping.ts'
import type { Ended, SameKey } from '../types.ts'
import { KGroupedStream } from './grouped.ts'
import { KTable } from './ktable.ts'
import type { CogroupOptions, SessionCogroupOptions, Ttl } from './options.ts'

/** Grouped streams whose records are to be folded by key into one table, by an aggregator each. */
export class CogroupedKStream<out K, in out A> {
  readonly #inputs: Cogrouping

  constructor(inputs: Cogrouping) {
    this.#inputs = inputs
  }

  /**
   * One more grouped stream, with the aggregator for its records. The topics of all must have the same number of partitions.
   * @example
   * orders
   *   .groupByKey()
   *   .cogroup<Customer>((customer, order) => ({ ...customer, spent: customer.spent + order.amount }))
   *   .cogroup(visits.groupByKey(), (customer, visit) => ({ ...customer, lastPage: visit.page }))
   * @throws StreamError INVALID_TOPOLOGY when the keys are written in another format, or the grouped stream is there already.
   */
  cogroup<KG, V>(
    grouped: KGroupedStream<KG, V> & SameKey<K, KG>,
    add: (aggregate: A, value: V, key: K) => A,
  ): CogroupedKStream<K, A> {
    return new CogroupedKStream(cogroup(this.#inputs, KGroupedStream.groupingOf(grouped), add))
  }

  /**
   * The table of all of them, in one store: a record changes its key's aggregate by the aggregator of its stream.
   * @example
   * cogrouped.aggregate('customers', { init: () => ({ spent: 0, lastPage: '' }), serde: json<Customer>() })
   * @throws StreamError INVALID_TOPOLOGY when the store's name is taken.
   */
  aggregate<T extends Duration | undefined = undefined>(
    name: string,
    options: CogroupOptions<A> & Ttl<T>,
  ): KTable<K, A | Ended<T>> {
    return new KTable(fold(cogrouped(this.#inputs), undefined, 'aggregate', name, folded(options)))
  }

  /**
   * Folds per key and window of event time.
   * @example cogrouped.windowedBy(Windows.tumbling('1h', { grace: '5m' })).aggregate('hourly', { init, serde: json })
   */
  windowedBy(windows: TimeWindows | SlidingWindows): TimeWindowedCogroupedKStream<K, A>
  /**
   * Folds per key and session.
   * @example cogrouped.windowedBy(Windows.session('30m', { grace: '1m' })).aggregate('visits', { init, merge, serde: json })
   */
  windowedBy(windows: SessionWindows): SessionWindowedCogroupedKStream<K, A>
  windowedBy(
    windows: TimeWindows | SlidingWindows | SessionWindows,
  ): TimeWindowedCogroupedKStream<K, A> | SessionWindowedCogroupedKStream<K, A> {
    const given = requireWindows(windows)
    return given.kind === 'session'
      ? new SessionWindowedCogroupedKStream(this.#inputs, given)
      : new TimeWindowedCogroupedKStream(this.#inputs, given)
  }
}

/** Cogrouped streams cut into windows of event time. */
export class TimeWindowedCogroupedKStream<out K, in out A> {
  readonly #inputs: Cogrouping
  readonly #windows: TimeWindows | SlidingWindows

  constructor(inputs: Cogrouping, windows: TimeWindows | SlidingWindows) {
    this.#inputs = inputs
    this.#windows = windows
  }

  /**
   * The table of all streams, per key and window. Its stream time is that of all of them: a record that is late for the table is dropped,
   * whichever stream it comes from.
   * @example
   * cogrouped.windowedBy(hourly).aggregate('hourly', { init: () => ({ orders: 0, visits: 0 }), serde: json })
   * @throws StreamError INVALID_TOPOLOGY when the store's name is taken.
   */
  aggregate(name: string, options: CogroupOptions<A>): KTable<Windowed<K>, A> {
    return new KTable(fold(cogrouped(this.#inputs), this.#windows, 'aggregate', name, folded(options)))
  }
}

/** Cogrouped streams cut into sessions. */
export class SessionWindowedCogroupedKStream<out K, in out A> {
  readonly #inputs: Cogrouping
  readonly #windows: SessionWindows

  constructor(inputs: Cogrouping, windows: SessionWindows) {
    this.#inputs = inputs
    this.#windows = windows
  }

  /**
   * The table of all streams, per key and session; records of any of them continue a session. Its stream time is that of all of them.
   * @example
   * cogrouped.windowedBy(visits).aggregate('per-visit', {
   *   init: () => [],
   *   merge: (pages, others) => [...pages, ...others],
   *   serde: json<string[]>(),
   * })
   * @throws StreamError INVALID_TOPOLOGY when the store's name is taken.
   */
  aggregate(name: string, options: SessionCogroupOptions<K, A>): KTable<Windowed<K>, A | null> {
    const given = { ...folded(options), merger: options?.merge }
    return new KTable(fold(cogrouped(this.#inputs), this.#windows, 'aggregate', name, given))
  }
}

function folded(options: {
  readonly init: () => unknown
  readonly serde: AnySerde
  readonly ttl?: Duration | undefined
  readonly storage?: Storage | undefined
}): Fold {
  const { init: initializer, serde: value, ttl, storage } = options ?? {}
  return { initializer, aggregator: nobodysAggregator, merger: undefined, value, ttl, storage }
}
