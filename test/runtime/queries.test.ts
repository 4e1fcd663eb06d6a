import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineTopology, json, store, string, topic } from 'streamctl'
import { afterEach, describe, expect, test } from 'vitest'
import { openEmbedded } from '../../src/broker/embedded/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { partitionOf } from '../../src/common/partitioner.ts'
import { noHeaders } from '../../src/common/record.ts'
import { startApp } from '../../src/runtime/app.ts'
import type { AppOptions, StreamsApp } from '../../src/runtime/app-options.ts'
import { type Engine, startEngine } from '../../src/runtime/engine.ts'

const input = topic('input', { key: string, value: string })
const partitions = 4

/** Each record adds one to both sides of its key: whoever sees the sides apart sees half of a record. */
const sides = store({ key: string, value: json<number>(), name: 'sides' })
const topology = defineTopology('queried', (b) => {
  b.stream(input).process('both', {
    stores: { sides },
    on: ({ key }, { stores }) => {
      for (const side of ['left', 'right']) {
        const name = `${side}-${key}`
        stores.sides.put(name, (stores.sides.get(name) ?? 0) + 1)
      }
    },
  })
  b.stream(input).groupByKey().count('counts')
})

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(
  options: Partial<AppOptions> = {},
): Promise<{ readonly broker: Broker; readonly app: StreamsApp }> {
  const stateDir = await mkdtemp(join(tmpdir(), 'streamctl-queries-'))
  closing.push(() => rm(stateDir, { recursive: true, force: true }))
  const broker = await openEmbedded({})
  closing.push(() => broker.close())
  await broker.createTopics([{ name: 'input', partitions, configs: {} }])
  const app = await startApp(topology, { broker, stateDir, commitIntervalMs: 1, flushIntervalMs: 5, ...options })
  closing.push(() => app.stop())
  return { broker, app }
}

const keys = Array.from({ length: 20 }, (_, n) => `k${n}`)

/** A record of every key, `rounds` times. */
async function produce(broker: Broker, rounds: number): Promise<void> {
  const producer = await broker.plainProducer()
  const output = producer.output('input')
  for (let round = 0; round < rounds; round++) {
    for (const key of keys) {
      const bytes = Buffer.from(key)
      output.append(partitionOf(bytes, partitions), bytes, Buffer.from('x'), round, noHeaders)
    }
    await producer.flush()
  }
  await producer.close()
}

async function list<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const row of rows) found.push(row)
  return found
}

async function running(app: StreamsApp): Promise<void> {
  while (app.snapshot().state !== 'running') await new Promise(setImmediate)
}

async function eventually<T>(ask: () => Promise<T>, isIt: (found: T) => boolean): Promise<T> {
  for (;;) {
    const found = await ask()
    if (isIt(found)) return found
    await new Promise(setImmediate)
  }
}

const all = (count: bigint) => keys.toSorted().map((key) => ({ key, value: count }))

describe('stores of a running application', () => {
  test('are read while records are processed, committed and flushed; no query sees half of a record', async () => {
    const { broker, app } = await start()
    await running(app)
    const rounds = 200
    const sums = new Set<number>()
    const scan = async (): Promise<void> => {
      const rows = await list(app.store<string, number>('sides').all())
      const side = (name: string) =>
        rows.filter(({ key }) => key.startsWith(name)).map(({ key, value }) => [key.slice(name.length), value])
      expect(side('left-')).toEqual(side('right-'))
      const sum = rows.reduce((sum, { value }) => sum + value, 0)
      expect(sum).toBeGreaterThanOrEqual(Math.max(0, ...sums))
      sums.add(sum)
    }
    for (let round = 0; round < rounds; round++) await Promise.all([produce(broker, 1), scan()])
    // It was looked at in the midst of it.
    expect(sums.size).toBeGreaterThan(3)
    await app.caughtUp()
    const counts = app.store<string, bigint>('counts')
    const found = await eventually(
      () => list(counts.all()),
      (rows) => rows.length === keys.length && rows.every(({ value }) => value === BigInt(rounds)),
    )
    expect(found.map(({ key, value }) => ({ key, value }))).toEqual(all(BigInt(rounds)))
    expect((await counts.get('k7'))?.value).toBe(BigInt(rounds))
    expect((await app.store<string, number>('sides').get('right-k7'))?.value).toBe(rounds)
    expect(await counts.get('nobody')).toBeUndefined()
  })

  test('are those of all engines in this thread', async () => {
    const { broker, app } = await start({
      startEngines: (parts) =>
        Promise.all(
          ['one', 'two'].map((identity) =>
            startEngine({ ...parts, settings: { ...parts.settings, identity, instanceId: identity } }),
          ),
        ),
    })
    await produce(broker, 2)
    await app.caughtUp()
    const found = await eventually(
      () => list(app.store<string, bigint>('counts').all()).catch(() => []),
      (rows) => rows.length === keys.length && rows.every(({ value }) => value === 2n),
    )
    expect(found.map(({ key, value }) => ({ key, value }))).toEqual(all(2n))
    expect(app.snapshot().tasks.length).toBe(partitions)
  })

  test('cannot be read before they are here, nor after they are gone; a scan that is cut off says so', async () => {
    const { broker, app } = await start()
    const counts = app.store<string, bigint>('counts')
    await expect(list(counts.all())).rejects.toMatchObject({
      code: 'REBALANCE',
      message: 'store counts: no partition of it is here now',
      where: { node: 'counts' },
    })
    await running(app)
    await produce(broker, 1)
    await app.caughtUp()
    await eventually(
      () => counts.approximateNumEntries(),
      (count) => count === keys.length,
    )
    const rows = counts.all()[Symbol.asyncIterator]()
    await rows.next()
    await app.stop()
    const rest = async () => {
      while ((await rows.next()).done !== true);
    }
    // What was read ahead may still come; the end never does.
    await expect(rest()).rejects.toMatchObject({ code: 'REBALANCE' })
    await expect(counts.get('k1')).rejects.toMatchObject({
      code: 'REBALANCE',
      message: expect.stringMatching(/^store counts: its partition \d is closed$/) as string,
    })
  })

  test('of engines in threads of their own are out of reach', async () => {
    const { app } = await start({
      startEngines: async (parts) => {
        const engine = await startEngine(parts)
        const elsewhere: Engine = {
          ended: engine.ended,
          state: 'running',
          tasks: undefined,
          globalTables: undefined,
          stop: () => engine.stop(),
          snapshot: () => engine.snapshot(),
        }
        return [elsewhere]
      },
    })
    expect(() => app.store('coutns')).toThrow('the topology has no store coutns that can be read')
    await expect(app.store('counts').get('k1')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'the engines run in threads of their own, and keep their stores there',
    })
  })
})

test('a global table is read by every process, once it is whole', async () => {
  const withNames = defineTopology('named', (b) => {
    b.globalTable(topic('names', { key: string, value: string }), { store: 'names' })
    b.stream(input).groupByKey().count('counts')
  })
  const broker = await openEmbedded({})
  closing.push(() => broker.close())
  await broker.createTopics(['input', 'names'].map((name) => ({ name, partitions: 2, configs: {} })))
  const producer = await broker.plainProducer()
  for (const [partition, key] of ['a', 'b'].entries()) {
    producer.output('names').append(partition, Buffer.from(key), Buffer.from(`name of ${key}`), 7, noHeaders)
  }
  await producer.flush()
  await producer.close()
  const app = await startApp(withNames, { broker, stateDir: null })
  closing.push(() => app.stop())
  const names = app.store<string, string>('names')
  await expect(names.get('a')).rejects.toMatchObject({
    code: 'REBALANCE',
    message: 'store names: the global table is not read to its end yet',
  })
  await running(app)
  expect(await list(names.all())).toEqual([
    { key: 'a', value: 'name of a', timestamp: 7 },
    { key: 'b', value: 'name of b', timestamp: 7 },
  ])
})
