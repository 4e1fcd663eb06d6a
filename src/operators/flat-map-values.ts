/** Turns each value into any number of values under the same key. */

import { listOf } from './flat-map.ts'
import { checkedValue, guard2, type Process, type ProcessorContext } from './processor.ts'

export interface FlatMapValuesArgs<K, V, V2> {
  readonly mapper: (value: V, key: K) => Iterable<V2>
}

export function flatMapValues<K, V, V2>(
  args: FlatMapValuesArgs<K, V, V2>,
  ctx: ProcessorContext,
  next: Process<K, V2>,
): Process<K, V> {
  const { mapper } = args
  const mapped = guard2(ctx.node, (value: V, key: K) => {
    const values = listOf(mapper(value, key))
    for (let i = 0; i < values.length; i++) checkedValue(values[i], 'mapper', ' as a value')
    return values
  })
  const { forwarded } = ctx
  return (key, value, timestamp, headers) => {
    const values = mapped(value, key)
    for (let i = 0; i < values.length; i++) {
      forwarded.count++
      next(key, values[i] as V2, timestamp, headers)
    }
  }
}
