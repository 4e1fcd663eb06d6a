/** Two processes of an application with standbys: what is left to do when the one that runs a task dies. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { startApp } from '../../src/runtime/app.ts'
import type { AppOptions } from '../../src/runtime/app-options.ts'
import { consumed, type Event, feed, ledger, model, partitions, read, topics } from './ledger.ts'
import { type LedgerProcess, startLedger } from './process.ts'

let cluster: EmbeddedBroker
let dir: string
let running: LedgerProcess[]

beforeEach(async () => {
  cluster = await openEmbedded()
  await cluster.createTopics(topics.map((name) => ({ name, partitions, configs: {} })))
  dir = await mkdtemp(join(tmpdir(), 'streamctl-takeover-'))
  running = []
})

afterEach(async () => {
  for (const process of running) await process.crash()
  await cluster.close()
  await rm(dir, { recursive: true, force: true })
})

async function start(name: string, options: Partial<AppOptions> = {}): Promise<LedgerProcess> {
  const process = await startLedger(cluster, join(dir, name), undefined, { standbys: 1, ...options })
  running.push(process)
  return process
}

/** Keys, letters and times that differ, all within the windows' reach. */
function events(count: number, from = 0): readonly Event[] {
  return Array.from({ length: count }, (_, i) => ({
    partition: i % partitions,
    key: `k${i % 7}`,
    value: 'abcdef'[i % 6] as string,
    timestamp: Math.floor((from + i) / 8),
  }))
}

const tasksOf = ({ app }: LedgerProcess) => app.snapshot().tasks.map(({ id }) => id)
const standbysOf = ({ app }: LedgerProcess) => app.snapshot().standbys.map(({ id }) => id)

/** Both run half of the tasks, and copy the other half to the end. */
async function shared(a: LedgerProcess, b: LedgerProcess): Promise<void> {
  await expect.poll(() => [a, b].map((one) => standbysOf(one).length), { timeout: 10_000 }).toEqual([2, 2])
  await expect
    .poll(() => [a, b].map(({ app }) => app.snapshot().state), { timeout: 10_000 })
    .toEqual(['running', 'running'])
}

/** What the process has restored since it had logged that much. */
function restored({ log }: LedgerProcess, since: number) {
  const found = log.slice(since).flatMap((line) => {
    const match = /of task (\S+): restoring (\d+) changelog offsets from (checkpoint|the start)/.exec(line)
    return match === null ? [] : [{ task: match[1], offsets: Number(match[2]), from: match[3] }]
  })
  return {
    offsets: found.reduce((sum, { offsets }) => sum + offsets, 0),
    starts: found.filter(({ from }) => from !== 'checkpoint'),
  }
}

async function changelogOffsets(): Promise<number> {
  const names = [...(await cluster.topics()).keys()].filter((name) => name.endsWith('-changelog'))
  const ends = await cluster.offsets(
    names.flatMap((topic) => Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))),
    'end',
  )
  return ends.reduce((sum, { offset }) => sum + offset, 0)
}

test.each([
  ['on disk and in memory', {}],
  ['in memory alone', { stateDir: null }],
] as const)('the one that is left has the state of the other: %s', async (_, options) => {
  const fed = [...events(2000)]
  await feed(cluster, fed)
  const a = await start('a', options)
  await consumed(cluster)
  const b = await start('b', options)
  await shared(a, b)
  fed.push(...events(2000, 2000))
  await feed(cluster, events(2000, 2000))
  await consumed(cluster)
  // Of what had been asked for when the last commit was there.
  await expect.poll(() => b.app.snapshot().standbys.map(({ lag }) => lag), { timeout: 10_000 }).toEqual([0, 0])
  const taken = tasksOf(a)
  expect(standbysOf(b)).toEqual(taken)
  expect(b.log.join('\n')).toMatch(/generation \d+: 2 tasks \(\S+ \S+\), 2 standbys \(\S+ \S+\)/)
  const before = b.log.length
  await a.crash()
  await expect.poll(() => tasksOf(b), { timeout: 10_000 }).toHaveLength(4)
  fed.push(...events(50, 4000))
  await feed(cluster, events(50, 4000))
  await consumed(cluster)
  expect(standbysOf(b)).toEqual([])
  const { offsets, starts } = restored(b, before)
  expect(starts).toEqual([])
  // All that there was took thousands; left is what came between the last look and the death.
  expect(await changelogOffsets()).toBeGreaterThan(1000)
  expect(offsets).toBeLessThan(100)
  await b.app.stop()
  expect(await read(cluster)).toEqual(model(fed))
})

test('a process that comes back copies what it ran, from where it was', async () => {
  const fed = [...events(1000)]
  await feed(cluster, fed)
  const a = await start('a')
  await consumed(cluster)
  const b = await start('b')
  await shared(a, b)
  await a.crash()
  await expect.poll(() => tasksOf(b), { timeout: 10_000 }).toHaveLength(4)
  fed.push(...events(100, 1000))
  await feed(cluster, events(100, 1000))
  await consumed(cluster)
  const before = b.log.length
  const again = await start('a')
  await shared(b, again)
  await consumed(cluster)
  expect([...tasksOf(b)].sort()).toEqual([...standbysOf(again)].sort())
  expect([...tasksOf(again)].sort()).toEqual([...standbysOf(b)].sort())
  // The tasks that b gave away it goes on with as copies; nobody restores from the start what lies on a disk.
  const starts = [...restored(again, 0).starts, ...restored(b, before).starts].map(({ task }) => task)
  const memory = starts.filter((task) => task === '0_0' || task === '0_1')
  expect(starts).toEqual(memory)
  await b.app.stop()
  fed.push(...events(100, 1100))
  await feed(cluster, events(100, 1100))
  await consumed(cluster)
  await again.app.stop()
  expect(await read(cluster)).toEqual(model(fed))
})

test('alone, a process has no standbys, and without the option two have none', async () => {
  const a = await start('a', { standbys: 0 })
  const b = await start('b', { standbys: 0 })
  await expect.poll(() => [a, b].map((one) => tasksOf(one).length), { timeout: 10_000 }).toEqual([2, 2])
  expect([a, b].flatMap(standbysOf)).toEqual([])
  await a.app.stop()
  await expect.poll(() => tasksOf(b), { timeout: 10_000 }).toHaveLength(4)
  expect(standbysOf(b)).toEqual([])
})

test.each([-1, 0.5, Number.NaN])('%s is no number of copies', async (standbys) => {
  await expect(startApp(ledger, { broker: cluster, stateDir: null, standbys })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  })
})
