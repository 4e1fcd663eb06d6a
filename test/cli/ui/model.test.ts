/** Rates, trends and what is left of a restore, from snapshots alone. */

import { describe, expect, it } from 'vitest'
import { statusLine } from '../../../src/cli/status.ts'
import { advance, beginHistory, minute, newest } from '../../../src/cli/ui/history.ts'
import { viewOf } from '../../../src/cli/ui/model.ts'
import { trees } from '../../../src/cli/ui/tree.ts'
import type { Snapshot } from '../../../src/metrics/snapshot.ts'
import { historyOf, viewAfter } from './draw.ts'
import { recording } from './recording.ts'

const [base] = recording(30).slice(-1)
if (base === undefined) throw new Error('no snapshot')
const at = (uptimeMs: number, more: Partial<Snapshot> = {}): Snapshot => ({ ...base, uptimeMs, ...more })

describe('rates', () => {
  it('are records between two snapshots by the monotonic clock', () => {
    const history = historyOf([at(0, { recordsIn: 1000 }), at(2000, { recordsIn: 6000 })])
    expect(newest(history.in)).toBe(2500)
  })

  it('are unknown before there are two snapshots', () => {
    expect(newest(beginHistory(base).in)).toBeNull()
    const [first] = viewOf(beginHistory(base)).subTopologies
    expect(first?.processors[0]?.rate).toBeNull()
  })

  it('of every processor and task', () => {
    const later = at(31_000, {
      processors: base.processors.map((processor) => ({
        ...processor,
        records: processor.records + processor.id * 10,
      })),
      tasks: base.tasks.map((task, index) => ({ ...task, records: task.records + index })),
    })
    const view = viewOf(advance(beginHistory(base), later))
    const rates = view.subTopologies
      .flatMap((sub) => sub.processors)
      .flatMap(({ rate }) => (rate === null ? [] : [rate]))
    expect(rates).toEqual([0, 10, 20, 30, 40, 50, 60, 70])
    expect(view.tasks.map((task) => task.rate)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('of a task that went away and came back begin at what it did since', () => {
    const task = base.tasks[0]
    if (task === undefined) throw new Error('no task')
    const with_ = (records: number) => [{ ...task, records }]
    const history = historyOf([at(0, { tasks: with_(900) }), at(1000, { tasks: with_(40) })])
    expect(newest(history.tasks.get(task.id))).toBe(40)
  })

  it('are not made from a snapshot taken twice', () => {
    const history = historyOf([at(0), at(1000), at(1000)])
    expect(history.in.values).toHaveLength(1)
  })

  it('are kept for a minute', () => {
    const history = historyOf(Array.from({ length: 100 }, (_, second) => at(second * 1000)))
    expect(history.in.values).toHaveLength(minute)
    expect(history.in.end).toBe(99)
  })

  it('of a task no longer here are forgotten', () => {
    expect(historyOf([at(0), at(1000), at(2000, { tasks: [] })]).tasks.size).toBe(0)
  })
})

describe('lag', () => {
  const trend = (lags: readonly number[]) =>
    viewOf(historyOf(lags.map((lag, second) => at(second * 1000, { lag })))).lagTrend
  it('falls, rises or stays', () => {
    expect(trend([1000, 900, 500])).toBe('falling')
    expect(trend([0, 100])).toBe('rising')
    expect(trend([1000, 1010])).toBe('steady')
    expect(trend([0, 0])).toBe('steady')
  })
})

describe('restore', () => {
  const restoring = (uptimeMs: number, done: number): Snapshot =>
    at(uptimeMs, {
      state: 'restoring',
      tasks: base.tasks.slice(0, 1).map((task) => ({
        ...task,
        state: 'restoring',
        restore: [{ store: 'counts', done, total: 1000 }],
      })),
    })
  const first = (snapshots: readonly Snapshot[]) => viewAfter(snapshots).tasks[0]?.restores[0]

  it('tells its speed and what is left', () => {
    expect(first([restoring(0, 0), restoring(1000, 100), restoring(2000, 200)])).toMatchObject({
      rate: 100,
      etaMs: 8000,
      stalledMs: 0,
    })
  })

  it('says for how long nothing has moved', () => {
    const still = Array.from({ length: 40 }, (_, second) => restoring(second * 1000, second < 5 ? second * 10 : 50))
    expect(first(still)).toMatchObject({ rate: 0, etaMs: null, stalledMs: 34_000 })
  })

  it('begun anew does not count backwards', () => {
    expect(first([restoring(0, 0), restoring(1000, 900), restoring(2000, 10)])).toMatchObject({
      rate: null,
      stalledMs: 0,
    })
  })
})

describe('the tree', () => {
  const names = (view = viewAfter([base])) =>
    view.subTopologies.map((sub) => sub.processors.map(({ rails, name }) => `${rails.length} ${name}`))

  it('is in the order records flow, with the topic that joins sub-topologies at the head of the second', () => {
    expect(names()).toEqual([
      ['0 lines', '1 words', '2 long-enough', '3 by-word', '1 lines-per-minute'],
      ['0 by-word-repartition', '1 counts', '2 to-stream-6', '3 word-counts'],
    ])
  })

  it('shows a processor with two parents once, and names the second', () => {
    const make = (id: number, parents: readonly number[]) => ({
      id,
      name: `p${id}`,
      kind: 'x',
      subTopology: 0,
      parents,
      topic: null,
      store: null,
      records: 0,
    })
    const [sub] = trees([make(0, []), make(1, []), make(2, [1, 0]), make(3, [2])])
    expect(sub?.nodes.map(({ processor, joins, rails }) => [processor.name, joins, rails])).toEqual([
      ['p0', [], []],
      ['p1', [], []],
      ['p2', ['p0'], [false]],
      ['p3', [], [false, false]],
    ])
  })

  it('tasks are sorted by number', () => {
    const task = base.tasks[0]
    if (task === undefined) throw new Error('no task')
    const tasks = ['1_0', '0_10', '0_2'].map((id) => ({ ...task, id }))
    expect(viewAfter([{ ...base, tasks }]).tasks.map(({ id }) => id)).toEqual(['0_2', '0_10', '1_0'])
  })
})

it('standbys are counted apart from tasks', () => {
  const standbys = [
    { id: '0_0', lag: 0 },
    { id: '0_1', lag: 3 },
  ]
  expect(viewOf(beginHistory(at(0, { standbys })))).toMatchObject({ standbys: 2, running: base.tasks.length })
  expect(statusLine(at(0, { standbys }), 0)).toContain(`| tasks ${base.tasks.length}/${base.tasks.length} | standbys 2`)
  expect(statusLine(at(0), 0)).not.toContain('standbys')
})
