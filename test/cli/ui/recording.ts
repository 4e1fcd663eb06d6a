/** A run as its snapshots tell it, second by second: it starts, restores, runs, loses the broker, comes back and at last fails. */

import type { AppState, ProcessorSnapshot, Snapshot, TaskSnapshot, TaskState } from '../../../src/metrics/snapshot.ts'

export type Moment = 'starting' | 'restoring' | 'running' | 'recovering' | 'failed'

/** 2026-11-21 12:00:00 UTC. */
const startedAt = Date.UTC(2026, 10, 21, 12)
const partitions = 4

/** Seconds from the start at which each moment is best seen. */
export const momentAt: Readonly<Record<Moment, number>> = {
  starting: 1,
  restoring: 9,
  running: 80,
  recovering: 86,
  failed: 100,
}

export function stateAt(second: number): AppState {
  if (second < 2) return 'starting'
  if (second < 4) return 'rebalancing'
  if (second < 14) return 'restoring'
  if (second >= 84 && second < 90) return 'recovering'
  return second < 98 ? 'running' : 'failed'
}

/** Snapshots of the seconds 0 to `last`. */
export function recording(last: number): readonly Snapshot[] {
  const snapshots: Snapshot[] = []
  let lines = 0
  for (let second = 0; second <= last; second++) {
    // Waves, so that sparklines have a shape; no randomness, so that frames are the same every time.
    if (stateAt(second) === 'running') lines += Math.round(12_000 + 9_000 * Math.sin(second / 7))
    snapshots.push(snapshotAt(second, lines))
  }
  return snapshots
}

function snapshotAt(second: number, lines: number): Snapshot {
  const state = stateAt(second)
  const words = lines * 9
  const lag = state === 'recovering' ? 40_000 + 15_000 * (second - 84) : Math.max(0, 90_000 - lines / 4)
  return {
    at: startedAt + second * 1000,
    app: 'word-count',
    broker: 'kafka localhost:9092',
    state,
    uptimeMs: second * 1000,
    recordsIn: lines + words,
    recordsOut: words,
    lag: second < 4 ? 0 : Math.round(lag),
    processors: processors(lines, words),
    tasks: second < 3 ? [] : tasks(second, lines, words, Math.round(lag)),
    standbys: [],
    stores: [
      {
        name: 'counts',
        kind: 'key-value',
        tasks: second < 3 ? 0 : partitions,
        cachedRows: state === 'running' ? 18_204 + second : 0,
        diskBytes: second < 3 ? null : 48_300_000 + words,
        restored: state === 'restoring' ? restored(second) * 3 : 0,
        restoreTotal: state === 'restoring' ? 2_300_410 * 3 : 0,
      },
      {
        name: 'recent-lines',
        kind: 'window',
        tasks: second < 3 ? 0 : partitions,
        cachedRows: state === 'running' ? 960 : 0,
        diskBytes: null,
        restored: 0,
        restoreTotal: 0,
      },
    ],
    commits: {
      count: Math.max(0, second - 14) * 10,
      aborted: second >= 84 ? 1 : 0,
      lastMs: 40 + (second % 7) * 9,
      rebalances: second >= 90 ? 2 : second >= 3 ? 1 : 0,
    },
    errors: {
      deadLetters: second > 40 ? 3 : 0,
      dropped: second > 50 ? { 'late-record': 12, 'null-key': 4 } : {},
      last: lastError(state, second),
    },
  }
}

function lastError(state: AppState, second: number): string | null {
  if (state === 'failed') {
    return 'SERDE: record at lines-2 offset 88,120,410 cannot be read: invalid UTF-8 at byte 17. Nothing after offset 88,120,409 of lines-2 is committed. Send such records to a dead-letter topic with onError, or repair the producer that wrote it.'
  }
  if (second >= 84)
    return 'UNREACHABLE: cannot reach kafka at localhost:9092: connection refused; uncommitted work is dropped and redone'
  return null
}

function processors(lines: number, words: number): readonly ProcessorSnapshot[] {
  const make = (
    id: number,
    subTopology: number,
    parents: readonly number[],
    kind: string,
    name: string,
    records: number,
    more: Partial<ProcessorSnapshot> = {},
  ): ProcessorSnapshot => ({ id, name, kind, subTopology, parents, topic: null, store: null, records, ...more })
  return [
    make(0, 0, [], 'source', 'lines', lines, { topic: 'lines' }),
    make(1, 0, [0], 'flat-map-values', 'words', words),
    make(2, 0, [1], 'filter', 'long-enough', Math.round(words * 0.8)),
    make(3, 0, [2], 'repartition', 'by-word', Math.round(words * 0.8), {
      topic: 'word-count-by-word-repartition',
    }),
    make(4, 0, [0], 'window-aggregate', 'lines-per-minute', lines, { store: 'recent-lines' }),
    make(5, 1, [3], 'aggregate', 'counts', Math.round(words * 0.8), { store: 'counts' }),
    make(6, 1, [5], 'to-stream', 'to-stream-6', Math.round(words * 0.8)),
    make(7, 1, [6], 'sink', 'word-counts', Math.round(words * 0.8), { topic: 'word-counts' }),
  ]
}

function tasks(second: number, lines: number, words: number, lag: number): readonly TaskSnapshot[] {
  const state = stateAt(second)
  const restoring = state === 'restoring'
  const taskState = (stateful: boolean): TaskState => {
    if (state === 'rebalancing') return 'created'
    if (restoring && stateful) return 'restoring'
    if (state === 'recovering') return 'suspended'
    return state === 'failed' ? 'closed' : 'running'
  }
  const task = (sub: number, partition: number, topic: string, records: number): TaskSnapshot => {
    const share = Math.round((records * (partition + 1)) / 10)
    const position = 88_000_000 * (1 - sub) + share
    const behind = sub === 0 ? Math.round((lag * (partition + 1)) / 10) : 0
    return {
      id: `${sub}_${partition}`,
      state: taskState(sub === 1 && partition < 3),
      inputs: [
        {
          topic,
          partition,
          position,
          committed: second < 15 ? null : position - (state === 'running' ? 120 : 0),
          stableEnd: position + behind,
          lag: behind,
        },
      ],
      records: share,
      streamTime: startedAt + second * 1000,
      restore:
        restoring && sub === 1 && partition < 3
          ? [{ store: 'counts', done: partition === 2 ? 120_000 : restored(second), total: 2_300_410 }]
          : [],
      cachedRows: 0,
    }
  }
  return [0, 1].flatMap((sub) =>
    Array.from({ length: partitions }, (_, partition) =>
      sub === 0 ? task(0, partition, 'lines', lines) : task(1, partition, 'word-count-by-word-repartition', words),
    ),
  )
}

function restored(second: number): number {
  return Math.min(2_300_410, Math.max(0, second - 3) * 210_000)
}
