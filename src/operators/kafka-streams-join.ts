/**
 * Joins two streams exactly as Kafka Streams 4.1 does, for whoever has to get the same records from both: `compat: 'kafka-streams'`.
 * Where it differs from `stream-join.ts`:
 *
 * - a late record is not dropped (KAFKA-16123);
 * - a record without a match that is older than stream time - `after` is given out at once, whatever the grace (KAFKA-19536), and may
 *   be matched later all the same, as may one that was given out when its window closed;
 * - held records are given out only by a record that is at stream time, and only when the last one that was looked at is due;
 * - a row can be matched while it is newer than the newest of its own side - before - after - grace: so with before, after and grace
 *   of 0 nothing ever matches.
 */

import type { JoinBuffer } from '../state/store.ts'
import {
  bothSides,
  closesHeld,
  type GiveOut,
  givesOut,
  type JoinProcesses,
  type JoinSide,
  matchesOf,
  type StreamJoinArgs,
} from './join-sides.ts'
import { type Process, type ProcessorContext, recordOf } from './processor.ts'

export function kafkaStreamsJoin<K, V, W, R>(
  args: StreamJoinArgs<K, V, W, R>,
  ctx: ProcessorContext,
  next: Process<K, R>,
): JoinProcesses {
  const { left, right, windows, outer } = args
  const giveOut = givesOut(args, ctx, next, 'release')
  const reachMs = windows.beforeMs + windows.afterMs + windows.graceMs
  const held = outer === 'none' ? undefined : lookingAt(left, right, giveOut)
  if (held !== undefined) args.onIdle?.(closesHeld(args, held.giveOut))
  return bothSides(args, ctx.node, (side) => sideOf(side, windows.graceMs, reachMs, held, ctx, next))
}

/** The held rows of both sides as KStreamKStreamJoin goes through them. `left` remembers where the last look ended. */
interface HeldRows {
  /** @param waitMs of the side whose record asks: it looks only if the last row looked at would be due on its own side. */
  look(now: number, waitMs: number, headers: Parameters<GiveOut>[1]): void
  /** A look, whatever was seen before. */
  readonly giveOut: GiveOut
  /** A row was held. */
  held(timestamp: number): void
}

function lookingAt(
  left: JoinBuffer<unknown, unknown>,
  right: JoinBuffer<unknown, unknown>,
  giveOut: GiveOut,
): HeldRows {
  const giveOutAndLook: GiveOut = (now, headers) => {
    const given = giveOut(now, headers)
    left.heldSeen = lastSeen(left, right, given)
    right.heldSeen = Number.POSITIVE_INFINITY
    return given
  }
  return {
    look(now, waitMs, headers) {
      // With nothing seen, Kafka Streams adds to the largest long there is: that is in the past unless nothing is added.
      const seen = Math.min(left.heldSeen, right.heldSeen)
      if (seen === Number.POSITIVE_INFINITY ? waitMs <= 0 : seen + waitMs >= now) return
      giveOutAndLook(now, headers)
    },
    giveOut: giveOutAndLook,
    held(timestamp) {
      if (timestamp < left.heldSeen) left.heldSeen = timestamp
    },
  }
}

/** Timestamp of the row at which the look ends: the one after the first open row of the side that has it later; else the last of all. */
function lastSeen(left: JoinBuffer<unknown, unknown>, right: JoinBuffer<unknown, unknown>, given: number): number {
  const l = left.firstHeld
  const r = right.firstHeld
  if (l !== undefined && r !== undefined) {
    // Of one timestamp, the right side's come first.
    const isLeftLater = l.timestamp >= r.timestamp
    const later = isLeftLater ? l : r
    const sameSide = isLeftLater ? left.heldAfter(l) : right.heldAfter(r)
    const otherSide = isLeftLater ? right.heldFrom(l.timestamp + 1) : left.heldFrom(r.timestamp)
    const after = Math.min(
      sameSide?.timestamp ?? Number.POSITIVE_INFINITY,
      otherSide?.timestamp ?? Number.POSITIVE_INFINITY,
    )
    return after === Number.POSITIVE_INFINITY ? later.timestamp : after
  }
  const last = Math.max(left.lastHeld?.timestamp ?? -1, right.lastHeld?.timestamp ?? -1, given)
  return last < 0 ? Number.POSITIVE_INFINITY : last
}

function sideOf<K, V, W, R>(
  side: JoinSide<K, V, W, R>,
  graceMs: number,
  reachMs: number,
  heldRows: HeldRows | undefined,
  ctx: ProcessorContext,
  next: Process<K, R>,
): Process<K | null, V | null> {
  const { own, other, beforeMs, afterMs, outer, join, unchanged } = side
  const { forwarded } = ctx
  const waitMs = afterMs + graceMs
  const matches = matchesOf(side, ctx, next)
  return (key, value, timestamp, headers) => {
    const now = Math.max(own.streamTime, other.streamTime, timestamp)
    own.streamTime = now
    other.streamTime = now
    if (key === null && !outer) {
      ctx.drop('null-key')
      return
    }
    if (value === null) {
      ctx.drop('null-value')
      return
    }
    if (key === null) {
      forwarded.count++
      next(key as K, join(value, null, key as K), timestamp, headers)
      return
    }
    if (timestamp === now) heldRows?.look(now, waitMs, headers)
    const from = Math.max(timestamp - beforeMs, other.latest - reachMs + 1)
    const to = Math.max(0, timestamp + afterMs)
    const isAlone = matches(key, value, timestamp, headers, from, to) === 0 && outer
    const isHeld = isAlone && to >= now
    if (isHeld) heldRows?.held(timestamp)
    else if (isAlone) {
      forwarded.count++
      next(key, join(value, null, key), timestamp, headers)
    }
    // What is too old for its own side is not found there any more, but may be held.
    if (isHeld || timestamp > own.latest - reachMs) own.put(key, value, timestamp, isHeld, recordOf(value, unchanged))
  }
}
