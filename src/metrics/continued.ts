/** A snapshot that goes on counting where an earlier one stopped: engines that take the place of others begin at 0. */

import type { Snapshot } from './snapshot.ts'

/** @param before the last snapshot of the engines that were there before, with those before them counted in. */
export function continued(snapshot: Snapshot, before: Snapshot): Snapshot {
  const { commits, errors } = snapshot
  const records = new Map(before.processors.map((processor) => [processor.name, processor.records]))
  const reasons = new Set([...Object.keys(before.errors.dropped), ...Object.keys(errors.dropped)])
  return {
    ...snapshot,
    uptimeMs: before.uptimeMs + snapshot.uptimeMs,
    recordsIn: before.recordsIn + snapshot.recordsIn,
    recordsOut: before.recordsOut + snapshot.recordsOut,
    processors: snapshot.processors.map((processor) => {
      return { ...processor, records: (records.get(processor.name) ?? 0) + processor.records }
    }),
    commits: {
      ...commits,
      count: before.commits.count + commits.count,
      aborted: before.commits.aborted + commits.aborted,
      rebalances: before.commits.rebalances + commits.rebalances,
    },
    errors: {
      deadLetters: before.errors.deadLetters + errors.deadLetters,
      dropped: Object.fromEntries(
        [...reasons].map((reason) => [reason, (before.errors.dropped[reason] ?? 0) + (errors.dropped[reason] ?? 0)]),
      ),
      last: errors.last ?? before.errors.last,
    },
  }
}
