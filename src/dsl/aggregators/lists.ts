/** Aggregators that keep values: one, some, or the greatest. */

import { StreamError } from '../../common/errors.ts'
import { json } from '../../serde/json.ts'
import type { Serde } from '../../serde/serde.ts'
import { checked, fromFirst, type ReadyAggregator } from './ready.ts'

/**
 * The value that came first; `of` says what of it is kept. It is the order of arrival that counts, not that of timestamps; of sessions that become
 * one the earlier one's.
 * @param serde default `json`.
 * @example clicks.groupByKey().windowedBy(visits).aggregate('landing-page', first(click => click.page, string))
 */
export function first<V, T>(of: (value: V) => T, serde: Serde<T> = json): ReadyAggregator<V, T> {
  return fromFirst(
    of,
    (kept) => kept,
    (kept) => kept,
    serde,
  )
}

/**
 * The value that came last, as `first`; of sessions that become one the later one's.
 * @example clicks.groupByKey().windowedBy(visits).aggregate('exit-page', last(click => click.page, string))
 */
export function last<V, T>(of: (value: V) => T, serde: Serde<T> = json): ReadyAggregator<V, T> {
  return fromFirst(
    of,
    (_, value) => of(value),
    (_, other) => other,
    serde,
  )
}

export interface CollectOptions<T> {
  /** Most values that are kept. A row is written whole whenever it changes, so it must stay small. */
  readonly max: number
  /** Which are kept when there are more. Default `last`. */
  readonly keep?: 'first' | 'last'
  /** Default `json`. */
  readonly serde?: Serde<readonly T[]>
}

/**
 * The values in the order of their arrival, `max` at most; of sessions that become one the earlier one's come first. A key without
 * records has no row.
 * @example orders.groupByKey().aggregate('last-orders', collect(order => order.id, { max: 10 }))
 * @throws StreamError INVALID_ARGUMENT for a max that is no whole number above 0.
 */
export function collect<V, T>(of: (value: V) => T, options: CollectOptions<T>): ReadyAggregator<V, readonly T[]> {
  const { max, keep = 'last', serde = json } = options ?? {}
  const most = limitOf(max, 'collect', 'max')
  const bounded = (list: readonly T[]): readonly T[] =>
    list.length <= most ? list : keep === 'first' ? list.slice(0, most) : list.slice(-most)
  return Object.freeze({
    init: () => [],
    add: (list: readonly T[], value: V) =>
      keep === 'first' && list.length >= most ? list : bounded([...list, of(value)]),
    merge: (list: readonly T[], other: readonly T[]) => bounded([...list, ...other]),
    serde,
  })
}

/**
 * The `k` values with the greatest score, greatest first; of equal scores the one that came first (of sessions that become one, the earlier one's).
 * `by` must give a value the same score whenever it is asked. A score that is NaN is the least of all; what is no number fails the record with PROCESSING.
 * @param serde default `json`.
 * @example orders.groupByKey().aggregate('largest-orders', topK(3, order => order.amount))
 * @throws StreamError INVALID_ARGUMENT for a k that is no whole number above 0.
 */
export function topK<V>(
  k: number,
  by: (value: V) => number,
  serde: Serde<readonly V[]> = json,
): ReadyAggregator<V, readonly V[]> {
  const most = limitOf(k, 'topK', 'k')
  const scoreOf = (value: V): number => {
    const score = checked(by(value), 'number', 'topK')
    return Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score
  }
  const add = (list: readonly V[], value: V): readonly V[] => {
    const score = scoreOf(value)
    let at = list.length
    while (at > 0 && scoreOf(list[at - 1] as V) < score) at--
    return at >= most ? list : [...list.slice(0, at), value, ...list.slice(at, most - 1)]
  }
  return Object.freeze({
    init: () => [],
    add,
    merge: (list: readonly V[], other: readonly V[]) => other.reduce(add, list),
    serde,
  })
}

function limitOf(given: unknown, by: string, name: string): number {
  if (Number.isSafeInteger(given) && (given as number) > 0) return given as number
  throw new StreamError('INVALID_ARGUMENT', `${by}: ${name} is ${String(given)}`, {
    hint: `Give ${name} a whole number above 0.`,
  })
}
