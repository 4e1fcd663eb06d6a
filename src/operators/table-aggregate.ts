/** Folds the rows of a grouped table: what a row was is subtracted, what it is now is added (Kafka Streams: KTableAggregate, KTableReduce). */

import type { Change } from '../common/change.ts'
import type { KeyValueStore } from '../state/store.ts'
import { type Aggregation, aggregation, combining } from './aggregator.ts'
import type { Process, ProcessorContext, Update } from './processor.ts'

export interface TableAggregateArgs<K, V, A> extends Aggregation<K, V, A> {
  /** `(aggregate, value, key) => aggregate` without the value; null deletes the row. Not called where there is no aggregate. */
  readonly subtractor: (aggregate: A, value: V, key: K) => A | null
  readonly store: KeyValueStore<K, A>
}

/** The result carries the greatest timestamp that went into it. */
export function tableAggregate<K, V, A>(
  args: TableAggregateArgs<K, V, A>,
  ctx: ProcessorContext,
  next: Update<K, A>,
): Process<K | null, Change<V>> {
  const { store } = args
  const { forwarded } = ctx
  const add = aggregation(ctx.node, args)
  const subtract = combining(ctx.node, 'subtractor', args.subtractor, false)
  return (key, change, timestamp, headers) => {
    if (key === null) {
      ctx.drop('null-key')
      return
    }
    const { value, old } = change
    const row = store.get(key)
    const before = row === undefined ? null : row.value
    const newest = row !== undefined && row.timestamp > timestamp ? row.timestamp : timestamp
    let result = before
    if (old !== null && before !== null) result = subtract(before, old, key)
    if (value !== null) result = add(result, value, key)
    store.put(key, result, newest)
    forwarded.count++
    next(key, result, before, newest, headers)
  }
}
