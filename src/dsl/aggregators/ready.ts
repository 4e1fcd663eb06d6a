/** What the ready-made aggregators are: the options of `aggregate`, for windows and sessions too. */

import type { Serde } from '../../serde/serde.ts'

export interface ReadyAggregator<in V, A> {
  readonly init: () => A
  readonly add: (aggregate: A, value: V) => A
  /** Of two sessions, the earlier one first. */
  readonly merge: (aggregate: A, other: A) => A
  readonly serde: Serde<A>
}

/** Where there is no aggregate before the first value: the init is null, and no row holds it. */
export function fromFirst<V, A>(
  firstOf: (value: V) => A,
  add: (aggregate: A, value: V) => A,
  merge: (aggregate: A, other: A) => A,
  serde: Serde<A>,
): ReadyAggregator<V, A> {
  return Object.freeze({
    init: () => null as A,
    add: (aggregate: A, value: V) => (aggregate === null ? firstOf(value) : add(aggregate, value)),
    merge: (aggregate: A, other: A) => (aggregate === null ? other : merge(aggregate, other)),
    serde,
  })
}

/** @throws TypeError, which the engine tells with the aggregate's name. */
export function checked<T>(value: T, type: string, by: string): T {
  if (typeof value === type) return value
  throw new TypeError(`${by} was given ${value === null ? 'null' : typeof value}, not a ${type}`)
}
