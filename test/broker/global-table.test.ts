import { defineTopology, json, string, topic } from 'streamctl'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { noHeaders, partitionsOf } from '../../src/common/record.ts'
import { startApp } from '../../src/runtime/app.ts'

let broker: Broker
let prefix: string

beforeEach(async () => {
  broker = await connectKafka({ bootstrap: inject('bootstrap') })
  prefix = `global-${Date.now()}-${process.pid}`
})

afterEach(() => broker.close())

test('a global table is whole before the first record, follows its topic, and reads nothing of aborted transactions', async () => {
  const orders = topic(`${prefix}-orders`, { key: string, value: json<string>() })
  const countries = topic(`${prefix}-countries`, { key: string, value: json<number>() })
  const results = topic(`${prefix}-results`, { key: string, value: json<string>() })
  const counts = new Map([
    [orders.name, 2],
    [countries.name, 3],
    [results.name, 1],
  ])
  await broker.createTopics([...counts].map(([name, partitions]) => ({ name, partitions, configs: {} })))
  const topology = defineTopology(prefix, (b) => {
    b.stream(orders)
      .leftJoin(
        b.globalTable(countries, { store: 'countries' }),
        (country) => country,
        (country, vat) => `${country} ${vat}`,
      )
      .to(results)
  })
  const producer = await broker.plainProducer()
  const write = async (name: string, values: Readonly<Record<string, unknown>>) => {
    for (const [i, [key, value]] of Object.entries(values).entries()) {
      const bytes = value === null ? null : Buffer.from(JSON.stringify(value))
      producer.output(name).append(i % (counts.get(name) ?? 1), Buffer.from(key), bytes, Date.now(), noHeaders)
    }
    await producer.flush()
  }
  const rows = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`c${i}`, i]))
  await write(countries.name, rows)
  const aborted = await broker.transactionalProducer({ transactionalId: `${prefix}-aborted` })
  const end = async () => (await broker.offsets([{ topic: countries.name, partition: 0 }], 'end'))[0]?.offset ?? 0
  const before = await end()
  // So much of it that it is sent before the end.
  const large = Buffer.from(`666${' '.repeat(700_000)}`)
  for (const key of ['c0', 'never', 'never', 'never']) {
    aborted.output(countries.name).append(0, Buffer.from(key), large, Date.now(), noHeaders)
  }
  while ((await end()) === before) await new Promise((resume) => setTimeout(resume, 20))
  await aborted.close()
  await write(orders.name, { a: 'c0', b: 'c4999', c: 'never' })

  const start = () => startApp(topology, { broker, stateDir: null })
  const first = await start()
  await first.caughtUp()
  expect(await read(results.name)).toEqual(['c0 0', 'c4999 4999', 'never null'])
  const size = () => first.snapshot().stores.find(({ name }) => name === 'countries')?.cachedRows
  expect(size()).toBe(5000)
  await write(countries.name, { new: 1, c1: null })
  while (size() !== 5000 || !(await joins('new', 'new 1'))) await new Promise((resume) => setTimeout(resume, 50))
  expect(await joins('c1', 'c1 null')).toBe(true)
  await first.stop()

  // It holds what it held, after a restart that kept nothing.
  const second = await start()
  await write(orders.name, { z: 'c4999' })
  await second.caughtUp()
  expect((await read(results.name)).filter((value) => value === 'c4999 4999')).toHaveLength(2)
  await second.stop()
  await producer.close()

  /** Whether an order is joined so; others may be joined as it was before. */
  async function joins(country: string, result: string): Promise<boolean> {
    await write(orders.name, { x: country })
    await first.caughtUp()
    return (await read(results.name)).includes(result)
  }
})

async function read(name: string): Promise<readonly string[]> {
  const [end] = await broker.offsets(partitionsOf(name, 1), 'stable')
  const fetcher = broker.fetcher()
  fetcher.assign([{ topic: name, partition: 0, offset: 0 }])
  const found: string[] = []
  for (let position = 0; position < (end?.offset ?? 0); ) {
    for (const batch of await fetcher.poll(100)) {
      for (const { value } of batch.records) found.push(JSON.parse(String(value)) as string)
      position = batch.position
    }
  }
  await fetcher.close()
  return found.sort()
}
