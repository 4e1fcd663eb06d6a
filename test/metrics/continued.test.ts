import { expect, test } from 'vitest'
import { continued } from '../../src/metrics/continued.ts'
import type { ProcessorSnapshot, Snapshot } from '../../src/metrics/snapshot.ts'

function processor(id: number, name: string, records: number): ProcessorSnapshot {
  return { id, name, kind: 'source', subTopology: 0, parents: [], topic: name, store: null, records }
}

const before: Snapshot = {
  at: 1000,
  app: 'a',
  broker: 'b',
  state: 'stopped',
  uptimeMs: 900,
  recordsIn: 10,
  recordsOut: 7,
  lag: 3,
  processors: [processor(0, 'one', 4), processor(1, 'gone', 6), processor(2, 'last', 7)],
  standbys: [],
  tasks: [],
  stores: [],
  commits: { count: 5, aborted: 1, lastMs: 8, rebalances: 2 },
  errors: { deadLetters: 1, dropped: { late: 2, 'null-key': 1 }, last: 'was' },
}
const now: Snapshot = {
  ...before,
  at: 2000,
  state: 'running',
  uptimeMs: 50,
  recordsIn: 2,
  recordsOut: 1,
  lag: 9,
  processors: [processor(0, 'one', 1), processor(1, 'new', 1), processor(2, 'more', 0), processor(3, 'last', 1)],
  commits: { count: 1, aborted: 0, lastMs: 3, rebalances: 1 },
  errors: { deadLetters: 2, dropped: { late: 1, 'invalid-timestamp': 4 }, last: null },
}

test('what is counted goes on, what is measured is as it is now', () => {
  const snapshot = continued(now, before)
  expect(snapshot).toMatchObject({
    at: 2000,
    state: 'running',
    uptimeMs: 950,
    recordsIn: 12,
    recordsOut: 8,
    lag: 9,
    commits: { count: 6, aborted: 1, lastMs: 3, rebalances: 3 },
    errors: { deadLetters: 3, dropped: { late: 3, 'null-key': 1, 'invalid-timestamp': 4 }, last: 'was' },
  })
  // By name: a topic more has given the others other numbers.
  expect(snapshot.processors.map(({ id, name, records }) => [id, name, records])).toEqual([
    [0, 'one', 5],
    [1, 'new', 1],
    [2, 'more', 0],
    [3, 'last', 8],
  ])
})
