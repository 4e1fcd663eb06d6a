/**
 * One topology of most operators, by streamctl and by Kafka Streams, side by side on real Kafka with four partitions: what other
 * programs read of the results must be the same, also when streamctl is killed again and again on the way.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { partitionOf } from '../../src/common/partitioner.ts'
import { noHeaders } from '../../src/common/record.ts'
import { type KafkaStreamsProgram, startKafkaStreams } from './kafka-streams/program.ts'
import { readBytes } from './support/kcat.ts'
import { seeded } from './support/lines.ts'
import { type RunProcess, startRun } from './support/run-process.ts'
import { createTopic } from './support/topic.ts'

const bootstrap = inject('bootstrap')
const partitions = 4
const seed = Number(process.env.STREAMCTL_TEST_SEED ?? Date.now() % 1_000_000)
const prefix = `everything-${Date.now()}-${process.pid}-`
const renamed = fileURLToPath(new URL('fixtures/renamed.ts', import.meta.url))
const topology = fileURLToPath(new URL('fixtures/everything.ts', import.meta.url))

interface Row {
  readonly topic: string
  readonly key: string
  readonly value: string | null
  readonly timestamp: number
}

/** Of tables the last value of each key counts: how often a key was updated on the way there is chance. */
const tables = ['pages', 'sessions']
const laterTables = ['people', 'people-left', 'people-outer', 'cities', 'cities-left', 'sizes']
/** Of streams every record counts; the order is that of four partitions, so it is none. */
const streams = ['again', 'enriched', 'enriched-left']
const laterStreams = ['closed', 'inner', 'left', 'outer', 'rekeyed', 'priced', 'priced-left']
const inputs = ['clicks', 'views', 'users', 'profiles', 'teams', 'prices']
const start = 1_700_000_000_000

let broker: Broker
let dir: string
let kafkaStreams: KafkaStreamsProgram

/** In the order of time, which both engines keep: with everything there before they start, joins have one right result. */
function randomRows(random: () => number): readonly Row[] {
  const pick = (most: number): number => Math.floor(random() * most)
  const rows: Row[] = []
  let now = start
  for (let i = 0; i < 12_000; i++) {
    now += 1 + pick(12)
    const topic = inputs[[0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4][pick(11)] as number] as string
    const gone = pick(6) === 0
    const key = topic === 'teams' ? `t${pick(8)}` : `u${pick(40)}`
    const value = {
      clicks: () => `page${pick(12)}`,
      views: () => `page${pick(12)}`,
      users: () => (gone ? null : `t${pick(10)}`),
      profiles: () => (gone ? null : `name${i}`),
      teams: () => (gone ? null : `city${i}`),
    }[topic] as () => string | null
    rows.push({ topic, key, value: value(), timestamp: now })
  }
  // Closes every window, in every partition.
  for (const topic of ['clicks', 'views']) {
    for (const [i, key] of onePerPartition().entries()) {
      rows.push({ topic, key, value: 'end', timestamp: now + 1_000_000 + i })
    }
  }
  for (let page = 0; page < 9; page++)
    rows.push({ topic: 'prices', key: `page${page}`, value: `${page}.99`, timestamp: start })
  return rows
}

function onePerPartition(): readonly string[] {
  const found = new Map<number, string>()
  for (let i = 0; found.size < partitions; i++) {
    const key = `end${i}`
    const partition = partitionOf(Buffer.from(key), partitions, 0, key.length)
    if (!found.has(partition)) found.set(partition, key)
  }
  return [...found.values()]
}

async function writeRows(rows: readonly Row[]): Promise<void> {
  const producer = await broker.plainProducer()
  for (const { topic, key, value, timestamp } of rows) {
    const bytes = Buffer.from(key)
    const partition = partitionOf(bytes, partitions, 0, bytes.length)
    const output = producer.output(prefix + topic)
    output.append(partition, bytes, value === null ? null : Buffer.from(value), timestamp, noHeaders)
  }
  await producer.flush()
  await producer.close()
}

beforeAll(async () => {
  broker = await connectKafka({ bootstrap })
  dir = await mkdtemp(join(tmpdir(), 'streamctl-everything-'))
  for (const topic of inputs) await createTopic(broker, prefix + topic, partitions)
  for (const topic of [...tables, ...streams, ...laterTables, ...laterStreams]) {
    await createTopic(broker, prefix + topic, partitions)
    await createTopic(broker, `${prefix}java-${topic}`, partitions)
    await createTopic(broker, `${prefix}killed-${topic}`, partitions)
  }
  await writeRows(randomRows(seeded(seed)))
  kafkaStreams = await startKafkaStreams(bootstrap, prefix, `${prefix}java-`)
})

afterAll(async () => {
  await kafkaStreams?.stop()
  await broker?.close()
  if (dir !== undefined) await rm(dir, { recursive: true, force: true })
})

/** `key=value` (with the timestamp, where every record counts), sorted. */
type Results = Readonly<Record<string, readonly string[]>>

async function results(from: string): Promise<Results> {
  const found: Record<string, readonly string[]> = {}
  for (const topic of streams) {
    const records = await readBytes(bootstrap, from + topic)
    found[topic] = records.map(({ key, value, timestamp }) => `${key}=${value}@${timestamp}`).sort()
  }
  for (const topic of tables) {
    const last = new Map((await readBytes(bootstrap, from + topic)).map(({ key, value }) => [String(key), value]))
    found[topic] = [...last].flatMap(([key, value]) => (value === null ? [] : [`${key}=${value}`])).sort()
  }
  return found
}

/** What Kafka Streams wrote, once it is as much as ours: it says nowhere that it is through, so a lack of it shows in the end. */
async function fromKafkaStreams(ours: Results): Promise<Results> {
  const wanted = JSON.stringify(ours)
  const deadline = performance.now() + 60_000
  for (;;) {
    const theirs = await Promise.race([results(`${prefix}java-`), kafkaStreams.ended])
    if (JSON.stringify(theirs) === wanted || performance.now() > deadline) return theirs
    await setTimeout(500)
  }
}

function run(app: string, results: string, ...more: readonly string[]): RunProcess {
  process.env.RENAMED_TOPOLOGY = topology
  process.env.RENAMED_PREFIX = prefix
  process.env.RENAMED_RESULTS = results
  return startRun([renamed, '--broker', bootstrap, '--app-id', prefix + app, '--state-dir', join(dir, app), ...more])
}

async function committedClicks(app: string): Promise<number> {
  const clicks = Array.from({ length: partitions }, (_, partition) => ({ topic: `${prefix}clicks`, partition }))
  return (await broker.committed(prefix + app, clicks)).reduce((sum, { offset }) => sum + offset, 0)
}

test(`the same results as Kafka Streams (seed ${seed})`, { timeout: 180_000 }, async () => {
  const whole = run('whole', prefix, '--workers', '2', '--until', 'caught-up')
  expect([await whole.ended, whole.log()]).toEqual([0, expect.anything()])
  const ours = await results(prefix)
  expect(await fromKafkaStreams(ours)).toEqual(ours)
  for (const [topic, rows] of Object.entries(ours)) expect(rows.length, topic).toBeGreaterThan(5)
})

test(`the same results, killed five times on the way (seed ${seed})`, { timeout: 180_000 }, async () => {
  process.env.EVERYTHING_SPIN_MS = '2'
  const random = seeded(seed + 1)
  const clicks = randomRows(seeded(seed)).filter(({ topic }) => topic === 'clicks').length
  const into = `${prefix}killed-`
  for (let kill = 0; kill < 5; kill++) {
    const killed = run('killed', into, '--workers', kill < 3 ? '1' : '2')
    const before = await committedClicks('killed')
    const goal = before + Math.ceil(((clicks - before) * random()) / (7 - kill))
    await Promise.race([killed.ended, untilCommitted('killed', goal)])
    await setTimeout(random() * 150)
    killed.kill('SIGKILL')
    expect([await killed.ended, killed.log()]).toEqual(['SIGKILL', expect.anything()])
    expect(await committedClicks('killed'), `kill ${kill + 1} came too late to interrupt anything`).toBeLessThan(clicks)
  }
  process.env.EVERYTHING_SPIN_MS = '0'
  const last = run('killed', into, '--until', 'caught-up')
  expect([await last.ended, last.log()]).toEqual([0, expect.anything()])
  expect(await results(into)).toEqual(await results(prefix))
})

async function untilCommitted(app: string, goal: number): Promise<void> {
  while ((await committedClicks(app)) < goal) await setTimeout(20)
}
