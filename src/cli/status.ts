/** A snapshot in one line for people, and as the JSON event for scripts. */

import type { Snapshot } from '../metrics/snapshot.ts'

const grouped = new Intl.NumberFormat('en-US')

/** `word-count running | in 12,345 (1,234/s) | out 99 | lag 0 | commits 12 | tasks 4/4` */
export function statusLine(snapshot: Snapshot, recordsPerSecond: number): string {
  const running = snapshot.tasks.filter((task) => task.state === 'running').length
  const restore = snapshot.stores.reduce(
    (sum, store) => ({ done: sum.done + store.restored, total: sum.total + store.restoreTotal }),
    { done: 0, total: 0 },
  )
  const dropped = Object.values(snapshot.errors.dropped).reduce((sum, count) => sum + count, 0)
  const over = snapshot.state === 'stopped' || snapshot.state === 'failed'
  const parts = [
    `${snapshot.app} ${snapshot.state}`,
    `in ${grouped.format(snapshot.recordsIn)} (${grouped.format(Math.round(recordsPerSecond))}/s)`,
    `out ${grouped.format(snapshot.recordsOut)}`,
    `lag ${grouped.format(snapshot.lag)}`,
    `commits ${grouped.format(snapshot.commits.count)}`,
  ]
  if (!over) parts.push(`tasks ${running}/${snapshot.tasks.length}`)
  if (!over && snapshot.standbys.length > 0) parts.push(`standbys ${snapshot.standbys.length}`)
  if (snapshot.commits.aborted > 0) parts.push(`aborted ${snapshot.commits.aborted}`)
  if (snapshot.state === 'restoring')
    parts.push(`restored ${grouped.format(restore.done)}/${grouped.format(restore.total)}`)
  if (snapshot.errors.deadLetters > 0) parts.push(`dead letters ${grouped.format(snapshot.errors.deadLetters)}`)
  if (dropped > 0) parts.push(`dropped ${grouped.format(dropped)}`)
  if (over) parts.push(`${(snapshot.uptimeMs / 1000).toFixed(1)} s`)
  return parts.join(' | ')
}

/** Fields of the `snapshot` event, and of the totals in `stopped`. */
export function snapshotFields(snapshot: Snapshot): object {
  return {
    state: snapshot.state,
    uptimeMs: Math.round(snapshot.uptimeMs),
    in: snapshot.recordsIn,
    out: snapshot.recordsOut,
    lag: snapshot.lag,
    commits: snapshot.commits,
    errors: snapshot.errors,
    tasks: snapshot.tasks.map((task) => ({
      id: task.id,
      state: task.state,
      records: task.records,
      streamTime: task.streamTime,
      restore: task.restore,
      inputs: task.inputs.map((input) => ({
        topic: input.topic,
        partition: input.partition,
        position: String(input.position),
        committed: input.committed === null ? null : String(input.committed),
        stableEnd: String(input.stableEnd),
        lag: input.lag,
      })),
    })),
    standbys: snapshot.standbys,
    stores: snapshot.stores,
  }
}
