import { json, string, topic } from 'streamctl'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import type { Broker, Fetcher } from '../../src/broker/port.ts'
import { brokerWith } from '../../src/broker/replaced.ts'
import { StreamError } from '../../src/common/errors.ts'
import { noHeaders } from '../../src/common/record.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { makeCounters } from '../../src/runtime/counters.ts'
import { GlobalReader } from '../../src/runtime/global-reader.ts'
import { type GlobalTable, globalTablesOf } from '../../src/runtime/global-table.ts'
import { planWith } from '../../src/runtime/plan.ts'

const countries = topic('countries', { key: string, value: json<number>() })
const topology = defineTopology('global', (b) => {
  const table = b.globalTable(countries, { store: 'countries' })
  b.stream(topic('orders', { key: string, value: string })).join(
    table,
    (order) => order,
    (order, country) => `${order}${country}`,
  )
})
const plan = planWith(
  topology,
  'app',
  new Map([
    ['countries', 2],
    ['orders', 1],
  ]),
)

let broker: EmbeddedBroker
let log: string[]
let counters: ReturnType<typeof makeCounters>
let table: GlobalTable
let reader: GlobalReader
let following: Promise<void> | undefined

beforeEach(async () => {
  broker = await openEmbedded()
  await broker.createTopics([{ name: 'countries', partitions: 2, configs: {} }])
  log = []
  following = undefined
})

afterEach(async () => {
  reader.stop()
  await following?.catch(() => undefined)
  await reader.close()
  await broker.close()
})

function make(on: Broker = broker): void {
  counters = makeCounters(topology)
  const tables = globalTablesOf(topology, counters)
  table = tables.get('countries') as GlobalTable
  reader = new GlobalReader({ plan, broker: on, tables, log: (level, message) => log.push(`${level} ${message}`) })
}

async function write(rows: Readonly<Record<string, number | null>>, partition = 0): Promise<void> {
  const producer = await broker.plainProducer()
  const output = producer.output('countries')
  for (const [key, value] of Object.entries(rows)) {
    output.append(partition, Buffer.from(key), value === null ? null : Buffer.from(`${value}`), 7, noHeaders)
  }
  await producer.flush()
  await producer.close()
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise(setImmediate)
}

const values = (...keys: string[]) => keys.map((key) => table.rows.get(key)?.value)

test('holds the last value of each key of all partitions when it is loaded, and follows what comes', async () => {
  await write({ de: 19, at: 19 })
  await write({ at: 20, xx: 1 }, 0)
  await write({ fr: 5, yy: 2 }, 1)
  await write({ fr: 20, yy: null }, 1)
  make()
  await reader.load()
  expect(values('de', 'at', 'xx', 'fr', 'yy')).toEqual([19, 20, 1, 20, undefined])
  expect(table.rows.get('fr')?.timestamp).toBe(7)
  expect(log).toEqual(['info global table countries: 4 rows of topic countries'])
  following = reader.follow()
  await write({ de: 16, xx: null })
  await until(() => values('xx')[0] === undefined)
  expect(values('de')).toEqual([16])
})

test('aborted records are not rows, and a load ends past their markers', async () => {
  const producer = await broker.transactionalProducer({ transactionalId: 't' })
  // So much of it that it is sent before the end.
  const large = Buffer.from(`1${' '.repeat(700_000)}`)
  for (const key of ['de', 'at']) producer.output('countries').append(0, Buffer.from(key), large, 1, noHeaders)
  const end = async () => (await broker.offsets([{ topic: 'countries', partition: 0 }], 'end'))[0]?.offset
  while (((await end()) ?? 0) < 2) await new Promise(setImmediate)
  await producer.close()
  make()
  await reader.load()
  expect(table.rows.size).toBe(0)
})

test('a record without a key is dropped and counted; one that does not decode ends it with its place', async () => {
  const producer = await broker.plainProducer()
  producer.output('countries').append(0, null, Buffer.from('1'), 1, noHeaders)
  await producer.flush()
  make()
  await reader.load()
  expect(counters.dropped.get('null-key')).toBe(1)
  following = reader.follow()
  producer.output('countries').append(0, Buffer.from('de'), Buffer.from('{'), 1, noHeaders)
  await producer.flush()
  await producer.close()
  await expect(following).rejects.toMatchObject({
    code: 'DESERIALIZATION',
    where: { node: 'countries', topic: 'countries', partition: 0, offset: 1 },
  })
})

test('offsets that are gone before they were read: the table is read anew, and looked up as it was until then', async () => {
  await write({ de: 19, xx: 1 })
  const seen: unknown[] = []
  let gone = false
  make(
    watched(() => {
      if (gone) seen.push(values('de', 'xx', 'fr'))
    }),
  )
  await reader.load()
  await write({ de: 16 })
  await write({ fr: 20 })
  await broker.deleteRecords([{ topic: 'countries', partition: 0, offset: 3 }])
  gone = true
  following = reader.follow()
  await until(() => values('fr')[0] === 20)
  // What the log no longer has is no row any more.
  expect(values('de', 'xx', 'fr')).toEqual([undefined, undefined, 20])
  const states = new Set(seen.map((state) => JSON.stringify(state)))
  expect([...states].slice(0, 1)).toEqual(['[19,1,null]'])
  expect(states.size).toBeLessThanOrEqual(2)
  expect(log.some((line) => line.includes('the global tables are read on'))).toBe(true)
})

test('what may pass is tried again, also before anything is read', async () => {
  await write({ de: 19 })
  let failures = 2
  make(
    brokerWith(broker, {
      offsets: (partitions, at) => {
        if (failures-- > 0) return Promise.reject(new StreamError('UNREACHABLE', 'away'))
        return broker.offsets(partitions, at)
      },
    }),
  )
  await reader.load()
  expect(values('de')).toEqual([19])
  expect(log.filter((line) => line === 'warn away; the global tables are read on')).toHaveLength(2)
})

test('a stop ends a load that cannot end', async () => {
  make(brokerWith(broker, { offsets: () => Promise.reject(new StreamError('UNREACHABLE', 'away')) }))
  const loading = reader.load()
  await until(() => log.length > 0)
  reader.stop()
  await loading
})

/** The broker, with a look before each poll. */
function watched(look: () => void): Broker {
  return brokerWith(broker, {
    fetcher: (options) => {
      const fetcher = broker.fetcher(options)
      const watching: Fetcher = {
        assign: (positions) => fetcher.assign(positions),
        pause: (partitions) => fetcher.pause(partitions),
        resume: (partitions) => fetcher.resume(partitions),
        wake: () => fetcher.wake(),
        close: () => fetcher.close(),
        poll: async (ms) => {
          look()
          return fetcher.poll(ms)
        },
      }
      return watching
    },
  })
}
