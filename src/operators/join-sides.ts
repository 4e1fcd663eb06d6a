/** What both ways to join two streams are made of: a side and what it sees of the other, its matches, and the records given out alone. */

import { type Headers, noHeaders } from '../common/record.ts'
import type { JoinWindows } from '../common/windows.ts'
import type { JoinBuffer } from '../state/store.ts'
import type { CloseIdle, OnIdle } from './idle.ts'
import { type CurrentRecord, type Process, type ProcessorContext, value3 } from './processor.ts'

export interface StreamJoinArgs<K, V, W, R> {
  /** Records of either side. */
  readonly left: JoinBuffer<K, V>
  readonly right: JoinBuffer<K, W>
  readonly windows: JoinWindows
  /** Whose records are given out alone when nothing matches them: nobody's (inner), those of the left side, or all (outer). */
  readonly outer: 'none' | 'left' | 'both'
  readonly joiner: (value: V | null, other: W | null, key: K) => R
  readonly onIdle?: OnIdle | undefined
  /** Given for a side whose values come as they were read, with the serde of its buffer: their bytes are then kept. */
  readonly leftUnchanged?: CurrentRecord | undefined
  readonly rightUnchanged?: CurrentRecord | undefined
}

/** One side as it sees the other. */
export interface JoinSide<K, V, W, R> {
  readonly own: JoinBuffer<K, V>
  readonly other: JoinBuffer<K, W>
  /** A record at t looks in [t - beforeMs, t + afterMs] of the other side. */
  readonly beforeMs: number
  readonly afterMs: number
  /** Whether its records are given out alone when nothing matches them. */
  readonly outer: boolean
  readonly join: (value: V, other: W | null, key: K) => R
  readonly unchanged: CurrentRecord | undefined
}

/** What takes the records of the left stream, and what takes those of the right one. */
export type JoinProcesses = readonly [left: Process, right: Process]

/** @param process makes of a side what takes its records. */
export function bothSides<K, V, W, R>(
  { left, right, windows, outer, joiner, leftUnchanged, rightUnchanged }: StreamJoinArgs<K, V, W, R>,
  node: string,
  process: <A, B>(side: JoinSide<K, A, B, R>) => Process,
): JoinProcesses {
  const { beforeMs, afterMs } = windows
  const join = value3(node, 'joiner', joiner)
  const joinRight = (value: W, other: V | null, key: K): R => join(other, value, key)
  return [
    process({ own: left, other: right, beforeMs, afterMs, outer: outer !== 'none', join, unchanged: leftUnchanged }),
    process({
      own: right,
      other: left,
      beforeMs: afterMs,
      afterMs: beforeMs,
      outer: outer === 'both',
      join: joinRight,
      unchanged: rightUnchanged,
    }),
  ]
}

/** Joins a record with the rows of the other side in [from, to], and passes the results on. @returns how many there were. */
export type Matches<K, V> = (key: K, value: V, timestamp: number, headers: Headers, from: number, to: number) => number

export function matchesOf<K, V, W, R>(
  { other, join }: JoinSide<K, V, W, R>,
  ctx: ProcessorContext,
  next: Process<K, R>,
): Matches<K, V> {
  const { forwarded } = ctx
  // Of the record under way: a closure for each would be garbage.
  let thisKey: K
  let thisValue: V
  let thisTimestamp = 0
  let thisHeaders: Headers
  const visit = (value: W, timestamp: number): void => {
    forwarded.count++
    next(thisKey, join(thisValue, value, thisKey), Math.max(timestamp, thisTimestamp), thisHeaders)
  }
  return (key, value, timestamp, headers, from, to) => {
    thisKey = key
    thisValue = value
    thisTimestamp = timestamp
    thisHeaders = headers
    return other.match(key, from, to, visit)
  }
}

/**
 * Gives out the held rows whose windows have closed (end + grace < now), by timestamp, of one timestamp the right side's first, then by
 * the bytes of the key, as Kafka Streams orders them; with the headers of the record that moved the time.
 * @returns the timestamp of the last of them, -1 when there was none.
 */
export type GiveOut = (now: number, headers: Headers) => number

const nothing: GiveOut = () => -1

/** @param then what becomes of a row that was given out: it matches nothing any more, or it can still be matched. */
export function givesOut<K, V, W, R>(
  { left, right, windows, outer, joiner }: StreamJoinArgs<K, V, W, R>,
  ctx: ProcessorContext,
  next: Process<K, R>,
  then: 'remove' | 'release',
): GiveOut {
  if (outer === 'none') return nothing
  const { forwarded } = ctx
  const join = value3(ctx.node, 'joiner', joiner)
  const leftMs = windows.afterMs + windows.graceMs
  const rightMs = windows.beforeMs + windows.graceMs
  return (now, headers) => {
    let last = -1
    for (;;) {
      const l = left.firstHeld
      const r = right.firstHeld
      const isLeftDue = l !== undefined && l.timestamp + leftMs < now
      const isRightDue = r !== undefined && r.timestamp + rightMs < now
      if (isRightDue && !(isLeftDue && l.timestamp < r.timestamp)) {
        const key = right.keyOf(r)
        const value = right.valueOf(r)
        right[then](r)
        last = r.timestamp
        forwarded.count++
        next(key, join(null, value, key), last, headers)
      } else if (isLeftDue) {
        const key = left.keyOf(l)
        const value = left.valueOf(l)
        left[then](l)
        last = l.timestamp
        forwarded.count++
        next(key, join(value, null, key), last, headers)
      } else {
        return last
      }
    }
  }
}

/** Stream time moves to where the newest window that can be open has closed, and what is held is given out. */
export function closesHeld<K, V, W, R>(
  { left, right, windows }: StreamJoinArgs<K, V, W, R>,
  giveOut: GiveOut,
): CloseIdle {
  const { beforeMs, afterMs, graceMs } = windows
  const closesMs = Math.max(0, beforeMs, afterMs) + graceMs
  return () => {
    if (left.firstHeld === undefined && right.firstHeld === undefined) return false
    const now = Math.max(left.streamTime, right.streamTime) + closesMs + 1
    left.streamTime = now
    right.streamTime = now
    giveOut(now, noHeaders)
    return true
  }
}
