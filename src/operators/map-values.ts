/** Turns each value into another; the key stays, so no repartition follows. */

import { type Process, type ProcessorContext, value2 } from './processor.ts'

export interface MapValuesArgs<K, V, V2> {
  readonly mapper: (value: V, key: K) => V2
}

export function mapValues<K, V, V2>(
  args: MapValuesArgs<K, V, V2>,
  ctx: ProcessorContext,
  next: Process<K, V2>,
): Process<K, V> {
  const mapper = value2(ctx.node, 'mapper', args.mapper)
  return (key, value, timestamp, headers) => {
    next(key, mapper(value, key), timestamp, headers)
  }
}
