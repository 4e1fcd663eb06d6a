/** A table whose topic is its changelog, on a real Kafka: killed again and again, with and without its disk, beside a model. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { int64 } from 'streamctl'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { noHeaders } from '../../src/common/record.ts'
import { seeded } from './support/lines.ts'
import { endsWith, type RunProcess, startRun } from './support/run-process.ts'
import { createTopic, readCounts } from './support/topic.ts'

const bootstrap = inject('bootstrap')
const topology = fileURLToPath(new URL('fixtures/people.ts', import.meta.url))
const partitions = 2
const seed = Number(process.env.STREAMCTL_TEST_SEED ?? Date.now() % 1_000_000)

let app: string
let broker: Broker
let dir: string
let running: RunProcess[]

beforeEach(async () => {
  app = `people-${Date.now()}-${process.pid}`
  dir = await mkdtemp(join(tmpdir(), 'streamctl-source-'))
  broker = await connectKafka({ bootstrap })
  running = []
  for (const name of ['seen', 'sums', 'letters']) await createTopic(broker, `${app}-${name}`, partitions)
})

afterEach(async () => {
  for (const run of running) run.kill('SIGKILL')
  await Promise.all(running.map((run) => run.ended))
  await broker.close()
  await rm(dir, { recursive: true })
})

/** With the directory goes the name that the group knows the process by: the next one waits for the session to end. */
function start(...more: readonly string[]): RunProcess {
  process.env.PEOPLE_TOPICS = app
  process.env.PEOPLE_SPIN_MICROSECONDS = '100'
  const run = startRun([
    topology,
    '--broker',
    bootstrap,
    '--app-id',
    app,
    '--state-dir',
    join(dir, 'state'),
    '--session-timeout',
    '6s',
    ...more,
  ])
  running.push(run)
  return run
}

async function createPeople(policy: string): Promise<void> {
  await broker.createTopics([{ name: `${app}-people`, partitions, configs: { 'cleanup.policy': policy } }])
}

async function committed(): Promise<number> {
  const inputs = Array.from({ length: partitions }, (_, partition) => ({ topic: `${app}-people`, partition }))
  return (await broker.committed(app, inputs)).reduce((sum, { offset }) => sum + offset, 0)
}

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

/** Committed records of a topic. */
async function recordsOf(topic: string): Promise<number> {
  const ends = await broker.offsets(
    [0, 1].map((partition) => ({ topic, partition })),
    'stable',
  )
  const fetcher = broker.fetcher()
  fetcher.assign(ends.map((end) => ({ ...end, offset: 0 })))
  const left = new Map(ends.map(({ partition, offset }) => [partition, offset]))
  let found = 0
  while (left.size > 0) {
    for (const { partition, records, position } of await fetcher.poll(100)) {
      found += records.length
      if (position >= (left.get(partition) ?? 0)) left.delete(partition)
    }
  }
  await fetcher.close()
  return found
}

/** Writes random values of 500 keys, deletions and what does not read among them. @returns what must come out: the updates of each key, and the last sums. */
async function writePeople(count: number, random: () => number) {
  const producer = await broker.plainProducer()
  const output = producer.output(`${app}-people`)
  const seen = new Map<string, number[]>()
  const rows = new Map<string, number>()
  let letters = 0
  for (let i = 0; i < count; i++) {
    const n = Math.floor(random() * 500)
    const key = `person-${n}`
    const kind = random()
    const value = kind < 0.1 ? null : Math.floor(random() * 1000)
    const isBad = kind > 0.97
    const bytes = isBad ? Buffer.from('bad') : value === null ? null : int64.serialize(BigInt(value))
    output.append(n % partitions, Buffer.from(key), bytes, i, noHeaders)
    if (i % 10_000 === 9999) await producer.flush()
    if (isBad) letters++
    else {
      seen.set(key, [...(seen.get(key) ?? []), value ?? -1])
      if (value === null) rows.delete(key)
      else rows.set(key, value)
    }
  }
  await producer.flush()
  await producer.close()
  const sums = { even: 0, odd: 0 }
  for (const value of rows.values()) sums[value % 2 === 0 ? 'even' : 'odd'] += value
  return { seen, sums, letters }
}

test(`kill -9 four times, every other time with the state directory deleted: what a Java consumer reads is exact (seed ${seed})`, async () => {
  await createPeople('compact')
  const random = seeded(seed)
  const count = 60_000
  const { seen, sums, letters } = await writePeople(count, random)
  const kills = 4
  for (let kill = 0; kill < kills; kill++) {
    const run = start()
    const before = await committed()
    await untilCommitted(before + Math.ceil(((count - before) * random()) / (kills - kill + 1)), run)
    await setTimeout(random() * 150)
    run.kill('SIGKILL')
    expect(await run.ended).toBe('SIGKILL')
    expect(await committed(), `kill ${kill + 1} came too late to interrupt anything`).toBeLessThan(count)
    if (kill % 2 === 1) await rm(join(dir, 'state'), { recursive: true })
    // After a deleted directory the table is read from the start of its topic, up to where it was processed.
    const isWhole = kill > 0 && kill % 2 === 0
    if (isWhole) expect(run.log()).toMatch(/people of task \S+: restoring \d+ changelog offsets from the start/)
  }
  const last = start('--until', 'caught-up')
  await endsWith(last, 0)
  expect(last.log()).toMatch(/people of task \S+: restoring \d+ changelog offsets from the start/)
  expect(await readCounts(bootstrap, `${app}-seen`)).toEqual(seen)
  const found = await readCounts(bootstrap, `${app}-sums`)
  expect({ even: found.get('even')?.at(-1), odd: found.get('odd')?.at(-1) }).toEqual(sums)
  expect(await recordsOf(`${app}-letters`)).toBe(letters)
  const internal = [...(await broker.topics()).keys()].filter((name) => name.startsWith(`${app}-`)).sort()
  expect(internal).toEqual(
    ['by-parity-repartition', 'letters', 'people', 'seen', 'sums', 'sums-changelog'].map((name) => `${app}-${name}`),
  )
})

test('a topic of which the broker deletes records is refused, with the way out', async () => {
  await createPeople('delete')
  const run = start()
  await endsWith(run, 3)
  expect(run.log()).toContain(
    `the topic ${app}-people is its changelog, and with cleanup.policy=delete the broker deletes`,
  )
  expect(run.log()).toContain('--add-config cleanup.policy=compact')
  expect(run.log()).toMatch(/fixtures\/people\.ts:\d+/)
})
