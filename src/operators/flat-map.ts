/** Turns each record into any number of records. */

import { checkedPair } from './map.ts'
import { guard2, noResult, type Process, type ProcessorContext } from './processor.ts'

export interface FlatMapArgs<K, V, K2, V2> {
  readonly mapper: (value: V, key: K) => Iterable<readonly [K2, V2]>
}

export function flatMap<K, V, K2, V2>(
  args: FlatMapArgs<K, V, K2, V2>,
  ctx: ProcessorContext,
  next: Process<K2, V2>,
): Process<K, V> {
  const { mapper } = args
  // The whole list is made and checked before any of it travels, so that an exception of a generator names this processor.
  const mapped = guard2(ctx.node, (value: V, key: K) => {
    const pairs = listOf(mapper(value, key))
    for (let i = 0; i < pairs.length; i++) checkedPair(pairs[i] as readonly [K2, V2])
    return pairs
  })
  const { forwarded } = ctx
  return (key, value, timestamp, headers) => {
    const pairs = mapped(value, key)
    for (let i = 0; i < pairs.length; i++) {
      const pair = pairs[i] as readonly [K2, V2]
      forwarded.count++
      next(pair[0], pair[1], timestamp, headers)
    }
  }
}

/** What a function returned, as an array; arrays are taken as they are. */
export function listOf<T>(items: Iterable<T>): readonly T[] {
  if (Array.isArray(items)) return items
  if (items instanceof Promise) throw noResult(items, 'mapper')
  return [...items]
}
