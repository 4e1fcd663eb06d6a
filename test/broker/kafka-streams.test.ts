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
import { noHeaders } from '../../src/common/record.ts'
import { type KafkaStreamsProgram, startKafkaStreams } from './kafka-streams/program.ts'
import { inputs, latePlans, partitionOfKey, partitions, type Row, randomRows } from './kafka-streams/rows.ts'
import { readBytes } from './support/kcat.ts'
import { seeded } from './support/lines.ts'
import { endsWith, type RunProcess, startRun } from './support/run-process.ts'
import { createTopic } from './support/topic.ts'

const bootstrap = inject('bootstrap')
const seed = Number(process.env.STREAMCTL_TEST_SEED ?? Date.now() % 1_000_000)
const prefix = `everything-${Date.now()}-${process.pid}-`
const renamed = fileURLToPath(new URL('fixtures/renamed.ts', import.meta.url))
const topology = fileURLToPath(new URL('fixtures/everything.ts', import.meta.url))

/** Of tables behind a repartition topic, or of two topics that meet there, the last value of each key counts: what it was on the way there is chance. */
const tables = [...['pages', 'sizes', 'planned'], ...['people', 'people-left', 'people-outer', 'cities', 'cities-left']]
/** Of streams, and of tables that no other task writes to, every record counts; the order is that of four partitions, so it is none. */
const streams = [
  ...['again', 'seen', 'sessions', 'sliding', 'closed', 'final', 'inner', 'left', 'outer', 'itself', 'rekeyed'],
  ...['enriched', 'enriched-left', 'dated-left', 'graced', 'graced-left', 'priced', 'priced-left'],
]

let broker: Broker
let dir: string
let kafkaStreams: KafkaStreamsProgram

async function writeRows(rows: readonly Row[]): Promise<void> {
  const producer = await broker.plainProducer()
  for (const { topic, key, value, timestamp } of rows) {
    const bytes = Buffer.from(key)
    const output = producer.output(prefix + topic)
    output.append(partitionOfKey(bytes), bytes, value === null ? null : Buffer.from(value), timestamp, noHeaders)
  }
  await producer.flush()
  await producer.close()
}

beforeAll(async () => {
  broker = await connectKafka({ bootstrap })
  dir = await mkdtemp(join(tmpdir(), 'streamctl-everything-'))
  for (const topic of inputs) await createTopic(broker, prefix + topic, partitions)
  for (const topic of [...tables, ...streams]) {
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

interface Lack {
  readonly missing: readonly string[]
  readonly tooMuch: readonly string[]
}

/** By topic, the first records of each that the other has not; a record that is there twice is two. */
function differences(found: Results, wanted: Results): Readonly<Record<string, Lack>> {
  const rest = (some: readonly string[], others: readonly string[]): readonly string[] => {
    const left = new Map<string, number>()
    for (const one of others) left.set(one, (left.get(one) ?? 0) + 1)
    return some.filter((one) => {
      const count = left.get(one) ?? 0
      left.set(one, count - 1)
      return count <= 0
    })
  }
  const lacks: Record<string, Lack> = {}
  for (const [topic, rows] of Object.entries(wanted)) {
    const missing = rest(rows, found[topic] ?? [])
    const tooMuch = rest(found[topic] ?? [], rows)
    if (missing.length + tooMuch.length > 0) {
      lacks[`${topic} lacks ${missing.length}, has ${tooMuch.length} too much of ${rows.length}`] = {
        missing: missing.slice(0, 10),
        tooMuch: tooMuch.slice(0, 10),
      }
    }
  }
  return lacks
}

/** What Kafka Streams wrote, once it is as much as ours: it says nowhere that it is through, so a lack of it shows in the end. */
async function fromKafkaStreams(ours: Results): Promise<Results> {
  const wanted = JSON.stringify(ours)
  const deadline = performance.now() + 120_000
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

/** Clicks whose results are committed: each gives one record there. */
async function committedClicks(results: string): Promise<number> {
  return (await readBytes(bootstrap, `${results}enriched-left`)).length
}

test(`the same results as Kafka Streams (seed ${seed})`, { timeout: 300_000 }, async () => {
  const whole = run('whole', prefix, '--workers', '2', '--until', 'caught-up')
  await endsWith(whole, 0)
  const ours = await results(prefix)
  expect(differences(await fromKafkaStreams(ours), ours)).toEqual({})
  for (const [topic, rows] of Object.entries(ours)) expect(rows.length, topic).toBeGreaterThan(5)
  expectHardInput(ours)
})

/** Windows of several records, late versions that are taken and others that are refused, records for which waiting changes what they find. */
function expectHardInput(ours: Results): void {
  const rows = randomRows(seeded(seed))
  const { taken, refused } = latePlans(rows)
  expect(taken, 'late plans that are taken').toBeGreaterThan(100)
  expect(refused, 'late plans that are refused').toBeGreaterThan(20)
  const atOnce = new Set(ours['dated-left'])
  const waited = ours['graced-left']?.filter((record) => !atOnce.has(record)) ?? []
  expect(waited.length, 'taps that find another plan for having waited').toBeGreaterThan(20)
  const clicks = rows.filter(({ topic }) => topic === 'clicks').length
  expect(ours.itself?.length, 'clicks joined with clicks').toBeGreaterThan(2 * clicks)
  for (const topic of ['sliding', 'sessions', 'closed', 'final'])
    expect(shareOfSeveral(ours[topic] ?? []), `share of windows of several records in ${topic}`).toBeGreaterThan(0.2)
}

/** Of results that are counts; a merged session is none any more. */
function shareOfSeveral(results: readonly string[]): number {
  const counts = results.filter((result) => !result.includes('=null@'))
  return counts.filter((result) => !result.includes('=1@')).length / counts.length
}

test(`the same results, killed again and again on the way (seed ${seed})`, { timeout: 300_000 }, async () => {
  process.env.EVERYTHING_SPIN_MS = '10'
  const random = seeded(seed + 1)
  const clicks = randomRows(seeded(seed)).filter(({ topic }) => topic === 'clicks').length
  const into = `${prefix}killed-`
  let interrupted = 0
  for (let done = 0; interrupted < 5 && done < clicks; ) {
    const killed = run('killed', into, '--workers', interrupted < 3 ? '1' : '2')
    const goal = done + Math.ceil(((clicks - done) * random()) / (10 - interrupted))
    await Promise.race([killed.ended, untilCommitted(into, goal)])
    await setTimeout(random() * 150)
    killed.kill('SIGKILL')
    await endsWith(killed, 'SIGKILL')
    done = await committedClicks(into)
    if (done < clicks) interrupted++
  }
  expect(interrupted, 'kills came too late to interrupt anything').toBeGreaterThan(2)
  process.env.EVERYTHING_SPIN_MS = '0'
  const last = run('killed', into, '--until', 'caught-up')
  await endsWith(last, 0)
  expect(differences(await results(into), await results(prefix))).toEqual({})
})

async function untilCommitted(results: string, goal: number): Promise<void> {
  while ((await committedClicks(results)) < goal) await setTimeout(20)
}
