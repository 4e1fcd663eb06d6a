/** Count, reduce and aggregate per key and sliding window (Kafka Streams: KStreamSlidingWindowAggregate, KIP-450). */

import { type Headers, noHeaders } from '../common/record.ts'
import type { SlidingWindows, Windowed } from '../common/windows.ts'
import type { Pane, SlidingStore } from '../state/store.ts'
import { type Aggregation, combining, starting } from './aggregator.ts'
import type { OnIdle } from './idle.ts'
import { type Late, nobody } from './late.ts'
import type { Process, ProcessorContext, Update } from './processor.ts'

export interface SlidingAggregateArgs<K, V, A> extends Aggregation<K, V, A> {
  /** With closings, a window is passed on once, when it closes; else at every update. */
  readonly store: SlidingStore<K, A>
  readonly windows: SlidingWindows
  readonly late?: Late<K, V> | undefined
  readonly onIdle?: OnIdle | undefined
}

/**
 * A record at t first moves stream time. Then it is added to every window that holds t, the latest first; a new window is made that begins after the
 * record before it, one that ends with it, and one that begins after it, each only where it would hold other records than the windows there are.
 * Windows that are closed (end < stream time - grace) stay as they are, and each is a late drop; a record whose t + time difference is that old is
 * dropped as a whole. A null key or value is dropped and moves nothing. The windows of records before the time difference has passed since 1970 would start before it:
 * they share [0, time difference]. Windows that are passed on when they close go as those of `windowAggregate`.
 */
export function slidingAggregate<K, V, A>(
  args: SlidingAggregateArgs<K, V, A>,
  ctx: ProcessorContext,
  next: Update<Windowed<K>, A>,
): Process<K | null, V | null> {
  const { store, windows, late = nobody } = args
  const { timeDifferenceMs, graceMs } = windows
  const { closings } = store
  const { forwarded } = ctx
  const initial = starting(ctx.node, args.initializer)
  const add = combining(ctx.node, 'aggregator', args.aggregator, args.initializer === undefined)
  /** Windows that end earlier are closed. */
  let closeTime = 0

  const forward = (key: K, start: number, value: A | null, old: A | null, timestamp: number, headers: Headers) => {
    forwarded.count++
    next({ key, start, end: start + timeDifferenceMs }, value, old, timestamp, headers)
  }

  /** Passes on the windows that start up to then. @returns the start of the last of them, -1 when there was none. */
  const release = (until: number, headers: Headers): number => {
    let last = -1
    for (let due = closings?.take(until); due !== undefined; due = closings?.take(until)) {
      for (const key of due.keys) {
        const pane = store.get(key, due.time)
        if (pane === undefined) continue
        last = due.time
        forward(key, due.time, pane.value, null, pane.timestamp, headers)
      }
    }
    return last
  }

  /** What it closes cannot be reached by the record that moves it, so that this comes before its updates. */
  const moveTime = (time: number, headers: Headers): void => {
    if (closings !== undefined) release(time - graceMs - timeDifferenceMs - 1, headers)
    store.streamTime = time
  }

  /** Adds the record to a window that holds `before`. @param isNew it is not there yet, so that nobody has seen it. */
  const update = (
    key: K,
    value: V,
    timestamp: number,
    headers: Headers,
    start: number,
    before: A | null,
    newest: number,
    isNew: boolean,
  ) => {
    if (start + timeDifferenceMs < closeTime) {
      ctx.drop('late')
      late(key, value, timestamp, headers, store.streamTime, start, start + timeDifferenceMs)
      return
    }
    const result = add(before, value, key)
    const latest = Math.max(newest, timestamp)
    store.put(key, start, result, latest)
    if (closings === undefined) forward(key, start, result, isNew ? null : before, latest, headers)
    else if (isNew) closings.add(start, key)
  }

  /** The window that begins after a record holds what `pane` holds, if that has something later than the record. */
  const makeRightWindow = (key: K, start: number, aggregate: A, newest: number, headers: Headers) => {
    store.put(key, start, aggregate, newest)
    if (closings === undefined) forward(key, start, aggregate, null, newest, headers)
    else closings.add(start, key)
  }

  /** All windows share [0, time difference] until they can start where their first record is. */
  const early = (key: K, value: V, timestamp: number, headers: Headers) => {
    const combined = store.get(key, 0)
    const combinedBefore = combined?.value
    const combinedNewest = combined?.timestamp ?? -1
    const previous = combined !== undefined && combinedNewest < timestamp ? combinedNewest : undefined
    const hasPreviousRight = previous !== undefined && store.get(key, previous + 1) !== undefined
    const hasRight = store.get(key, timestamp + 1) !== undefined
    let right: A | undefined
    let rightNewest = -1
    // In ascending order, as Kafka Streams goes here.
    const starts: number[] = []
    for (let pane = below(key, timestamp, 1); pane !== undefined; pane = below(key, pane.start - 1, 1)) {
      starts.push(pane.start)
    }
    for (let at = starts.length - 1; at >= 0; at--) {
      const start = starts[at] as number
      const pane = store.get(key, start) as Pane<A>
      right = pane.value
      rightNewest = pane.timestamp
      update(key, value, timestamp, headers, start, right, rightNewest, false)
    }
    if (right === undefined && combinedBefore !== undefined && combinedNewest > timestamp) {
      right = combinedBefore
      rightNewest = combinedNewest
    }
    if (!hasRight && right !== undefined && rightNewest > timestamp) {
      makeRightWindow(key, timestamp + 1, right, rightNewest, headers)
    }
    if (previous !== undefined && !hasPreviousRight) {
      update(key, value, timestamp, headers, previous + 1, initial(), timestamp, true)
    }
    if (combinedBefore === undefined) update(key, value, timestamp, headers, 0, initial(), timestamp, true)
    else update(key, value, timestamp, headers, 0, combinedBefore, combinedNewest, false)
  }

  const below = (key: K, to: number, from: number): Pane<A> | undefined =>
    to < from ? undefined : store.latest(key, from, to)

  args.onIdle?.(() => {
    const last = release(Number.POSITIVE_INFINITY, noHeaders)
    if (last < 0) return false
    store.streamTime = last + timeDifferenceMs + graceMs + 1
    return true
  })

  return (key, value, timestamp, headers) => {
    if (key === null || value === null) {
      ctx.drop(key === null ? 'null-key' : 'null-value')
      return
    }
    if (timestamp > store.streamTime) moveTime(timestamp, headers)
    closeTime = store.streamTime - graceMs
    if (timestamp + timeDifferenceMs < closeTime) {
      ctx.drop('late')
      late(key, value, timestamp, headers, store.streamTime, timestamp, timestamp + timeDifferenceMs)
      return
    }
    if (timestamp < timeDifferenceMs) {
      early(key, value, timestamp, headers)
      return
    }
    const leftStart = timestamp - timeDifferenceMs
    // All that the store says is taken before anything is put: what it gives is live.
    const hasRight = store.get(key, timestamp + 1) !== undefined
    const left = store.get(key, leftStart)
    const leftBefore = left?.value
    const leftNewest = left?.timestamp ?? -1
    const before = below(key, leftStart - 1, Math.max(0, timestamp - 2 * timeDifferenceMs))
    const beforeValue = before?.value
    // Of the record before this one.
    const previous = before?.timestamp ?? (leftBefore === undefined ? undefined : leftNewest)
    const hasPreviousRight = previous !== undefined && store.get(key, previous + 1) !== undefined

    let right: A | undefined
    let rightNewest = -1
    let pane = store.latest(key, leftStart + 1, timestamp)
    while (pane !== undefined) {
      const { start, value: aggregate, timestamp: newest } = pane
      if (right === undefined) {
        right = aggregate
        rightNewest = newest
      }
      update(key, value, timestamp, headers, start, aggregate, newest, false)
      pane = below(key, start - 1, leftStart + 1)
    }
    if (leftBefore !== undefined) {
      update(key, value, timestamp, headers, leftStart, leftBefore, leftNewest, false)
      // A record of the same time has made all windows.
      if (leftNewest >= timestamp) return
    }
    if (previous !== undefined && !hasPreviousRight && previous + 1 + timeDifferenceMs >= timestamp) {
      update(key, value, timestamp, headers, previous + 1, initial(), timestamp, true)
    }
    if (leftBefore === undefined) {
      const isEmpty = previous === undefined || previous < leftStart
      const aggregate = isEmpty ? initial() : (beforeValue as A)
      update(key, value, timestamp, headers, leftStart, aggregate, timestamp, true)
    }
    if (!hasRight && right !== undefined && rightNewest > timestamp) {
      makeRightWindow(key, timestamp + 1, right, rightNewest, headers)
    }
  }
}
