/** Count, reduce and aggregate per key (Kafka Streams: KStreamAggregate, KStreamReduce). */

import type { KeyValueStore } from '../state/store.ts'
import { type Aggregation, aggregation } from './aggregator.ts'
import type { Process, ProcessorContext, Update } from './processor.ts'

export interface AggregateArgs<K, V, A> extends Aggregation<K, V, A> {
  readonly store: KeyValueStore<K, A>
}

/** Null keys and values are dropped; the result carries the greatest timestamp that went into it. */
export function aggregate<K, V, A>(
  args: AggregateArgs<K, V, A>,
  ctx: ProcessorContext,
  next: Update<K, A>,
): Process<K | null, V | null> {
  const { store } = args
  const { forwarded } = ctx
  const combine = aggregation(ctx.node, args)
  return (key, value, timestamp, headers) => {
    if (key === null) {
      ctx.drop('null-key')
      return
    }
    if (value === null) {
      ctx.drop('null-value')
      return
    }
    const row = store.get(key)
    const newest = row !== undefined && row.timestamp > timestamp ? row.timestamp : timestamp
    const old = row === undefined ? null : row.value
    const result = combine(old, value, key)
    store.put(key, result, newest)
    forwarded.count++
    next(key, result, old, newest, headers)
  }
}
