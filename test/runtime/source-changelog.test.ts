/** An application whose table has its topic for its changelog: killed, moved, and started with less than it had. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineTopology, json, string, topic } from 'streamctl'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { noHeaders } from '../../src/common/record.ts'
import { startApp } from '../../src/runtime/app.ts'
import type { AppOptions, StreamsApp } from '../../src/runtime/app-options.ts'
import { type FaultyBroker, faultyBroker } from './faulty-broker.ts'
import { once } from './process.ts'

const people = topic('people', { key: string, value: json<number>() })
const even = topic('even', { key: string, value: json<number>() })

/** A deletion comes out only where a row was before. */
const build = (changelog: 'own' | 'source') =>
  defineTopology('app', (b) => {
    b.table(people, { store: 'people', changelog })
      .filter((n) => n % 2 === 0)
      .toStream()
      .to(even)
  })
const topology = build('source')

interface Person {
  readonly key: string
  readonly value: number | null
}

/** What comes out of the table, by key in order. */
function model(fed: readonly Person[]): ReadonlyMap<string, readonly (number | null)[]> {
  const rows = new Map<string, number | null>()
  const out = new Map<string, (number | null)[]>()
  for (const { key, value } of fed) {
    const [was, is] = [rows.get(key) ?? null, value].map((n) => n !== null && n % 2 === 0)
    rows.set(key, value)
    if (is || was) out.set(key, [...(out.get(key) ?? []), is ? value : null])
  }
  return out
}

interface Running {
  readonly app: StreamsApp
  readonly faulty: FaultyBroker
  readonly log: readonly string[]
  crash(): Promise<void>
}

const partitions = 2
let cluster: EmbeddedBroker
let dir: string
let fed: Person[]
let running: Running[]

beforeEach(async () => {
  cluster = await openEmbedded()
  await cluster.createTopics(['people', 'even'].map((name) => ({ name, partitions, configs: {} })))
  dir = await mkdtemp(join(tmpdir(), 'streamctl-source-'))
  fed = []
  running = []
})

afterEach(async () => {
  for (const { crash } of running) await crash()
  await cluster.close()
  await rm(dir, { recursive: true, force: true })
})

async function start(
  at: string,
  { decide = () => undefined, ...options }: Partial<AppOptions> & { decide?: ReturnType<typeof once> } = {},
): Promise<Running> {
  const faulty = faultyBroker(cluster.connect(), decide)
  const log: string[] = []
  const app = await startApp(topology, {
    broker: faulty.broker,
    stateDir: join(dir, at),
    commitIntervalMs: 5,
    transactionTimeoutMs: 2000,
    log: (level, message) => log.push(`${level} ${message}`),
    ...options,
  })
  const one: Running = {
    app,
    faulty,
    log,
    crash: async () => {
      faulty.kill()
      await app.stop().catch(() => undefined)
    },
  }
  running.push(one)
  return one
}

/** Records of six keys in two partitions, with deletions among them. */
async function feed(count: number): Promise<void> {
  const producer = await cluster.plainProducer()
  for (let i = 0; i < count; i++) {
    const n = fed.length
    const key = `k${(n * 5) % 6}`
    const value = n % 7 === 3 ? null : (n * 11) % 9
    const bytes = value === null ? null : Buffer.from(` ${value} `)
    producer.output('people').append(Number(key[1]) % partitions, Buffer.from(key), bytes, n, noHeaders)
    fed.push({ key, value })
  }
  await producer.flush()
  await producer.close()
}

/** Until the group has committed all that was fed. */
async function consumed(): Promise<void> {
  const inputs = [0, 1].map((partition) => ({ topic: 'people', partition }))
  const ends = await cluster.offsets(inputs, 'end')
  const target = ends.reduce((sum, { offset }) => sum + offset, 0)
  const position = async () => (await cluster.committed('app', inputs)).reduce((sum, { offset }) => sum + offset, 0)
  await expect.poll(position, { timeout: 10_000, interval: 5 }).toBe(target)
}

async function read(name: string): Promise<ReadonlyMap<string, readonly unknown[]>> {
  const ends = await cluster.offsets(
    [0, 1].map((partition) => ({ topic: name, partition })),
    'stable',
  )
  const fetcher = cluster.fetcher()
  fetcher.assign(ends.map((end) => ({ ...end, offset: 0 })))
  const left = new Set(ends.filter(({ offset }) => offset > 0).map(({ partition }) => partition))
  const found = new Map<string, unknown[]>()
  while (left.size > 0) {
    for (const { partition, records, position } of await fetcher.poll(100)) {
      for (const { key, value } of records) {
        const name = String(key)
        found.set(name, [...(found.get(name) ?? []), value === null ? null : JSON.parse(String(value))])
      }
      if (position >= (ends[partition]?.offset ?? 0)) left.delete(partition)
    }
  }
  await fetcher.close()
  return found
}

async function expectExact(): Promise<void> {
  await consumed()
  expect(await read('even')).toEqual(model(fed))
  const names = [...(await cluster.topics()).keys()]
  expect(names.filter((name) => name.endsWith('-changelog'))).toEqual([])
}

const restored = (log: readonly string[]) =>
  log.flatMap(
    (line) => /people of task \S+: restoring (\d+) changelog offsets from (the start|checkpoint)/.exec(line) ?? [],
  )

test('killed, and started on another disk: what was processed is read again, what was not is new', async () => {
  await feed(200)
  const first = await start('one')
  await consumed()
  await first.crash()
  // Beyond the committed position: it must come out as updates, once.
  await feed(200)
  const second = await start('two')
  await expectExact()
  expect(restored(second.log).filter((_, i) => i % 3 === 2)).toEqual(['the start', 'the start'])
  const total = restored(second.log).filter((_, i) => i % 3 === 1)
  expect(total.reduce((sum, offsets) => sum + Number(offsets), 0)).toBe(200)
  await second.app.stop()
  // With its disk, and all of it there.
  const third = await start('two')
  await feed(50)
  await expectExact()
  expect(restored(third.log)).toEqual([])
})

test('a disk that was left behind is caught up from where it was', async () => {
  await feed(100)
  const first = await start('one')
  await consumed()
  await first.app.stop()
  const elsewhere = await start('two')
  await feed(150)
  await consumed()
  await elsewhere.crash()
  await feed(50)
  const third = await start('one')
  await expectExact()
  const log = restored(third.log)
  expect(log.filter((_, i) => i % 3 === 2)).toEqual(['checkpoint', 'checkpoint'])
  expect(log.filter((_, i) => i % 3 === 1).reduce((sum, offsets) => sum + Number(offsets), 0)).toBe(150)
})

test.each([
  ['commit', 'before', 'UNKNOWN_OUTCOME'],
  ['commit', 'after', 'UNKNOWN_OUTCOME'],
  ['commit', 'after', 'FENCED'],
  ['poll', 'before', 'UNREACHABLE'],
  ['offsets', 'before', 'UNREACHABLE'],
] as const)('a %s that fails %s the broker did it, with %s: dropped and redone', async (step, when, code) => {
  await feed(60)
  for (const call of [0, 2, 5]) {
    const one = await start('one', { decide: once(step, call, { when, code }), flushIntervalMs: 20 })
    await feed(40)
    await consumed()
    await one.app.stop()
    expect(one.faulty.violations).toEqual([])
  }
  await start('fresh')
  await expectExact()
})

test('a process without a copy takes over: standbys leave such a table out', async () => {
  await feed(100)
  const first = await start('one', { standbys: 1 })
  await consumed()
  const second = await start('two', { standbys: 1 })
  const tasks = () => [first, second].map(({ app }) => app.snapshot().tasks.length)
  await expect.poll(tasks, { timeout: 10_000 }).toEqual([1, 1])
  await feed(100)
  await consumed()
  expect([first, second].flatMap(({ app }) => app.snapshot().standbys)).toEqual([])
  await first.crash()
  await feed(100)
  await expectExact()
  expect(second.app.snapshot().tasks).toHaveLength(2)
})

describe('the topic', () => {
  const withPolicy = async (policy: string) => {
    const other = await openEmbedded()
    await other.createTopics(
      ['people', 'even'].map((name) => ({
        name,
        partitions: 1,
        configs: name === 'people' ? { 'cleanup.policy': policy } : {},
      })),
    )
    return other
  }

  test.each(['delete', 'compact,delete'])(
    'of which the broker deletes records is refused: cleanup.policy=%s',
    async (policy) => {
      const other = await withPolicy(policy)
      const options = { broker: other, stateDir: null }
      await expect(startApp(topology, options)).rejects.toMatchObject({
        code: 'INVALID_TOPOLOGY',
        message: `people: the topic people is its changelog, and with cleanup.policy=${policy} the broker deletes rows that are still in the table`,
        hint: expect.stringMatching(
          /^Let the topic be compacted: kafka-configs\.sh --alter --entity-type topics --entity-name people --add-config cleanup\.policy=compact .*Or leave changelog: 'source' out/,
        ),
        where: {
          node: 'people',
          topic: 'people',
          file: expect.stringMatching(/source-changelog\.test\.ts$/),
          line: expect.any(Number),
        },
      })
      // That of a table with a changelog of its own may be any.
      const own = await startApp(build('own'), options)
      await own.stop()
      await other.close()
    },
  )

  test('which is compacted is taken', async () => {
    const other = await withPolicy('compact')
    const app = await startApp(topology, { broker: other, stateDir: null })
    await app.stop()
    await other.close()
  })
})

test('a table that had a changelog of its own goes on with its topic', async () => {
  await feed(100)
  const own = await startApp(build('own'), {
    broker: cluster.connect(),
    stateDir: join(dir, 'one'),
    commitIntervalMs: 5,
  })
  await consumed()
  await own.stop()
  await feed(100)
  const source = await start('one')
  await consumed()
  expect(await read('even')).toEqual(model(fed))
  expect(restored(source.log).filter((_, i) => i % 3 === 2)).toEqual(['the start', 'the start'])
  await source.app.stop()
})
