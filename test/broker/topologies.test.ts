import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { quakeRecords } from '../../topologies/data/earthquakes.ts'
import { regionOf } from '../../topologies/earthquakes.ts'
import { folder, jsonLines, program } from '../cli/process.ts'
import { type FakeRegistry, fakeRegistry } from '../support/registry.ts'
import { readAvro } from './support/avro-bytes.ts'
import { readBytes } from './support/kcat.ts'
import { randomLines, seeded } from './support/lines.ts'
import { createTopic, readCounts } from './support/topic.ts'

const bootstrap = inject('bootstrap')
const partitions = 4
const seed = Number(process.env.STREAMCTL_TEST_SEED ?? Date.now() % 1_000_000)
const minute = 60_000
const renamed = fileURLToPath(new URL('fixtures/renamed.ts', import.meta.url))

/** One line of input as `--in` and `produce` read it. */
interface Line {
  readonly key: string | null
  readonly value: unknown
  readonly timestamp: number
}
type Inputs = Readonly<Record<string, readonly Line[]>>
/** Values of each key, in the order in which they were written. */
type Results = ReadonlyMap<string, readonly unknown[]>

interface Case {
  readonly file: string
  /** Run one after the other, each to its end. */
  readonly phases: readonly Inputs[]
  readonly outputs: Readonly<Record<string, (topic: string) => Promise<Results>>>
}

let broker: Broker
let registry: FakeRegistry
let cwd: string
let app: string

beforeEach(async () => {
  broker = await connectKafka({ bootstrap })
  registry = await fakeRegistry()
  cwd = folder()
  app = `same-${Date.now()}-${process.pid}`
})

afterEach(async () => {
  await broker.close()
  await registry[Symbol.asyncDispose]()
})

/** What the topology makes of the input, read once from the embedded broker's files, once from Kafka by others than us. */
async function bothWays({
  file,
  phases,
  outputs,
}: Case): Promise<Record<string, { embedded: Results; kafka: Results }>> {
  const env = {
    RENAMED_TOPOLOGY: fileURLToPath(new URL(file, import.meta.url)),
    RENAMED_PREFIX: `${app}-`,
    STREAMCTL_REGISTRY: registry.url,
  }
  const call = async (...args: string[]) => {
    const result = await program(args, { cwd, env })
    expect([result.exit, result.stdout], `${args.join(' ')}\n${result.stderr}`).toEqual([0, ''])
  }
  const topics = [...new Set(phases.flatMap((inputs) => Object.keys(inputs)))]
  for (const topic of [...topics, ...Object.keys(outputs)]) await createTopic(broker, `${app}-${topic}`, partitions)
  const embedded = new Map<string, Map<string, unknown[]>>()
  for (const [i, inputs] of phases.entries()) {
    const feeds: string[] = []
    for (const [topic, lines] of Object.entries(inputs)) {
      const path = join(cwd, `${topic}-${i}.ndjson`)
      await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      feeds.push('--in', `${app}-${topic}=${path}`)
      await call('produce', `${app}-${topic}`, '--broker', bootstrap, '--file', path, '--topology', renamed)
    }
    const outs = Object.keys(outputs).flatMap((topic) => ['--out', `${app}-${topic}=${topic}.out.ndjson`])
    const end = ['--app-id', app, '--until', 'caught-up']
    await call(
      'run',
      renamed,
      '--broker',
      'embedded:broker',
      '--partitions',
      `${partitions}`,
      ...feeds,
      ...outs,
      ...end,
    )
    await call('run', renamed, '--broker', bootstrap, '--state-dir', 'state', ...end)
    for (const topic of Object.keys(outputs)) {
      const rows = jsonLines(await readFile(join(cwd, `${topic}.out.ndjson`), 'utf8'))
      const results = embedded.get(topic) ?? new Map<string, unknown[]>()
      embedded.set(topic, results)
      for (const { key, value } of rows) add(results, keyText(key), value)
    }
  }
  const both: Record<string, { embedded: Results; kafka: Results }> = {}
  for (const [topic, read] of Object.entries(outputs)) {
    both[topic] = { embedded: embedded.get(topic) as Results, kafka: await read(`${app}-${topic}`) }
  }
  return both
}

function add(results: Map<string, unknown[]>, key: string, value: unknown): void {
  const values = results.get(key) ?? []
  results.set(key, values)
  values.push(value)
}

function keyText(key: unknown): string {
  if (typeof key !== 'object' || key === null) return String(key)
  const { key: inner, start } = key as { key: string; start: number }
  return `${inner}@${start}`
}

async function fromKcat(
  topic: string,
  readKey: (key: Buffer) => string,
  readValue: (value: Buffer) => unknown,
): Promise<Results> {
  const results = new Map<string, unknown[]>()
  const placed = new Map<string, number>()
  for (const { key, value, partition } of await readBytes(bootstrap, topic)) {
    const { key: name, value: row } = { key: readKey(key as Buffer), value: readValue(value as Buffer) }
    expect(placed.get(name) ?? partition, `${name} is on two partitions of ${topic}`).toBe(partition)
    placed.set(name, partition)
    add(results, name, row)
  }
  return results
}

/** Kafka Streams' TimeWindowedSerializer: the key, then the start as 8 bytes. */
const windowedKey = (key: Buffer): string => `${key.subarray(0, -8).toString()}@${key.readBigInt64BE(key.length - 8)}`
const jsonValue = (value: Buffer): unknown => JSON.parse(value.toString())

const last = (results: Results): Map<string, unknown> =>
  new Map([...results].map(([key, values]) => [key, values.at(-1)]))
const sizes = (results: Results): Map<string, number> =>
  new Map([...results].map(([key, values]) => [key, values.length]))
const sorted = (results: Results): unknown[] => [...results].sort(([a], [b]) => (a < b ? -1 : 1))

test(`word count (seed ${seed})`, async () => {
  const lines = randomLines(5000, seeded(seed))
  const half = lines.length / 2
  const phase = (from: number, to: number): Inputs => ({
    lines: lines.slice(from, to).map((value, i) => ({ key: `l${from + i}`, value, timestamp: 1_700_000_000_000 + i })),
  })
  const { 'word-counts': counts } = await bothWays({
    file: '../../topologies/word-count.ts',
    phases: [phase(0, half), phase(half, lines.length)],
    outputs: { 'word-counts': (topic) => readCounts(bootstrap, topic) },
  })
  const model = new Map<string, number[]>()
  for (const word of lines.flatMap((line) => line.split(' '))) {
    const seen = model.get(word) ?? []
    model.set(word, seen)
    seen.push(seen.length + 1)
  }
  expect(sorted(counts?.kafka as Results)).toEqual(sorted(model))
  expect(sorted(counts?.embedded as Results)).toEqual(sorted(model))
})

test('earthquakes per region and hour', async () => {
  const quakes = quakeRecords()
  const { 'earthquakes-per-region-and-hour': rows } = await bothWays({
    file: '../../topologies/earthquakes.ts',
    phases: [{ earthquakes: quakes }],
    outputs: { 'earthquakes-per-region-and-hour': (topic) => fromKcat(topic, windowedKey, jsonValue) },
  })
  const model = new Map<string, { count: number; strongest: number }>()
  for (const { value, timestamp } of quakes) {
    if (value.type !== 'earthquake' || value.mag === null) continue
    const key = `${regionOf(value.place)}@${timestamp - (timestamp % (60 * minute))}`
    const { count, strongest } = model.get(key) ?? { count: 0, strongest: -10 }
    model.set(key, { count: count + 1, strongest: Math.max(strongest, value.mag) })
  }
  for (const results of [rows?.kafka as Results, rows?.embedded as Results]) {
    expect(sizes(results)).toEqual(new Map([...model].map(([key, { count }]) => [key, count])))
    // Sums of the same magnitudes in another order differ in their last bits.
    const found = [...last(results)].map(([key, row]) => {
      const { count, strongest, sum, average } = row as Record<string, number>
      expect(average).toBeCloseTo((sum as number) / (count as number), 9)
      return [key, { count, strongest }]
    })
    expect(new Map(found as [string, unknown][])).toEqual(model)
  }
})

test(`Avro orders joined with a table, its updates and deletions (seed ${seed})`, async () => {
  const random = seeded(seed)
  const pick = (most: number): number => Math.floor(random() * most)
  const customers = new Map<string, { name: string; tier: string; country: string | null } | null>()
  const model = new Map<string, unknown[]>()
  const phase = (number: number): Inputs => {
    const start = 1_700_000_000_000 + number * minute
    const updates = Array.from({ length: 100 }, (_, i): Line => {
      const tier = pick(2) === 0 ? 'free' : 'pro'
      const value = pick(5) === 0 ? null : { name: `Größe ${number}.${i}`, tier, country: pick(2) === 0 ? null : 'GB' }
      const key = `c${pick(60)}`
      customers.set(key, value)
      return { key, value, timestamp: start + i }
    })
    const orders = Array.from({ length: 1000 }, (_, i): Line => {
      const orderId = `o${number}.${i}`
      const customerId = `c${pick(70)}`
      const cents = pick(2) === 0 ? 1_000 + i : `-${2n ** 60n + BigInt(i)}`
      const currency = pick(2) === 0 ? 'EUR' : 'USD'
      const customer = customers.get(customerId) ?? null
      add(model, orderId, [customerId, customer?.name ?? customerId, customer?.tier ?? null, String(cents), currency])
      // Without key, so that any partition has orders of any customer.
      return { key: null, value: { orderId, customerId, cents, currency }, timestamp: start + 1000 + i }
    })
    return { customers: updates, orders }
  }
  const values = (results: Results): Results => {
    const byOrder = new Map<string, unknown[]>()
    for (const [customerId, rows] of results) {
      for (const row of rows) {
        const { orderId, customer, tier, cents, currency } = row as Record<string, unknown>
        add(byOrder, orderId as string, [customerId, customer, tier, String(cents), currency])
      }
    }
    return byOrder
  }
  const { 'orders-enriched': rows } = await bothWays({
    file: '../../topologies/orders-enriched.ts',
    phases: [phase(0), phase(1)],
    outputs: { 'orders-enriched': (topic) => fromKcat(topic, String, (value) => readAvro(value, registry).value) },
  })
  expect(sorted(values(rows?.kafka as Results))).toEqual(sorted(model))
  expect(sorted(values(rows?.embedded as Results))).toEqual(sorted(model))
})

test(`repartition, join, tumbling and hopping windows in one topology (seed ${seed})`, async () => {
  const random = seeded(seed)
  const pick = (most: number): number => Math.floor(random() * most)
  const start = 1_700_000_000_000 - (1_700_000_000_000 % (5 * minute))
  const countries = ['FR', 'GB', 'DE', 'IT', 'ES']
  const users = new Map(Array.from({ length: 200 }, (_, i) => [`u${i}`, countries[pick(5)] as string]))
  const counts = new Map<string, number>()
  const dwells = new Map<string, { ms: number; n: number }>()
  const clicks = Array.from({ length: 4000 }, (_, i): Line => {
    // Half an hour; out of order by up to a minute; a tenth of the users is not known.
    const timestamp = start + Math.max(0, Math.floor((i * 30 * minute) / 4000) - pick(minute))
    const user = `u${pick(222)}`
    const ms = pick(10_000)
    const country = users.get(user)
    if (country !== undefined) {
      const tumbling = `${country}@${timestamp - (timestamp % minute)}`
      counts.set(tumbling, (counts.get(tumbling) ?? 0) + 1)
      for (let opens = timestamp - (timestamp % minute); opens > timestamp - 5 * minute; opens -= minute) {
        const sum = dwells.get(`${country}@${opens}`) ?? { ms: 0, n: 0 }
        dwells.set(`${country}@${opens}`, { ms: sum.ms + ms, n: sum.n + 1 })
      }
    }
    return { key: `${i}`, value: { user, ms }, timestamp }
  })
  const known = [...users].map(([key, country], i): Line => ({ key, value: { country }, timestamp: start - 1000 + i }))
  const both = await bothWays({
    file: 'fixtures/clicks.ts',
    phases: [{ users: known, clicks: clicks.slice(0, 2500) }, { clicks: clicks.slice(2500) }],
    outputs: {
      'clicks-per-minute': (topic) => fromKcat(topic, windowedKey, (value) => Number(value.readBigInt64BE())),
      dwell: (topic) => fromKcat(topic, windowedKey, jsonValue),
    },
  })
  for (const way of ['kafka', 'embedded'] as const) {
    const perMinute = both['clicks-per-minute']?.[way] as Results
    expect(sorted(perMinute)).toEqual(
      sorted(new Map([...counts].map(([key, n]) => [key, Array.from({ length: n }, (_, i) => i + 1)]))),
    )
    const dwell = both.dwell?.[way] as Results
    expect(sorted(last(dwell) as unknown as Results)).toEqual(sorted(dwells as unknown as Results))
    expect(sizes(dwell)).toEqual(new Map([...dwells].map(([key, { n }]) => [key, n])))
  }
})
