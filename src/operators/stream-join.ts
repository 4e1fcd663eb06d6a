/**
 * Joins two streams: records of one key whose timestamps are within the windows of each other (Kafka Streams: KStreamKStreamJoin). Each
 * record looks for matches among those of the other side that came before it, and is kept for those that come after it.
 */

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

/**
 * A record first moves the stream time of both sides, and gives out what that has closed without a match. Then, unless it is late itself
 * (its window's end + grace < stream time), it is joined with its matches, earliest first; results carry the later timestamp. What is
 * given out alone is final: it matches nothing any more. A null value is dropped; a null key too, but on a side whose records are
 * given out alone it passes at once, with null for the other side (KIP-962).
 */
export function streamJoin<K, V, W, R>(
  args: StreamJoinArgs<K, V, W, R>,
  ctx: ProcessorContext,
  next: Process<K, R>,
): JoinProcesses {
  const giveOut = givesOut(args, ctx, next, 'remove')
  args.onIdle?.(closesHeld(args, giveOut))
  return bothSides(args, ctx.node, (side) => sideOf(side, args.windows.graceMs, giveOut, ctx, next))
}

function sideOf<K, V, W, R>(
  side: JoinSide<K, V, W, R>,
  graceMs: number,
  giveOut: GiveOut,
  ctx: ProcessorContext,
  next: Process<K, R>,
): Process<K | null, V | null> {
  const { own, other, beforeMs, afterMs, outer, join, unchanged } = side
  const { forwarded } = ctx
  const closesMs = afterMs + graceMs
  // A window may end before its own record, which is not late for that.
  const lateMs = Math.max(0, afterMs) + graceMs
  const matches = matchesOf(side, ctx, next)
  return (key, value, timestamp, headers) => {
    const now = Math.max(own.streamTime, other.streamTime, timestamp)
    own.streamTime = now
    other.streamTime = now
    giveOut(now, headers)
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
    if (timestamp + lateMs < now) {
      ctx.drop('late')
      return
    }
    const isAlone = matches(key, value, timestamp, headers, timestamp - beforeMs, timestamp + afterMs) === 0 && outer
    if (isAlone && timestamp + closesMs < now) {
      forwarded.count++
      next(key, join(value, null, key), timestamp, headers)
    } else {
      own.put(key, value, timestamp, isAlone, recordOf(value, unchanged))
    }
  }
}
