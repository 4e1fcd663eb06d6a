/** Snapshots of several engines as the one of their application. */

import type { AppState, ProcessorSnapshot, Snapshot, StoreSnapshot } from './snapshot.ts'

/** What one engine says of itself is true of the application if no other engine is in a worse state. Worst first. */
const byGravity: readonly AppState[] = [
  'failed',
  'recovering',
  'rebalancing',
  'restoring',
  'starting',
  'draining',
  'running',
  'stopped',
]

/** @param snapshots of engines that run the same topology; at least one. */
export function mergeSnapshots(snapshots: readonly Snapshot[]): Snapshot {
  const [first] = snapshots
  if (first === undefined) throw new RangeError('there is no snapshot to merge')
  if (snapshots.length === 1) return first
  const sum = (of: (snapshot: Snapshot) => number) => snapshots.reduce((total, snapshot) => total + of(snapshot), 0)
  const most = (of: (snapshot: Snapshot) => number) => Math.max(...snapshots.map(of))
  return {
    ...first,
    at: most((snapshot) => snapshot.at),
    state: byGravity.find((state) => snapshots.some((snapshot) => snapshot.state === state)) ?? first.state,
    uptimeMs: most((snapshot) => snapshot.uptimeMs),
    recordsIn: sum((snapshot) => snapshot.recordsIn),
    recordsOut: sum((snapshot) => snapshot.recordsOut),
    lag: sum((snapshot) => snapshot.lag),
    processors: first.processors.map((processor, i) => mergedProcessor(processor, snapshots, i)),
    tasks: snapshots.flatMap((snapshot) => snapshot.tasks).sort((a, b) => (a.id < b.id ? -1 : 1)),
    standbys: snapshots.flatMap((snapshot) => snapshot.standbys).sort((a, b) => (a.id < b.id ? -1 : 1)),
    stores: first.stores.map((store, i) => mergedStore(store, snapshots, i)),
    commits: {
      count: sum((snapshot) => snapshot.commits.count),
      aborted: sum((snapshot) => snapshot.commits.aborted),
      lastMs: most((snapshot) => snapshot.commits.lastMs),
      rebalances: most((snapshot) => snapshot.commits.rebalances),
    },
    errors: {
      deadLetters: sum((snapshot) => snapshot.errors.deadLetters),
      dropped: sumByReason(snapshots.map((snapshot) => snapshot.errors.dropped)),
      last: snapshots.find((snapshot) => snapshot.errors.last !== null)?.errors.last ?? null,
    },
  }
}

function mergedProcessor(
  processor: ProcessorSnapshot,
  snapshots: readonly Snapshot[],
  index: number,
): ProcessorSnapshot {
  return {
    ...processor,
    records: snapshots.reduce((sum, { processors }) => sum + (processors[index]?.records ?? 0), 0),
  }
}

function mergedStore(store: StoreSnapshot, snapshots: readonly Snapshot[], index: number): StoreSnapshot {
  const parts = snapshots.flatMap(({ stores }) => stores[index] ?? [])
  const sum = (of: (part: StoreSnapshot) => number) => parts.reduce((total, part) => total + of(part), 0)
  return {
    ...store,
    tasks: sum((part) => part.tasks),
    cachedRows: sum((part) => part.cachedRows),
    diskBytes: parts.some((part) => part.diskBytes === null) ? null : sum((part) => part.diskBytes ?? 0),
    restored: sum((part) => part.restored),
    restoreTotal: sum((part) => part.restoreTotal),
  }
}

function sumByReason(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const dropped of all) {
    for (const [reason, count] of Object.entries(dropped)) sums[reason] = (sums[reason] ?? 0) + count
  }
  return sums
}
