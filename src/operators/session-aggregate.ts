/** Count, reduce and aggregate per key and session (Kafka Streams: KStreamSessionWindowAggregate). */

import { type Headers, noHeaders } from '../common/record.ts'
import type { SessionWindows, Windowed } from '../common/windows.ts'
import type { SessionStore } from '../state/store.ts'
import { combining, starting } from './aggregator.ts'
import type { OnIdle } from './idle.ts'
import { type Late, nobody } from './late.ts'
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
  /** With closings, a session is passed on once, when it closes; else at every update. */
  readonly store: SessionStore<K, A>
  readonly windows: SessionWindows
  readonly late?: Late<K, V> | undefined
  readonly onIdle?: OnIdle | undefined
}

/**
 * A record joins the sessions that it is at most the gap away from, earliest first, into one that it extends, and is dropped as late when
 * even that one is closed (end < stream time - gap - grace). Sessions that were joined are deleted downstream. A null key is
 * dropped and moves nothing; a null value reaches the aggregator. Results carry the end of their session and no headers,
 * as in Kafka Streams. Sessions that are passed on when they close go in the order of (end, key bytes), with their end and the headers of the record that
 * closed them.
 */
export function sessionAggregate<K, V, A>(
  args: SessionAggregateArgs<K, V, A>,
  ctx: ProcessorContext,
  next: Update<Windowed<K>, A>,
): Process<K | null, V> {
  const { store, windows, late = nobody } = args
  const { gapMs, graceMs } = windows
  const { closings } = store
  const { forwarded } = ctx
  const initial = starting(ctx.node, args.initializer)
  const merge = combining(ctx.node, 'merger', args.merger, args.initializer === undefined)
  const add = combining(ctx.node, 'aggregator', args.aggregator, args.initializer === undefined)
  /** Passes on the sessions that end up to then. @returns the end of the last of them, -1 when there was none. */
  const release = (until: number, headers: Headers): number => {
    let last = -1
    for (let due = closings?.take(until); due !== undefined; due = closings?.take(until)) {
      for (const key of due.keys) {
        for (const { start, end, value } of store.find(key, due.time, due.time)) {
          // It has grown since, or become part of a larger one.
          if (end > due.time) closings?.add(end, key)
          else {
            last = end
            forwarded.count++
            next({ key, start, end }, value, null, end, headers)
          }
        }
      }
    }
    return last
  }

  /**
   * What it closes cannot be reached by the record that moves it, so that this comes before its update; and before the time itself, for
   * the store shows no session that is closed.
   */
  const moveTime = (time: number, headers: Headers): void => {
    if (closings !== undefined) release(time - graceMs - gapMs - 1, headers)
    store.streamTime = time
  }

  args.onIdle?.(() => {
    const last = release(Number.POSITIVE_INFINITY, noHeaders)
    if (last < 0) return false
    store.streamTime = last + gapMs + graceMs + 1
    return true
  })

  return (key, value, timestamp, headers) => {
    if (key === null) {
      ctx.drop('null-key')
      return
    }
    // Found by the stream time of the records before, as Kafka Streams' store knows it.
    const found = store.find(key, timestamp - gapMs, timestamp + gapMs)
    if (timestamp > store.streamTime) moveTime(timestamp, headers)
    let start = timestamp
    let end = timestamp
    for (const session of found) {
      if (session.start < start) start = session.start
      if (session.end > end) end = session.end
    }
    if (end < store.streamTime - graceMs - gapMs) {
      ctx.drop('late')
      late(key, value, timestamp, headers, store.streamTime, start, end)
      return
    }
    let aggregate = initial()
    for (const session of found) aggregate = merge(aggregate, session.value, key)
    const result = add(aggregate, value, key)
    store.replace(key, found, start, end, result)
    if (closings !== undefined) {
      if (found.length === 0) closings.add(end, key)
      return
    }
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
