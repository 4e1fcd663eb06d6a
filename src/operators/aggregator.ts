/** What the aggregates share: how the user's functions make the next aggregate out of the last. */

import { value2, value3 } from './processor.ts'

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
  const aggregator = value3(node, 'aggregator', args.aggregator)
  const first =
    initializer === undefined
      ? // Reduce: values and aggregates are of one type.
        (value: V): A | null => value as unknown as A | null
      : startingWith(node, initializer, aggregator)
  return (previous, value, key) => (previous === null ? first(value, key) : aggregator(previous, value, key))
}

function startingWith<K, V, A>(
  node: string,
  initializer: () => A,
  aggregator: (aggregate: A, value: V, key: K) => A | null,
): (value: V, key: K) => A | null {
  const initial = value2(node, 'initializer', initializer as (_: undefined, __: undefined) => A)
  return (value, key) => aggregator(initial(undefined, undefined), value, key)
}

/** The aggregate of no record: null without an initializer (reduce). */
export function starting<A>(node: string, initializer: (() => A) | undefined): () => A | null {
  if (initializer === undefined) return () => null
  const initial = value2(node, 'initializer', initializer as (_: undefined, __: undefined) => A)
  return () => initial(undefined, undefined)
}

/** `(aggregate, value, key) => next`; with `startsWithValue` the value is the first aggregate. */
export function combining<K, V, A>(
  node: string,
  who: 'aggregator' | 'merger' | 'subtractor',
  combiner: (aggregate: A, value: V, key: K) => A | null,
  startsWithValue: boolean,
): (aggregate: A | null, value: V, key: K) => A | null {
  const combine = value3(node, who, combiner)
  return (aggregate, value, key) =>
    // Reduce: values and aggregates are of one type.
    startsWithValue && aggregate === null ? (value as unknown as A) : combine(aggregate as A, value, key)
}
