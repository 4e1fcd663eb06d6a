/** What a fetcher can do now: whose leader to look up, whom to ask for which partitions. Decides; sends nothing. */

import type { TrackedPartition } from './tracked-partition.ts'

export interface NodeWork {
  /** Partitions to ask this node for, in request order. */
  readonly wanted: TrackedPartition[]
  /** Bytes of other partitions of this node, fetched and not handed out. */
  bufferedBytes: number
  /** Some of these bytes go out with the next `poll`. */
  holds: boolean
}

export interface FetchPlan {
  readonly lookUps: readonly TrackedPartition[]
  /** By node id. Nodes that hold data for the next `poll` are left out. */
  readonly requests: ReadonlyMap<number, NodeWork>
  /** Leaders are being looked up, whose partitions will want to be asked for soon. */
  readonly lookingUp: boolean
  /** When to plan again because a pause ends, ms since the epoch; Infinity for never. */
  readonly retryAt: number
}

export function planFetches(partitions: Iterable<TrackedPartition>, now: number): FetchPlan {
  const lookUps: TrackedPartition[] = []
  const requests = new Map<number, NodeWork>()
  let lookingUp = false
  let retryAt = Number.POSITIVE_INFINITY
  for (const tracked of partitions) {
    if (tracked.fatal !== null) continue
    if (tracked.busy) {
      if (tracked.leader === null) lookingUp = true
      continue
    }
    if (tracked.leader === null) {
      if (tracked.hasData) continue
      if (tracked.retryAt <= now) lookUps.push(tracked)
      else retryAt = Math.min(retryAt, tracked.retryAt)
      continue
    }
    const work = requests.get(tracked.leader) ?? { wanted: [], bufferedBytes: 0, holds: false }
    requests.set(tracked.leader, work)
    if (!tracked.hasData) work.wanted.push(tracked)
    else if (!tracked.paused) work.holds = true
    work.bufferedBytes += tracked.bufferedBytes
  }
  for (const [nodeId, work] of requests) {
    // A request without the partitions about to be handed out would make them wait for its answer (KAFKA-17182).
    if (work.holds || work.wanted.length === 0) requests.delete(nodeId)
  }
  return { lookUps, requests, lookingUp, retryAt }
}
