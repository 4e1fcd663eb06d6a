/** Gives each record another key. */

import { type Process, type ProcessorContext, value2 } from './processor.ts'

export interface SelectKeyArgs<K, V, K2> {
  readonly mapper: (value: V, key: K) => K2
}

export function selectKey<K, V, K2>(
  args: SelectKeyArgs<K, V, K2>,
  ctx: ProcessorContext,
  next: Process<K2, V>,
): Process<K, V> {
  const mapper = value2(ctx.node, 'mapper', args.mapper)
  return (key, value, timestamp, headers) => {
    next(mapper(value, key), value, timestamp, headers)
  }
}
