/** What the aggregates share: how the user's functions make the next aggregate out of the last. */

import type { StreamError } from '../common/errors.ts'
import { guard2, guard3, processingError } from './processor.ts'

export interface Aggregation<K, V, A> {
  /** Aggregate before the first value of a key; without it the first value is the aggregate (reduce). */
  readonly initializer?: (() => A) | undefined
  /** The next aggregate; null deletes the row. */
  readonly aggregator: (aggregate: A, value: V, key: K) => A | null
}

/** `(previous, value, key) => next`, where null stands for no row. */
export function aggregation<K, V, A>(
  node: string,
  args: Aggregation<K, V, A>,
): (previous: A | null, value: V, key: K) => A | null {
  const { initializer } = args
  const aggregator = guard3(node, args.aggregator)
  const first =
    initializer === undefined
      ? // Reduce: values and aggregates are of one type.
        (value: V): A | null => value as unknown as A | null
      : startingWith(node, initializer, aggregator)
  return (previous, value, key) => {
    const result = previous === null ? first(value, key) : aggregator(previous, value, key)
    if (result === undefined || result instanceof Promise) throw noAggregate(node, result)
    return result
  }
}

function startingWith<K, V, A>(
  node: string,
  initializer: () => A,
  aggregator: (aggregate: A, value: V, key: K) => A | null,
): (value: V, key: K) => A | null {
  const initial = guard2(node, initializer as (_: undefined, __: undefined) => A)
  return (value, key) => aggregator(initial(undefined, undefined), value, key)
}

/** The aggregate of no record: null without an initializer (reduce). */
export function starting<A>(node: string, initializer: (() => A) | undefined): () => A | null {
  if (initializer === undefined) return () => null
  const initial = guard2(node, initializer as (_: undefined, __: undefined) => A)
  return () => initial(undefined, undefined)
}

/** `(aggregate, value, key) => next`; with `startsWithValue` the value is the first aggregate. */
export function combining<K, V, A>(
  node: string,
  combiner: (aggregate: A, value: V, key: K) => A | null,
  startsWithValue: boolean,
): (aggregate: A | null, value: V, key: K) => A | null {
  const combine = guard3(node, combiner)
  return (aggregate, value, key) => {
    // Reduce: values and aggregates are of one type.
    if (startsWithValue && aggregate === null) return value as unknown as A
    const result = combine(aggregate as A, value, key)
    if (result === undefined || result instanceof Promise) throw noAggregate(node, result)
    return result
  }
}

/** It would fail when it is serialized at the commit, far from the record that caused it. */
function noAggregate(node: string, result: unknown): StreamError {
  const what = result === undefined ? 'undefined; return null to delete' : 'a promise; return the aggregate itself'
  return processingError(node, new TypeError(`the aggregator returned ${what}`))
}
