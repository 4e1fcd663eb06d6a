import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { differences, expectedCounts, randomLines, seeded } from './support/lines.ts'
import { endsWith, type RunProcess, startRun } from './support/run-process.ts'
import { createTopic, readCounts, writeLines } from './support/topic.ts'

const bootstrap = inject('bootstrap')
const topology = fileURLToPath(new URL('fixtures/counting.ts', import.meta.url))
const partitions = 4
const seed = Number(process.env.STREAMCTL_TEST_SEED ?? Date.now() % 1_000_000)

let app: string
let broker: Broker
let dir: string
let running: RunProcess[]

beforeEach(async () => {
  app = `counting-${Date.now()}-${process.pid}`
  dir = await mkdtemp(join(tmpdir(), 'streamctl-eos-'))
  broker = await connectKafka({ bootstrap })
  running = []
  await createTopic(broker, `${app}-lines`, partitions)
  await createTopic(broker, `${app}-counts`, partitions)
})

afterEach(async () => {
  for (const run of running) run.kill('SIGKILL')
  await Promise.all(running.map((run) => run.ended))
  await broker.close()
  await rm(dir, { recursive: true })
})

/** Each line takes 0.1 ms, so that a run is long enough to be interrupted. */
function start(state: string, ...more: readonly string[]): RunProcess {
  process.env.COUNTING_TOPICS = app
  process.env.COUNTING_SPIN_MICROSECONDS = '100'
  const run = startRun([topology, '--broker', bootstrap, '--app-id', app, '--state-dir', join(dir, state), ...more])
  running.push(run)
  return run
}

/** Input records whose results are committed. */
async function committed(): Promise<number> {
  const inputs = Array.from({ length: partitions }, (_, partition) => ({ topic: `${app}-lines`, partition }))
  return (await broker.committed(app, inputs)).reduce((sum, { offset }) => sum + offset, 0)
}

/** Waits until so many input records are committed, and fails when the process ends before. */
async function untilCommitted(count: number, run: RunProcess): Promise<void> {
  let status: unknown
  void run.ended.then((ended) => {
    status = ended
  })
  while ((await committed()) < count) {
    if (status !== undefined) throw new Error(`the run ended with ${status}:\n${run.log()}`)
    await setTimeout(20)
  }
}

async function expectExact(lines: readonly string[]): Promise<void> {
  expect(differences(await readCounts(bootstrap, `${app}-counts`), expectedCounts(lines))).toEqual([])
}

test(`kill -9 ten times while running, with one worker, then two: what a Java consumer reads is exact (seed ${seed})`, async () => {
  const random = seeded(seed)
  const lines = randomLines(100_000, random)
  await writeLines(bootstrap, `${app}-lines`, partitions, lines)
  const kills = 10
  const restored = new Set<string | undefined>()
  for (let kill = 0; kill < kills; kill++) {
    const run = start('only', '--workers', kill < kills / 2 ? '1' : '2')
    const before = await committed()
    // A part of what is left, so that every kill lands while there is work, and the last one too.
    const goal = before + Math.ceil(((lines.length - before) * random()) / (kills - kill + 1))
    await untilCommitted(goal, run)
    await setTimeout(random() * 150)
    run.kill('SIGKILL')
    expect(await run.ended).toBe('SIGKILL')
    expect(await committed(), `kill ${kill + 1} came too late to interrupt anything`).toBeLessThan(lines.length)
    expect(run.log()).not.toMatch(/wiped/)
    for (const [, task] of run.log().matchAll(/task (\S+): restoring \d+ changelog offsets from checkpoint/g))
      restored.add(task)
    for (const [, task] of run.log().matchAll(/task (\S+): restoring \d+ changelog offsets from the start/g)) {
      expect(restored, `task ${task} had a checkpoint and read its changelog from the start`).not.toContain(task)
    }
  }
  const last = start('only', '--workers', '2', '--until', 'caught-up')
  await endsWith(last, 0)
  expect(restored.size, 'no restart replayed from a checkpoint').toBeGreaterThan(0)
  await expectExact(lines)
})

test(`two processes share the partitions, one is killed, the other takes over, and scales back (seed ${seed})`, async () => {
  const lines = randomLines(100_000, seeded(seed + 1))
  await writeLines(bootstrap, `${app}-lines`, partitions, lines)
  const session = ['--session-timeout', '6s']
  const first = start('first', ...session)
  const second = start('second', ...session)
  await second.said(/generation \d+: [1-9]/)
  await untilCommitted((await committed()) + 1000, second)
  second.kill('SIGKILL')
  await second.ended
  const atKill = await committed()
  expect(atKill, 'the kill came too late to interrupt anything').toBeLessThan(lines.length)
  const third = start('third', ...session)
  await third.said(/generation \d+: [1-9]/)
  expect(await committed(), 'the third came too late to share anything').toBeLessThan(lines.length)
  third.kill('SIGTERM')
  await endsWith(third, 0)
  await untilCommitted(lines.length, first)
  const finish = start('finish', ...session, '--until', 'caught-up')
  await endsWith(finish, 0)
  first.kill('SIGTERM')
  await endsWith(first, 0)
  expect(first.log()).toMatch(/generation \d+: [1-9]/)
  await expectExact(lines)
})

test(`a process that has copies takes over from one that is killed, and restores the rest alone (seed ${seed})`, async () => {
  const lines = randomLines(100_000, seeded(seed + 2))
  await writeLines(bootstrap, `${app}-lines`, partitions, lines)
  const options = ['--session-timeout', '6s', '--standbys', '1', '--workers', '2']
  const first = start('first', ...options)
  const second = start('second', ...options)
  for (const run of [first, second]) await run.said(/generation \d+: 2 tasks \(\S+ \S+\), 1 standbys \(\S+\)/)
  await untilCommitted((await committed()) + 10_000, second)
  const said = second.log().length
  first.kill('SIGKILL')
  await first.ended
  expect(await committed(), 'the kill came too late to interrupt anything').toBeLessThan(lines.length)
  await untilCommitted(lines.length, second)
  second.kill('SIGTERM')
  await endsWith(second, 0)
  const after = second.log().slice(said)
  expect(after).toMatch(/generation \d+: 4 tasks/)
  expect(after).not.toMatch(/from the start/)
  await expectExact(lines)
})
