/** Count, reduce and aggregate per key and window, tumbling or hopping (Kafka Streams: KStreamWindowAggregate). */

import type { Headers } from '../common/record.ts'
import { firstWindowStart, type TimeWindows, type Windowed } from '../common/windows.ts'
import type { WindowStore } from '../state/store.ts'
import { type Aggregation, aggregation } from './aggregator.ts'
import { type Late, nobody } from './late.ts'
import type { Process, ProcessorContext, Update } from './processor.ts'

export interface WindowAggregateArgs<K, V, A> extends Aggregation<K, V, A> {
  /** With closings, a window is passed on once, when it closes; else at every update. */
  readonly store: WindowStore<K, A>
  readonly windows: TimeWindows
  readonly late?: Late<K, V> | undefined
}

/**
 * A record first moves stream time, then updates those of its windows that are open (end > stream time - grace), earliest first, and
 * is dropped as late once per closed one. A null key is dropped and moves nothing; a null value reaches the aggregator, as in Kafka Streams.
 * Windows that are passed on when they close go in the order of (start, key bytes), with the timestamp of their latest record and the headers of
 * the record that closed them (Kafka Streams: EmitStrategy.onWindowClose).
 */
export function windowAggregate<K, V, A>(
  args: WindowAggregateArgs<K, V, A>,
  ctx: ProcessorContext,
  next: Update<Windowed<K>, A>,
): Process<K | null, V> {
  const { store, windows, late = nobody } = args
  const { sizeMs, advanceMs, graceMs } = windows
  const { closings } = store
  const { forwarded } = ctx
  const combine = aggregation(ctx.node, args)

  /** What it closes cannot be reached by the record that moves it, so that this comes before its update. */
  const moveTime = (time: number, headers: Headers): void => {
    store.streamTime = time
    if (closings === undefined) return
    const closed = time - graceMs - sizeMs
    for (let due = closings.take(closed); due !== undefined; due = closings.take(closed)) {
      const { time: start } = due
      for (const key of due.keys) {
        const row = store.get(key, start)
        if (row === undefined) continue
        forwarded.count++
        next({ key, start, end: start + sizeMs }, row.value, null, row.timestamp, headers)
      }
    }
  }

  return (key, value, timestamp, headers) => {
    if (key === null) {
      ctx.drop('null-key')
      return
    }
    if (timestamp > store.streamTime) moveTime(timestamp, headers)
    const closedAt = store.streamTime - graceMs
    for (let start = firstWindowStart(windows, timestamp); start <= timestamp; start += advanceMs) {
      const end = start + sizeMs
      if (end <= closedAt) {
        ctx.drop('late')
        late(key, value, timestamp, headers, store.streamTime, start, end)
        continue
      }
      const row = store.get(key, start)
      const newest = row !== undefined && row.timestamp > timestamp ? row.timestamp : timestamp
      const old = row === undefined ? null : row.value
      const result = combine(old, value, key)
      store.put(key, start, result, newest)
      if (closings !== undefined) {
        if (row === undefined) closings.add(start, key)
        continue
      }
      forwarded.count++
      next({ key, start, end }, result, old, newest, headers)
    }
  }
}
