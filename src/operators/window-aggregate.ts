/** Count, reduce and aggregate per key and window, tumbling or hopping (Kafka Streams: KStreamWindowAggregate). */

import { type Headers, noHeaders } from '../common/record.ts'
import { firstWindowStart, type TimeWindows, type Windowed } from '../common/windows.ts'
import type { WindowStore } from '../state/store.ts'
import { type Aggregation, aggregation } from './aggregator.ts'
import type { OnIdle } from './idle.ts'
import { type Late, nobody } from './late.ts'
import type { Process, ProcessorContext, Update } from './processor.ts'

export interface WindowAggregateArgs<K, V, A> extends Aggregation<K, V, A> {
  /** With closings, a window is passed on once, when it closes; else at every update. */
  readonly store: WindowStore<K, A>
  readonly windows: TimeWindows
  readonly late?: Late<K, V> | undefined
  readonly onIdle?: OnIdle | undefined
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

  /** Passes on the windows that start up to then. @returns the start of the last of them, -1 when there was none. */
  const release = (until: number, headers: Headers): number => {
    let last = -1
    for (let due = closings?.take(until); due !== undefined; due = closings?.take(until)) {
      const { time: start } = due
      for (const key of due.keys) {
        const row = store.get(key, start)
        if (row === undefined) continue
        last = start
        forwarded.count++
        next({ key, start, end: start + sizeMs }, row.value, null, row.timestamp, headers)
      }
    }
    return last
  }

  /** What it closes cannot be reached by the record that moves it, so that this comes before its update. */
  const moveTime = (time: number, headers: Headers): void => {
    if (closings !== undefined) release(time - graceMs - sizeMs, headers)
    store.streamTime = time
  }

  args.onIdle?.(() => {
    const last = release(Number.POSITIVE_INFINITY, noHeaders)
    if (last < 0) return false
    store.streamTime = last + sizeMs + graceMs
    return true
  })

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
