import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { defineTopology, int64, json, store, string, topic, Windows } from 'streamctl'
import { afterEach, expect, test } from 'vitest'
import { openEmbedded } from '../../../src/broker/embedded/broker.ts'
import type { Broker } from '../../../src/broker/port.ts'
import { addressText } from '../../../src/cli/queries/address.ts'
import { openQueries } from '../../../src/cli/queries/open.ts'
import { partitionOf } from '../../../src/common/partitioner.ts'
import { noHeaders } from '../../../src/common/record.ts'
import { startApp } from '../../../src/runtime/app.ts'
import type { StreamsApp } from '../../../src/runtime/app-options.ts'

const input = topic('input', { key: string, value: string })
const partitions = 4
/** Rows under keys that records of these keys would not come to. */
const strays = store({ key: string, value: int64, name: 'strays' })
const topology = defineTopology('routed', (b) => {
  b.stream(input).groupByKey().count('counts')
  b.stream(input)
    .groupByKey()
    .windowedBy(Windows.tumbling('10ms', { grace: '1h' }))
    .count('windows')
  b.stream(input)
    .groupByKey()
    .windowedBy(Windows.session('1ms', { grace: '1h' }))
    .count('sessions')
  b.stream(input).process('stray', {
    stores: { strays },
    on: ({ key, timestamp }, { stores }) => stores.strays.put(`of ${key}`, BigInt(timestamp)),
  })
  b.globalTable(topic('names', { key: string, value: json<string>() }), { store: 'names' })
})

const keys = Array.from({ length: 20 }, (_, n) => `k${n}`).sort()
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function cluster(): Promise<Broker> {
  const broker = await openEmbedded({})
  closing.push(() => broker.close())
  await broker.createTopics(['input', 'names'].map((name) => ({ name, partitions, configs: {} })))
  const producer = await broker.plainProducer()
  for (const [at, key] of keys.entries()) {
    const bytes = Buffer.from(key)
    producer.output('input').append(partitionOf(bytes, partitions), bytes, Buffer.from('x'), at, noHeaders)
  }
  producer.output('names').append(0, Buffer.from('k1'), Buffer.from('"one"'), 0, noHeaders)
  await producer.flush()
  await producer.close()
  return broker
}

interface Process {
  readonly app: StreamsApp
  readonly url: string
  get(path: string): Promise<{ readonly status: number; readonly body: Body }>
  close(): Promise<void>
}

interface Body {
  readonly partitions: readonly number[]
  readonly rows: readonly { readonly key: unknown; readonly value: unknown }[]
  readonly more: boolean
  readonly value: unknown
  readonly count: number
  readonly error: { readonly code: string; readonly message: string; readonly hint: string }
}

async function start(broker: Broker): Promise<Process> {
  const queries = await openQueries({ host: '127.0.0.1', port: 0 })
  const app = await startApp(topology, {
    broker,
    stateDir: null,
    commitIntervalMs: 1,
    startEngines: queries.answeredBy(undefined),
  })
  const url = `http://${addressText(queries.address)}`
  const close = async (): Promise<void> => {
    await app.stop()
    await queries.close()
  }
  closing.push(close)
  return {
    app,
    url,
    close,
    get: async (path) => {
      const response = await fetch(url + path)
      return { status: response.status, body: (await response.json()) as Body }
    },
  }
}

/** Asks until it is answered with 200; until then there may be no other answers than those given. */
async function answered(process: Process, path: string, meanwhile: readonly number[] = [503]): Promise<Body> {
  for (;;) {
    const { status, body } = await process.get(path)
    if (status === 200) return body
    expect([path, meanwhile.includes(status), body]).toEqual([path, true, body])
    await new Promise(setImmediate)
  }
}

/** Until both have tasks and all is processed. */
async function two(): Promise<readonly [Process, Process]> {
  const broker = await cluster()
  const both = [await start(broker), await start(broker)] as const
  while (both.some(({ app }) => app.snapshot().state !== 'running' || app.snapshot().tasks.length !== partitions / 2)) {
    await new Promise(setImmediate)
  }
  await both[0].app.caughtUp()
  for (const process of both) {
    while ((await answered(process, '/stores/counts/count')).count !== keys.length) await new Promise(setImmediate)
  }
  return both
}

const keysOf = ({ rows }: Body) => rows.map(({ key }) => (typeof key === 'string' ? key : (key as { key: string }).key))

test('every process answers for all of the application', async () => {
  const both = await two()
  const here = await Promise.all(both.map((process) => answered(process, '/stores/counts/all?local=true')))
  expect(here.flatMap(({ partitions }) => partitions).sort()).toEqual([0, 1, 2, 3])
  for (const { partitions, rows } of here) {
    expect(partitions).toHaveLength(2)
    expect(rows.length).toBeLessThan(keys.length)
  }
  expect(here.flatMap(keysOf).sort()).toEqual(keys)

  for (const process of both) {
    for (const key of keys)
      expect(await answered(process, `/stores/counts/get?key=${key}`)).toMatchObject({ key, value: 1 })
    const all = await answered(process, '/stores/counts/all')
    expect(all).toMatchObject({ partitions: [0, 1, 2, 3], more: false })
    expect(keysOf(all)).toEqual(keys)
    const some = await answered(process, '/stores/counts/all?limit=7&reverse=true')
    expect([keysOf(some), some.more]).toEqual([keys.toReversed().slice(0, 7), true])
    const range = await answered(process, '/stores/counts/range?from=k1&to=k15')
    expect(keysOf(range)).toEqual(keys.filter((key) => key >= 'k1' && key <= 'k15'))
    const one = await answered(process, '/stores/counts/all?partition=3')
    expect(one.partitions).toEqual([3])
    expect(keysOf(one)).toEqual(keys.filter((key) => partitionOf(Buffer.from(key), partitions) === 3))

    const windows = await answered(process, '/stores/windows/all')
    expect(keysOf(windows)).toEqual(keys)
    const window = await answered(process, '/stores/windows/fetch?key=k19')
    expect(keysOf(window)).toEqual(['k19'])
    expect(keysOf(await answered(process, '/stores/sessions/all'))).toHaveLength(keys.length)
    expect(keysOf(await answered(process, '/stores/sessions/fetch?key=k3'))).toEqual(['k3'])

    // Not where the key belongs, and found all the same.
    for (const [at, key] of keys.entries()) {
      expect(await answered(process, `/stores/strays/get?key=of%20${key}`)).toMatchObject({ value: at })
    }
    const missing = await process.get('/stores/counts/get?key=nobody')
    expect([missing.status, missing.body.error.message]).toEqual([404, 'store counts has no row of that key'])
    expect(await answered(process, '/stores/names/get?key=k1')).toMatchObject({ value: 'one' })
  }
})

test('a query of this process alone says what is not in it', async () => {
  const [one, other] = await two()
  const { partitions: there } = await answered(other, '/stores/counts/all?local=true')
  const { status, body } = await one.get(`/stores/counts/all?local=true&partition=${there[0]}`)
  expect([status, body]).toEqual([
    421,
    {
      error: {
        code: 'REBALANCE',
        message: `store counts: partition ${there[0]} of it is not in this process`,
        hint: 'Ask without local=true.',
      },
    },
  ])
})

test('a process that goes is missed, never overlooked: an answer is whole or none', async () => {
  const [one, other] = await two()
  const asked = answered(one, '/stores/counts/all')
  await other.close()
  expect(keysOf(await asked)).toEqual(keys)
  const after = await answered(one, '/stores/counts/all')
  expect([keysOf(after), after.partitions]).toEqual([keys, [0, 1, 2, 3]])
  await one.app.stop()
  const { status, body } = await one.get('/stores/counts/get?key=k1')
  expect([status, body.error.code]).toEqual([503, 'REBALANCE'])
})

test('a process that answers no queries is told of with the partitions that it has', async () => {
  const broker = await cluster()
  const one = await start(broker)
  const silent = await startApp(topology, { broker, stateDir: null, commitIntervalMs: 1 })
  closing.push(() => silent.stop())
  while (silent.snapshot().state !== 'running' || silent.snapshot().tasks.length !== 2) await new Promise(setImmediate)
  const here = (await answered(one, '/stores/counts/all?local=true')).partitions
  const there = [0, 1, 2, 3].filter((partition) => !here.includes(partition))
  const { status, body } = await one.get('/stores/counts/all')
  expect([status, body.error]).toEqual([
    421,
    {
      code: 'REBALANCE',
      message: `store counts: partitions ${there.join(', ')} of it are in a process that answers no queries`,
      hint: 'Start every process of the application with --queries; ?local=true asks for what is here.',
    },
  ])
})

test('another program at the address of a process is not believed', async () => {
  const broker = await cluster()
  const stranger = createServer((_, response) => void response.end('{"partitions":[0,1,2,3],"rows":[]}'))
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  closing.push(async () => stranger.close())
  const server = `127.0.0.1:${(stranger.address() as AddressInfo).port}`
  const one = await start(broker)
  const { startEngine } = await import('../../../src/runtime/engine.ts')
  const other = await startApp(topology, {
    broker,
    stateDir: null,
    startEngines: async (parts) => [
      await startEngine({ ...parts, settings: { ...parts.settings, applicationServer: server } }),
    ],
  })
  closing.push(() => other.stop())
  while (other.snapshot().state !== 'running' || other.snapshot().tasks.length !== 2) await new Promise(setImmediate)
  while (one.app.snapshot().state !== 'running') await new Promise(setImmediate)
  const { status, body } = await one.get('/stores/counts/all')
  expect([status, body.error]).toMatchObject([
    503,
    { code: 'UNREACHABLE', message: `what answers at ${server} is no process of routed` },
  ])
})
