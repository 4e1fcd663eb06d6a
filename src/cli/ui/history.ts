/** The last minute of snapshots as numbers per second; pure: a new snapshot gives a new history. */

import type { Snapshot } from '../../metrics/snapshot.ts'
import type { Series } from './sparkline.ts'

/** Samples kept of a series: a minute at one snapshot a second. */
export const minute = 60
const restoreSamples = 10

export interface RestoreHistory {
  readonly samples: readonly { readonly ms: number; readonly done: number }[]
  /** Uptime in ms at which it last moved. */
  readonly movedAt: number
}

export interface History {
  readonly latest: Snapshot
  /** Snapshots seen. */
  readonly seen: number
  /** Records per second. */
  readonly in: Series
  readonly out: Series
  /** Records. */
  readonly lag: Series
  /** Records per second by task id. */
  readonly tasks: ReadonlyMap<string, Series>
  /** Records per second between the two latest snapshots, by processor id. */
  readonly processors: ReadonlyMap<number, number>
  /** By `<task>/<store>`. */
  readonly restores: ReadonlyMap<string, RestoreHistory>
}

export function beginHistory(snapshot: Snapshot): History {
  const none: Series = { values: [], end: 0 }
  return {
    latest: snapshot,
    seen: 1,
    in: none,
    out: none,
    lag: { values: [snapshot.lag], end: 1 },
    tasks: new Map(),
    processors: new Map(),
    restores: restoresOf(snapshot, new Map()),
  }
}

export function advance(history: History, next: Snapshot): History {
  const last = history.latest
  const seconds = (next.uptimeMs - last.uptimeMs) / 1000
  // A snapshot taken twice says nothing about speed.
  if (seconds <= 0) return { ...history, latest: next }
  const end = history.in.end + 1
  const perSecond = (was: number, is: number): number => (is >= was ? is - was : is) / seconds
  const recordsOfTask = new Map(last.tasks.map((task) => [task.id, task.records]))
  const recordsOfProcessor = new Map(last.processors.map((processor) => [processor.id, processor.records]))
  return {
    latest: next,
    seen: history.seen + 1,
    in: push(history.in, perSecond(last.recordsIn, next.recordsIn), end),
    out: push(history.out, perSecond(last.recordsOut, next.recordsOut), end),
    lag: push(history.lag, next.lag, history.lag.end + 1),
    tasks: new Map(
      next.tasks.map((task) => {
        // A task that has come back counts from 0 again: what it has is what it did since.
        const rate = perSecond(recordsOfTask.get(task.id) ?? 0, task.records)
        return [task.id, push(history.tasks.get(task.id), rate, end)]
      }),
    ),
    processors: new Map(
      next.processors.map(({ id, records }) => [id, perSecond(recordsOfProcessor.get(id) ?? 0, records)]),
    ),
    restores: restoresOf(next, history.restores),
  }
}

function push(series: Series | undefined, value: number, end: number): Series {
  return { values: [...(series?.values ?? []), value].slice(-minute), end }
}

export function newest(series: Series | undefined): number | null {
  return series?.values.at(-1) ?? null
}

function restoresOf(
  snapshot: Snapshot,
  before: ReadonlyMap<string, RestoreHistory>,
): ReadonlyMap<string, RestoreHistory> {
  const ms = snapshot.uptimeMs
  return new Map(
    snapshot.tasks.flatMap((task) =>
      task.restore.map(({ store, done }) => {
        const key = `${task.id}/${store}`
        const was = before.get(key)
        const lastDone = was?.samples.at(-1)?.done
        // Less than before is a restore begun anew.
        const kept = was !== undefined && lastDone !== undefined && lastDone <= done ? was.samples : []
        const movedAt = was !== undefined && lastDone === done ? was.movedAt : ms
        return [key, { samples: [...kept, { ms, done }].slice(-restoreSamples), movedAt }] as const
      }),
    ),
  )
}

/** Changelog offsets per second over the last samples; null before there are two. */
export function restoreRate(history: RestoreHistory | undefined): number | null {
  const first = history?.samples[0]
  const last = history?.samples.at(-1)
  if (first === undefined || last === undefined || last.ms <= first.ms) return null
  return ((last.done - first.done) * 1000) / (last.ms - first.ms)
}
