/** Local state that its process has no more: removed after its time, told no more, and made anew when the task comes back. */

import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { startApp } from '../../src/runtime/app.ts'
import type { AppOptions, StreamsApp } from '../../src/runtime/app-options.ts'
import { readMember } from '../../src/runtime/member-data.ts'
import { StateCleanup } from '../../src/runtime/state-cleanup.ts'
import { openLevel } from '../../src/state/level.ts'
import { markerFile } from '../../src/state/marker.ts'
import { openTaskState } from '../../src/state/task-state.ts'
import { consumed, type Event, feed, ledger, model, partitions, read, topics } from './ledger.ts'

/** When a removal may go on; and how many were begun. */
const removal = vi.hoisted(() => ({ begun: 0, mayGoOn: Promise.resolve() }))

vi.mock('../../src/state/stale.ts', async (original) => {
  const real = await original<typeof import('../../src/state/stale.ts')>()
  return {
    ...real,
    removeUnused: async (...args: Parameters<typeof real.removeUnused>) => {
      removal.begun++
      await removal.mayGoOn
      return real.removeUnused(...args)
    },
  }
})

const hour = 3_600_000

let cluster: EmbeddedBroker
let dir: string
let running: StreamsApp[]

beforeEach(async () => {
  cluster = await openEmbedded()
  await cluster.createTopics(topics.map((name) => ({ name, partitions, configs: {} })))
  dir = await mkdtemp(join(tmpdir(), 'streamctl-cleanup-'))
  running = []
  removal.begun = 0
  removal.mayGoOn = Promise.resolve()
})

afterEach(async () => {
  for (const app of running) await app.stop().catch(() => undefined)
  await cluster.close()
  await rm(dir, { recursive: true, force: true })
})

/** A process whose clock stands still until it is moved. */
async function start(name: string, options: Partial<AppOptions> = {}) {
  const broker = cluster.connect()
  const join = vi.spyOn(broker, 'join')
  const log: string[] = []
  const clock = { now: Date.now() }
  const app = await startApp(ledger, {
    broker,
    stateDir: `${dir}/${name}`,
    commitIntervalMs: 5,
    // Which is how often it looks, too.
    stateCleanupDelayMs: 20,
    clock: () => clock.now,
    log: (level, message) => log.push(`${level} ${message}`),
    ...options,
  })
  running.push(app)
  /** What the leader is told at the next rebalance. */
  const held = () => [...readMember(join.mock.calls[0]?.[0].userData() as Buffer).held.keys()].sort()
  const tasks = () => app.snapshot().tasks.map(({ id }) => id)
  const onDisk = async () => (await readdir(`${dir}/${name}/ledger`)).filter((file) => /^\d+_\d+/.test(file)).sort()
  return { app, log, clock, held, tasks, onDisk }
}

const all = ['0_0', '0_1', '1_0', '1_1']

function events(count: number, from = 0): readonly Event[] {
  return Array.from({ length: count }, (_, i) => ({
    partition: i % partitions,
    key: `k${i % 7}`,
    value: 'abcdef'[i % 6] as string,
    timestamp: Math.floor((from + i) / 8),
  }))
}

test('a task that moved leaves nothing behind after the delay, and is restored when it comes back', async () => {
  const fed = [...events(400)]
  await feed(cluster, fed)
  const a = await start('a')
  await consumed(cluster)
  expect(await a.onDisk()).toEqual(all)
  const b = await start('b')
  await expect.poll(() => [a, b].map((one) => one.tasks().length), { timeout: 10_000 }).toEqual([2, 2])
  const stayed = [...a.tasks()].sort()
  const moved = all.filter((task) => !stayed.includes(task))
  expect(await a.onDisk()).toEqual(all)
  expect(a.held()).toEqual(all)
  a.clock.now += hour
  await expect.poll(() => a.onDisk(), { timeout: 10_000 }).toEqual(stayed)
  await expect.poll(() => a.log.filter((line) => line.includes('was removed')).sort()).toHaveLength(2)
  for (const task of moved) {
    expect(a.log.join('\n')).toMatch(
      new RegExp(`^info state of task ${task} was removed: not used for 3[56]\\d\\d s$`, 'm'),
    )
  }
  expect(a.held()).toEqual(stayed)
  // Else what is opened from now on would be unused at once.
  a.clock.now -= hour
  expect(await b.onDisk()).toEqual(moved)
  fed.push(...events(400, 400))
  await feed(cluster, events(400, 400))
  await consumed(cluster)
  const before = a.log.length
  await b.app.stop()
  await expect.poll(() => a.tasks().length, { timeout: 10_000 }).toBe(4)
  fed.push(...events(100, 800))
  await feed(cluster, events(100, 800))
  await consumed(cluster)
  await a.app.stop()
  const restored = a.log.slice(before).join('\n')
  for (const task of moved)
    expect(restored).toMatch(new RegExp(`of task ${task}: restoring \\d+ changelog offsets from the start`))
  expect(a.log.filter((line) => line.startsWith('warn'))).toEqual([])
  expect(await a.onDisk()).toEqual(all)
  expect(await read(cluster)).toEqual(model(fed))
})

test('state that a standby follows stays', async () => {
  await feed(cluster, events(100))
  const a = await start('a', { standbys: 1 })
  const b = await start('b', { standbys: 1 })
  const standbys = () => [a, b].map(({ app }) => app.snapshot().standbys.length)
  await expect.poll(standbys, { timeout: 10_000 }).toEqual([2, 2])
  // What it would have to remove if a standby did not count.
  await left('7_7', `${dir}/a/ledger`)
  await expect.poll(() => a.held(), { timeout: 10_000 }).toEqual(all)
  a.clock.now += hour
  await expect.poll(() => a.onDisk(), { timeout: 10_000 }).toEqual(all)
  expect(removal.begun).toBe(1)
  expect(a.held()).toEqual(all)
  expect(a.log.filter((line) => line.includes('state of task'))).toEqual([expect.stringContaining('7_7 was removed')])
})

test('who finds state of its own locked waits for it, though there is one engine', async () => {
  await feed(cluster, events(20))
  const a = await start('a')
  await consumed(cluster)
  await a.app.stop()
  const database = `${dir}/a/ledger/0_0/db`
  const lock = await openLevel(database, { createIfMissing: false })
  // LevelDB begins another log of what it does before it looks whether it may.
  const log = () =>
    stat(`${database}/LOG`).then(
      ({ ino }) => ino,
      () => 0,
    )
  const before = await log()
  const again = await start('a')
  await expect.poll(log, { interval: 1, timeout: 10_000 }).not.toBe(before)
  await lock.close()
  await expect.poll(() => again.app.snapshot().state, { timeout: 10_000 }).toBe('running')
  expect(again.tasks()).toHaveLength(4)
})

test.each([0, -1, 0.5, Number.NaN])('%s is no delay', async (stateCleanupDelayMs) => {
  await expect(startApp(ledger, { broker: cluster, stateDir: null, stateCleanupDelayMs })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('stateCleanupDelayMs'),
  })
})

/** State of a task, closed long ago. */
async function left(task: string, path = dir): Promise<string> {
  const directory = join(path, task)
  const state = await openTaskState({ dir: directory, taskId: task, warn: () => undefined })
  await state.close()
  await utimes(join(directory, markerFile), 1, 1)
  return directory
}

function cleanup(now: () => number) {
  const log: string[] = []
  const cleaning = new StateCleanup({
    path: dir,
    delayMs: 10,
    open: () => new Set(['0_1']),
    clock: now,
    log: (level, message) => log.push(`${level} ${message}`),
  })
  return { cleaning, log }
}

test('what a killed process left counts as used until the next one starts; an unfinished removal does not', async () => {
  await left('0_0')
  await cp(join(dir, '0_0'), join(dir, '2_2-stale'), { recursive: true })
  let now = Date.now()
  const { cleaning, log } = cleanup(() => now)
  await expect.poll(() => existsSync(join(dir, '2_2-stale'))).toBe(false)
  now += 9
  await mkdir(join(dir, '3_3-stale'))
  await writeFile(join(dir, '3_3-stale', markerFile), '')
  await expect.poll(() => existsSync(join(dir, '3_3-stale'))).toBe(false)
  expect(await readdir(dir)).toEqual(['0_0'])
  now += 1
  await expect.poll(() => readdir(dir)).toEqual([])
  await cleaning.stop()
  expect(log).toEqual(['info state of task 0_0 was removed: not used for 0 s'])
})

test('what does not open is told once, and keeps nothing else from being removed', async () => {
  await rm(join(await left('0_0'), 'db', 'CURRENT'))
  await left('0_1')
  await left('0_2')
  let now = 0
  const { cleaning, log } = cleanup(() => now)
  now = Date.now() + hour
  await expect.poll(() => removal.begun).toBeGreaterThan(4)
  await cleaning.stop()
  expect((await readdir(dir)).sort()).toEqual(['0_0', '0_1'])
  expect(log.map((line) => line.replaceAll(dir, 'DIR'))).toEqual([
    expect.stringMatching(
      /^warn state of task 0_0 stays in DIR, though not used for \d+ s: DIR\/0_0\/db cannot be opened/,
    ),
    expect.stringMatching(/^info state of task 0_2 was removed: not used for \d+ s$/),
  ])
})

test('a stop waits for the removal under way, and begins no other', async () => {
  await left('0_0')
  await left('0_2')
  const hold = Promise.withResolvers<void>()
  removal.mayGoOn = hold.promise
  let now = 0
  const { cleaning } = cleanup(() => now)
  now = Date.now() + hour
  await expect.poll(() => removal.begun).toBe(1)
  const ended: string[] = []
  const stopped = cleaning.stop().then(() => ended.push('stopped'))
  await new Promise(setImmediate)
  expect(ended).toEqual([])
  hold.resolve()
  await stopped
  expect(await readdir(dir)).toHaveLength(1)
  expect(removal.begun).toBe(1)
})
