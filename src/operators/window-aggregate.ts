/** Count, reduce and aggregate per key and window, tumbling or hopping (Kafka Streams: KStreamWindowAggregate). */

import { firstWindowStart, type TimeWindows, type Windowed } from '../common/windows.ts'
import type { WindowStore } from '../state/store.ts'
import { type Aggregation, aggregation } from './aggregator.ts'
import type { Process, ProcessorContext, Update } from './processor.ts'

export interface WindowAggregateArgs<K, V, A> extends Aggregation<K, V, A> {
  readonly store: WindowStore<K, A>
  readonly windows: TimeWindows
}

/**
 * A record first moves stream time, then updates those of its windows that are open (end > stream time - grace), earliest first, and
 * is dropped as late once per closed one. A null key is dropped and moves nothing; a null value reaches the aggregator, as in Kafka Streams.
 */
export function windowAggregate<K, V, A>(
  args: WindowAggregateArgs<K, V, A>,
  ctx: ProcessorContext,
  next: Update<Windowed<K>, A>,
): Process<K | null, V> {
  const { store, windows } = args
  const { sizeMs, advanceMs, graceMs } = windows
  const { forwarded } = ctx
  const combine = aggregation(ctx.node, args)
  return (key, value, timestamp, headers) => {
    if (key === null) {
      ctx.drop('null-key')
      return
    }
    if (timestamp > store.streamTime) store.streamTime = timestamp
    const closedAt = store.streamTime - graceMs
    for (let start = firstWindowStart(windows, timestamp); start <= timestamp; start += advanceMs) {
      const end = start + sizeMs
      if (end <= closedAt) {
        ctx.drop('late')
        continue
      }
      const row = store.get(key, start)
      const newest = row !== undefined && row.timestamp > timestamp ? row.timestamp : timestamp
      const old = row === undefined ? null : row.value
      const result = combine(old, value, key)
      store.put(key, start, result, newest)
      forwarded.count++
      next({ key, start, end }, result, old, newest, headers)
    }
  }
}
