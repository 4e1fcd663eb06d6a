/** Count, reduce and aggregate per key and session (Kafka Streams: KStreamSessionWindowAggregate). */

import { noHeaders } from '../common/record.ts'
import type { SessionWindows, Windowed } from '../common/windows.ts'
import type { SessionStore } from '../state/store.ts'
import { combining, starting } from './aggregator.ts'
import type { Process, ProcessorContext, Update } from './processor.ts'

export interface SessionAggregation<K, V, A> {
  /** Aggregate of no record; without it the first value is the aggregate (reduce), and `merger` is not asked about nothing. */
  readonly initializer?: (() => A) | undefined
  /** The next aggregate; null deletes the session. */
  readonly aggregator: (aggregate: A, value: V, key: K) => A | null
  /** The aggregate of two sessions that a record joins. */
  readonly merger: (aggregate: A, other: A, key: K) => A | null
}

export interface SessionAggregateArgs<K, V, A> extends SessionAggregation<K, V, A> {
  readonly store: SessionStore<K, A>
  readonly windows: SessionWindows
}

/**
 * A record joins the sessions that it is at most the gap away from, earliest first, into one that it extends, and is dropped as late when
 * even that one is closed (end < stream time - gap - grace). Sessions that were joined are deleted downstream. A null key is
 * dropped and moves nothing; a null value reaches the aggregator. Results carry the end of their session and no headers,
 * as in Kafka Streams.
 */
export function sessionAggregate<K, V, A>(
  args: SessionAggregateArgs<K, V, A>,
  ctx: ProcessorContext,
  next: Update<Windowed<K>, A>,
): Process<K | null, V> {
  const { store, windows } = args
  const { gapMs, graceMs } = windows
  const { forwarded } = ctx
  const initial = starting(ctx.node, args.initializer)
  const merge = combining(ctx.node, args.merger, args.initializer === undefined)
  const add = combining(ctx.node, args.aggregator, args.initializer === undefined)
  return (key, value, timestamp) => {
    if (key === null) {
      ctx.drop('null-key')
      return
    }
    // Found by the stream time of the records before, as Kafka Streams' store knows it.
    const found = store.find(key, timestamp - gapMs, timestamp + gapMs)
    if (timestamp > store.streamTime) store.streamTime = timestamp
    let start = timestamp
    let end = timestamp
    for (const session of found) {
      if (session.start < start) start = session.start
      if (session.end > end) end = session.end
    }
    if (end < store.streamTime - graceMs - gapMs) {
      ctx.drop('late')
      return
    }
    let aggregate = initial()
    for (const session of found) aggregate = merge(aggregate, session.value, key)
    const result = add(aggregate, value, key)
    store.put(key, start, end, result)
    if (start !== end) {
      for (const merged of found) {
        forwarded.count++
        next({ key, start: merged.start, end: merged.end }, null, merged.value, merged.end, noHeaders)
      }
    }
    forwarded.count++
    next({ key, start, end }, result, null, end, noHeaders)
  }
}
