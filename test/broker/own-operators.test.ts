/**
 * What Kafka Streams does not have, on a real Kafka with four partitions: mapAsync, dedupe, rateLimit, ttl, approxCountDistinct, final results with a
 * topic for late records, idleClose, and stores of a supplier's. Every partition of every result holds, in order, what the test driver makes of
 * the same records, also when processes are killed on the way; kcat reads them.
 */

import { mkdtemp, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createTestDriver, type TestDriver, type TestRecord } from 'streamctl/testing'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { partitionOf } from '../../src/common/partitioner.ts'
import { journalFile } from '../support/journal-store.ts'
import { ownOperators } from './fixtures/own-operators.ts'
import { type KcatRecord, readBytes, readHeaders } from './support/kcat.ts'
import { seeded } from './support/lines.ts'
import { endsWith, type RunProcess, startRun } from './support/run-process.ts'
import { createTopic } from './support/topic.ts'

const bootstrap = inject('bootstrap')
const partitions = 4
const seed = Number(process.env.STREAMCTL_TEST_SEED ?? Date.now() % 1_000_000)
const renamed = fileURLToPath(new URL('fixtures/renamed.ts', import.meta.url))
const topology = fileURLToPath(new URL('fixtures/own-operators.ts', import.meta.url))
const start = 1_700_000_000_000
const idleMs = 500

interface Row {
  readonly key: string
  readonly value: string
  readonly timestamp: number
  /** Its number, which is a header. */
  readonly n: number
}

/** Of each topic and partition, the records in their order, as text. */
type Results = ReadonlyMap<string, readonly string[]>

let app: string
let broker: Broker
let dir: string
let running: RunProcess[]

beforeEach(async () => {
  app = `own-${Date.now()}-${process.pid}`
  dir = await mkdtemp(join(tmpdir(), 'streamctl-own-'))
  broker = await connectKafka({ bootstrap })
  running = []
  for (const topic of ['visits', ...Object.keys(readers)]) await createTopic(broker, `${app}-${topic}`, partitions)
})

afterEach(async () => {
  for (const run of running) run.kill('SIGKILL')
  await Promise.all(running.map((run) => run.ended))
  await broker.close()
  await rm(dir, { recursive: true })
})

/** Most in the order of time, some a little late, some too late for everything; now and then a silence in which rows end and windows close. */
function randomRows(count: number, random: () => number, from = start): readonly Row[] {
  const pick = (most: number): number => Math.floor(random() * most)
  let now = from
  return Array.from({ length: count }, (_, n) => {
    now += pick(100) === 0 ? 400 : pick(5)
    const behind = [0, 0, 0, 0, 0, 0, 0, pick(60), pick(200), pick(700)][pick(10)] as number
    return { key: `k${pick(30)}`, value: `v${pick(9)}`, timestamp: now - behind, n }
  })
}

function headersOf({ n }: Row): readonly { readonly key: string; readonly value: Buffer }[] {
  return n % 3 === 0 ? [] : [{ key: 'n', value: Buffer.from(String(n)) }]
}

async function writeRows(rows: readonly Row[]): Promise<void> {
  const producer = await broker.plainProducer()
  const output = producer.output(`${app}-visits`)
  for (const row of rows) {
    const key = Buffer.from(row.key)
    const partition = partitionOf(key, partitions, 0, key.length)
    output.append(partition, key, Buffer.from(row.value), row.timestamp, headersOf(row))
  }
  await producer.flush()
  await producer.close()
}

async function sendRows(driver: TestDriver, rows: readonly Row[]): Promise<void> {
  for (const row of rows) {
    await driver.sendBytes('visits', Buffer.from(row.key), Buffer.from(row.value), row.timestamp, headersOf(row))
  }
}

async function modelOf(rows: readonly Row[]): Promise<Results> {
  const driver = await createTestDriver(ownOperators({}), { partitions })
  await sendRows(driver, rows)
  await driver.close()
  return asResults(driver.read())
}

function asResults(records: readonly TestRecord[]): Results {
  const results = noResults()
  for (const { topic, partition, key, value, timestamp, headers } of records) {
    const shownKey = topic === 'closed' ? windowText(key as { key: string; start: number }) : String(key)
    const pairs = headers.map(({ key, value }) => [key, String(value)] as const)
    results
      .get(`${topic}-${partition}`)
      ?.push(lineOf(shownKey, value === null ? null : String(value), timestamp, pairs))
  }
  return results
}

type Reader = (record: KcatRecord) => readonly [key: string, value: string | null]
const asText: Reader = ({ key, value }) => [String(key), String(value)]
const count = (value: Buffer | null): string | null => (value === null ? null : String(value.readBigInt64BE()))

/** How other programs read the bytes of each topic of results. */
const readers: Readonly<Record<string, Reader>> = {
  once: asText,
  over: asText,
  counts: ({ key, value }) => [String(key), count(value)],
  visitors: asText,
  closed: ({ key, value }) => {
    const bytes = key as Buffer
    const window = { key: String(bytes.subarray(0, -8)), start: Number(bytes.readBigInt64BE(bytes.length - 8)) }
    return [windowText(window), count(value)]
  },
  'too-late': asText,
}

async function results(): Promise<Results> {
  const found = noResults()
  const read = async ([topic, reader]: readonly [string, Reader]): Promise<void> => {
    const name = `${app}-${topic}`
    const [records, headers] = await Promise.all([readBytes(bootstrap, name), readHeaders(bootstrap, name)])
    for (const record of records) {
      const { partition, offset, timestamp } = record
      const [key, value] = reader(record)
      const pairs = headers.get(`${partition}@${offset}`) ?? []
      found.get(`${topic}-${partition}`)?.push(lineOf(key, value, timestamp, pairs))
    }
  }
  await Promise.all(Object.entries(readers).map(read))
  return found
}

function noResults(): ReadonlyMap<string, string[]> {
  const names = Object.keys(readers).flatMap((topic) =>
    Array.from({ length: partitions }, (_, partition) => `${topic}-${partition}`),
  )
  return new Map(names.map((name) => [name, []]))
}

function windowText({ key, start }: { readonly key: string; readonly start: number }): string {
  return `${key}@${start}`
}

function lineOf(
  key: string,
  value: string | null,
  timestamp: number,
  headers: readonly (readonly [string, string])[],
): string {
  return `${key}=${value} at ${timestamp} [${headers.map((pair) => pair.join(':')).join(' ')}]`
}

/** Fails with the first records, in each partition, from where on it is not as wanted. */
function expectSame(found: Results, wanted: Results): void {
  const differences: Record<string, unknown> = {}
  for (const [name, rows] of wanted) {
    const has = found.get(name) ?? []
    if (has.join('\n') === rows.join('\n')) continue
    const at = Array.from({ length: has.length + 1 }, (_, i) => i).find((i) => has[i] !== rows[i]) as number
    const part = { wanted: rows.slice(at, at + 3), found: has.slice(at, at + 3) }
    differences[`${name}: ${has.length} of ${rows.length}, other from ${at} on`] = part
  }
  expect(differences).toEqual({})
}

/** That the input was such that every operator had something to do, in every partition. */
function expectAllAtWork(wanted: Results): void {
  for (const [name, rows] of wanted) expect(rows.length, name).toBeGreaterThan(20)
  for (let partition = 0; partition < partitions; partition++) {
    const of = (topic: string) => wanted.get(`${topic}-${partition}`) ?? []
    expect(of('once').length, 'duplicates').toBeLessThan(of('visitors').length * 0.9)
    expect(of('counts').filter((row) => row.includes('=null')).length, 'rows that ended').toBeGreaterThan(20)
  }
}

interface RunOptions {
  readonly callMs?: number
  readonly idleClose?: number
  readonly storage?: 'journal'
}

function run(state: string, { callMs = 0, idleClose, storage }: RunOptions, ...more: readonly string[]): RunProcess {
  const started = startRun(
    [renamed, '--broker', bootstrap, '--app-id', app, '--state-dir', join(dir, state), ...more],
    {
      RENAMED_TOPOLOGY: topology,
      RENAMED_PREFIX: `${app}-`,
      OWN_CALL_MS: String(callMs),
      ...(idleClose !== undefined && { OWN_IDLE_CLOSE_MS: String(idleClose) }),
      ...(storage !== undefined && { OWN_STORAGE: storage }),
    },
  )
  running.push(started)
  return started
}

/** Input records whose results are committed. */
async function committed(): Promise<number> {
  const inputs = Array.from({ length: partitions }, (_, partition) => ({ topic: `${app}-visits`, partition }))
  return (await broker.committed(app, inputs)).reduce((sum, { offset }) => sum + offset, 0)
}

/** Waits until it is so, and fails when the process ends before. */
async function until(isSo: () => Promise<boolean>, run: RunProcess): Promise<void> {
  let status: unknown
  void run.ended.then((ended) => {
    status = ended
  })
  while (!(await isSo())) {
    if (status !== undefined) throw new Error(`the run ended with ${String(status)}:\n${run.log()}`)
    await setTimeout(20)
  }
}

async function killNow(run: RunProcess): Promise<void> {
  run.kill('SIGKILL')
  await endsWith(run, 'SIGKILL')
}

test(`what comes out is what the test driver says, record for record (seed ${seed})`, async () => {
  const rows = randomRows(4000, seeded(seed))
  const wanted = await modelOf(rows)
  expectAllAtWork(wanted)
  await writeRows(rows)
  await endsWith(run('only', { callMs: 4 }, '--workers', '2', '--until', 'caught-up'), 0)
  expectSame(await results(), wanted)
})

test(`the same, killed again and again while calls are under way (seed ${seed})`, async () => {
  const random = seeded(seed + 1)
  const rows = randomRows(4000, random)
  await writeRows(rows)
  const kills = 4
  let log = ''
  for (let kill = 0; kill < kills; kill++) {
    const killed = run('only', { callMs: 20 }, '--workers', kill < 2 ? '1' : '2')
    const before = await committed()
    // A part of what is left, so that every kill lands while there is work, and the last one too.
    const goal = before + Math.ceil(((rows.length - before) * random()) / (kills - kill + 1))
    await until(async () => (await committed()) >= goal, killed)
    await setTimeout(random() * 150)
    await killNow(killed)
    expect(await committed(), `kill ${kill + 1} came too late to interrupt anything`).toBeLessThan(rows.length)
    log += killed.log()
  }
  expect(log, 'no restart replayed from a checkpoint').toMatch(/restoring \d+ changelog offsets from checkpoint/)
  await endsWith(run('only', {}, '--workers', '2', '--until', 'caught-up'), 0)
  expectSame(await results(), await modelOf(rows))
})

test(`stores of a supplier's in two processes: one is killed, the other has copies, and the first comes back (seed ${seed})`, async () => {
  const rows = randomRows(5000, seeded(seed + 2))
  const before = rows.slice(0, 3000)
  await writeRows(before)
  const options = { callMs: 40, storage: 'journal' } as const
  const flags = ['--workers', '2', '--standbys', '1', '--session-timeout', '6s']
  const first = run('first', options, ...flags)
  const second = run('second', options, ...flags)
  for (const one of [first, second]) await one.said(/generation \d+: [12] tasks \([^)]+\), [12] standbys \(/)
  const goal = (await committed()) + 500
  await until(async () => (await committed()) >= goal, second)
  const said = second.log().length
  await killNow(first)
  expect(await committed(), 'the kill came too late to interrupt anything').toBeLessThan(before.length)
  await second.said(/generation (\d+): 2 tasks[\s\S]*generation \1: 2 tasks/)
  const cut = await cutJournals(join(dir, 'first', app))
  expect(cut, 'journals of the first process').toBeGreaterThan(1)
  const again = run('first', options, ...flags)
  await again.said(/generation \d+: [12] tasks/)
  // Whatever the load, there is something left to do on what was restored from a journal cut short.
  await writeRows(rows.slice(before.length))
  await until(async () => (await committed()) >= rows.length, second)
  for (const one of [second, again]) {
    one.kill('SIGTERM')
    await endsWith(one, 0)
  }
  expect(second.log().slice(said)).not.toMatch(/from the start|wiped/)
  expect(again.log()).not.toMatch(/wiped/)
  expectSame(await results(), await modelOf(rows))
})

/** The last change of each is cut short, as by a process that dies while it writes. @returns how many. */
async function cutJournals(state: string): Promise<number> {
  let cut = 0
  for (let partition = 0; partition < partitions; partition++) {
    const path = join(state, `0_${partition}.journal`, journalFile)
    const size = await stat(path).then(
      ({ size }) => size,
      () => 0,
    )
    if (size === 0) continue
    await truncate(path, size - 1)
    cut++
  }
  return cut
}

test(`idleClose closes what a killed process left open, once, and what comes after that is late (seed ${seed})`, async () => {
  const rows = randomRows(800, seeded(seed + 3))
  const last = Math.max(...rows.map(({ timestamp }) => timestamp))
  const more = [...randomRows(100, seeded(seed + 4), last - 50), ...randomRows(100, seeded(seed + 5), last + 10_000)]
  const driver = await createTestDriver(ownOperators({ idleClose: idleMs }), { partitions })
  await sendRows(driver, rows)
  const records: TestRecord[] = [...driver.read()]
  const open = asResults(records)
  await driver.advanceWallClock(idleMs)
  records.push(...driver.read())
  const closed = asResults(records)
  await sendRows(driver, more)
  records.push(...driver.read())
  await driver.advanceWallClock(idleMs)
  records.push(...driver.read())
  const all = asResults(records)
  await driver.close()

  await writeRows(rows)
  const leaves = run('only', { idleClose: 3_600_000 })
  await until(async () => (await committed()) >= rows.length, leaves)
  // Positions of a transaction can be seen before its records.
  await until(holdsAsMuchAs(open), leaves)
  await killNow(leaves)
  expectSame(await results(), open)

  const uncommitted = run('only', { idleClose: idleMs }, '--commit-interval', '5m')
  await Promise.all(closings(uncommitted))
  await killNow(uncommitted)
  expectSame(await results(), open)

  const closes = run('only', { idleClose: idleMs })
  await until(holdsAsMuchAs(closed), closes)
  await killNow(closes)
  expectSame(await results(), closed)

  const goesOn = run('only', { idleClose: idleMs })
  await goesOn.said(/generation \d+: 4 tasks/)
  await writeRows(more)
  await until(holdsAsMuchAs(all), goesOn)
  goesOn.kill('SIGTERM')
  await endsWith(goesOn, 0)
  expectSame(await results(), all)
})

/** Of each task, that it has closed what was open. */
function closings(run: RunProcess): readonly Promise<void>[] {
  return Array.from({ length: partitions }, (_, partition) =>
    run.said(new RegExp(`task 0_${partition}: its inputs are idle, open windows were closed`)),
  )
}

/** Whether it has been waited for long enough: a lack shows when the results are compared. */
function holdsAsMuchAs(wanted: Results): () => Promise<boolean> {
  const deadline = performance.now() + 60_000
  return async () => sizeOf(await results()) >= sizeOf(wanted) || performance.now() > deadline
}

function sizeOf(results: Results): number {
  return [...results.values()].reduce((sum, rows) => sum + rows.length, 0)
}
