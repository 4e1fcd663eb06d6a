/** Turns each record into one of another key and value; timestamp and headers stay. */

import { checkedValue, guard2, noResult, type Process, type ProcessorContext } from './processor.ts'

export interface MapArgs<K, V, K2, V2> {
  readonly mapper: (value: V, key: K) => readonly [K2, V2]
}

export function map<K, V, K2, V2>(
  args: MapArgs<K, V, K2, V2>,
  ctx: ProcessorContext,
  next: Process<K2, V2>,
): Process<K, V> {
  const { mapper } = args
  const mapped = guard2(ctx.node, (value: V, key: K) => checkedPair(mapper(value, key)))
  return (key, value, timestamp, headers) => {
    const pair = mapped(value, key)
    next(pair[0], pair[1], timestamp, headers)
  }
}

/** Untyped callers forget the brackets, or what is in them: say so here, not three processors later. */
export function checkedPair<K, V>(pair: readonly [K, V]): readonly [K, V] {
  if (!Array.isArray(pair) || pair.length !== 2) {
    throw pair instanceof Promise ? noResult(pair, 'mapper') : new TypeError('the function must return [key, value]')
  }
  checkedValue(pair[0], 'mapper', ' as the key')
  checkedValue(pair[1], 'mapper', ' as the value')
  return pair
}
