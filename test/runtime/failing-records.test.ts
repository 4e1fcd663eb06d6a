import { defineTopology, json, type Serde, StreamError, string, type Topology, topic } from 'streamctl'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { type Header, noHeaders } from '../../src/common/record.ts'
import { startApp } from '../../src/runtime/app.ts'
import type { AppOptions, StreamsApp } from '../../src/runtime/app-options.ts'
import { fieldsOf, type RecordFields } from '../support/records.ts'

interface Order {
  readonly amount: number
}

const orders = topic('orders', { key: string, value: json<Order>() })
const amounts = topic('amounts', { key: string, value: json<number>() })

let broker: EmbeddedBroker
let apps: StreamsApp[]

beforeEach(async () => {
  broker = await openEmbedded()
  apps = []
  await broker.createTopics(
    [
      ['orders', 2],
      ['amounts', 2],
      ['orders.dlq', 3],
    ].map(([name, partitions]) => ({ name: name as string, partitions: partitions as number, configs: {} })),
  )
})

afterEach(async () => {
  for (const app of apps) await app.stop().catch(() => undefined)
  await broker.close()
})

async function start(topology: Topology, options: Partial<AppOptions> = {}): Promise<StreamsApp> {
  const app = await startApp(topology, { broker, stateDir: null, commitIntervalMs: 5, ...options })
  apps.push(app)
  return app
}

interface Sent {
  readonly value: string | Buffer | null
  readonly key?: Buffer | null
  readonly partition?: number
  readonly timestamp?: number
  readonly headers?: readonly Header[]
}

async function send(...sent: readonly Sent[]): Promise<void> {
  const producer = await broker.plainProducer()
  const output = producer.output('orders')
  for (const { value, key = Buffer.from('k'), partition = 0, timestamp = 5, headers = noHeaders } of sent) {
    output.append(partition, key, value === null ? null : Buffer.from(value), timestamp, headers)
  }
  await producer.flush()
  await producer.close()
}

type Found = RecordFields & { readonly partition: number }

async function readAll(from: Broker, name: string): Promise<Found[]> {
  const partitions = (await from.topics([name])).get(name)?.partitions ?? 0
  const ends = await from.offsets(
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
    'stable',
  )
  const fetcher = from.fetcher()
  fetcher.assign(ends.map((end) => ({ ...end, offset: 0 })))
  let open = ends.filter((end) => end.offset > 0)
  const found: Found[] = []
  while (open.length > 0) {
    for (const { partition, records, position } of await fetcher.poll(100)) {
      found.push(...records.map((record) => ({ ...fieldsOf(record), partition })))
      open = open.filter((end) => end.partition !== partition || position < end.offset)
    }
  }
  await fetcher.close()
  return found
}

async function committed(partition: number): Promise<number | undefined> {
  return (await broker.committed('shop', [{ topic: 'orders', partition }]))[0]?.offset
}

/** 1-based line of the caller. */
function lineHere(): number {
  return Number(/:(\d+):\d+\)?$/.exec(new Error().stack?.split('\n')[2] ?? '')?.[1])
}

const failing = defineTopology('shop', (b) => {
  b.stream(orders)
    .mapValues((order) => order.amount)
    .to(amounts)
})

const deadLettering = defineTopology('shop', (b) => {
  b.stream(orders, { onDeserializationError: { deadLetter: 'orders.dlq' } })
    .mapValues((order) => order.amount)
    .to(amounts)
})

test('a record that does not read becomes a dead letter, bytes and headers untouched, and the rest go on', async () => {
  const own: Header[] = [{ key: 'trace', value: Buffer.from([1, 0xff]) }]
  const bad = Buffer.from([0x7b, 0xff, 0x00])
  await send(
    { value: '{"amount":1}' },
    { value: bad, key: Buffer.from([0xfe]), timestamp: 77, headers: own },
    { value: '{"amount":2}' },
  )
  await send({ value: 'nonsense', partition: 1, key: null })
  const app = await start(deadLettering)
  await app.caughtUp()
  const letters = await readAll(broker, 'orders.dlq')
  expect(letters).toHaveLength(2)
  const first = letters.find(({ partition }) => partition === 0)
  expect(first).toMatchObject({ key: Buffer.from([0xfe]), value: bad, timestamp: 77 })
  expect(first?.headers[0]).toEqual(own[0])
  const header = (name: string) => first?.headers.find(({ key }) => key === name)?.value?.toString()
  expect(header('__streams.errors.topic')).toBe('orders')
  expect(header('__streams.errors.partition')).toBe('0')
  expect(header('__streams.errors.offset')).toBe('1')
  expect(header('streamctl.dlq.code')).toBe('DESERIALIZATION')
  expect(header('streamctl.dlq.task')).toBe('0_0')
  // The partition follows the record's own.
  expect(letters.map(({ partition }) => partition).sort()).toEqual([0, 1])
  expect((await readAll(broker, 'amounts')).map(({ value }) => value?.toString())).toEqual(['1', '2'])
  expect(app.snapshot().errors.deadLetters).toBe(2)
  await app.stop()
  await (await start(deadLettering)).caughtUp()
  expect(await readAll(broker, 'orders.dlq')).toHaveLength(2)
})

test('dead letter, outputs and position are one transaction: none is there when it fails', async () => {
  await send({ value: '{"amount":1}' }, { value: 'bad' })
  let commits = 0
  const failingOnce: Broker = {
    ...broker,
    transactionalProducer: async (options) => {
      const real = await broker.transactionalProducer(options)
      return {
        output: (name) => real.output(name),
        get pendingBytes() {
          return real.pendingBytes
        },
        commit: async (offsets) => {
          if (commits++ > 0) return real.commit(offsets)
          expect(await readAll(broker, 'orders.dlq')).toEqual([])
          throw new StreamError('UNKNOWN_OUTCOME', 'lost on the way')
        },
        reset: () => real.reset(),
        close: () => real.close(),
      }
    },
  }
  const app = await start(deadLettering, { broker: failingOnce })
  await app.caughtUp()
  expect(app.snapshot().commits.aborted).toBe(1)
  expect(await readAll(broker, 'orders.dlq')).toHaveLength(1)
  expect(await readAll(broker, 'amounts')).toHaveLength(1)
})

test('a timestamp before 1970 is dead-lettered as what does not read', async () => {
  await send({ value: '{"amount":1}', timestamp: -1 })
  const app = await start(deadLettering)
  await app.caughtUp()
  const [letter] = await readAll(broker, 'orders.dlq')
  expect(letter?.timestamp).toBe(-1)
  expect(letter?.headers.find(({ key }) => key === '__streams.errors.message')?.value?.toString()).toContain(
    'timestamp -1',
  )
  expect(await readAll(broker, 'amounts')).toEqual([])
})

/** Ends with the error, and what is committed and written stops before the record at `offset` of partition 0. */
async function endsAt(app: StreamsApp, offset: number): Promise<StreamError> {
  const error = await app.ended.then(
    () => expect.unreachable('it ended well'),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(StreamError)
  expect((error as StreamError).where).toMatchObject({ topic: 'orders', partition: 0, offset, task: '0_0' })
  expect(app.snapshot().state).toBe('failed')
  expect((await committed(0)) ?? 0).toBeLessThanOrEqual(offset)
  expect((await readAll(broker, 'amounts')).length).toBeLessThanOrEqual(offset)
  return error as StreamError
}

test('by default a record that does not read stops the app before it; once it is gone the rest is done exactly once', async () => {
  await send({ value: '{"amount":1}' }, { value: 'bad' }, { value: '{"amount":2}' })
  const error = await endsAt(await start(failing), 1)
  expect(error.code).toBe('DESERIALIZATION')
  expect(error.where.node).toBe('orders')
  await endsAt(await start(failing), 1)
  await broker.deleteRecords([{ topic: 'orders', partition: 0, offset: 2 }])
  const repaired = await start(deadLettering, { appId: 'shop-2' })
  await repaired.caughtUp()
  expect((await readAll(broker, 'amounts')).map(({ value }) => value?.toString())).toContain('2')
})

test('what was processed before the record that stops the app is committed, when a commit was due', async () => {
  await send({ value: '{"amount":1}' })
  const app = await start(failing)
  await app.caughtUp()
  await send({ value: 'bad' })
  await endsAt(app, 1)
  expect(await committed(0)).toBe(1)
  expect(await readAll(broker, 'amounts')).toHaveLength(1)
})

test('a function that throws: PROCESSING, with the processor, its line and the record', async () => {
  let line = 0
  const throwing = defineTopology('shop', (b) => {
    const stream = b.stream(orders)
    line = lineHere() + 2
    stream
      .mapValues('to-amount', (order) => {
        if (order.amount === 13) throw new RangeError('unlucky')
        return order.amount
      })
      .to(amounts)
  })
  await send({ value: '{"amount":1}' }, { value: '{"amount":13}' })
  const error = await endsAt(await start(throwing), 1)
  expect(error).toMatchObject({ code: 'PROCESSING', message: expect.stringContaining('unlucky') })
  expect(error.cause).toBeInstanceOf(RangeError)
  expect(error.where.node).toBe('to-amount')
  expect(error.where.file).toContain('failing-records.test.ts')
  expect(error.where.line).toBe(line)
})

test('a value that does not serialize: SERIALIZATION, with the sink and the record', async () => {
  const wrong = defineTopology('shop', (b) => {
    b.stream(orders)
      .mapValues(() => 1n as unknown as number)
      .to(amounts)
  })
  await send({ value: '{"amount":1}' })
  const error = await endsAt(await start(wrong), 0)
  expect(error.code).toBe('SERIALIZATION')
  expect(error.message).toContain('amounts')
  expect(await readAll(broker, 'amounts')).toEqual([])
})

test('an aggregate that its serde refuses at the commit stops the app with nothing written', async () => {
  const wrong = defineTopology('shop', (b) => {
    b.stream(orders)
      .groupByKey()
      .aggregate('sums', { init: () => 0, add: () => 1n as unknown as number, serde: json<number>() })
      .toStream()
      .filter(() => false)
      .to(amounts)
  })
  await send({ value: '{"amount":1}' })
  const app = await start(wrong)
  await expect(app.ended).rejects.toMatchObject({ code: 'SERIALIZATION', where: { node: 'sums' } })
  expect(await committed(0)).toBeUndefined()
})

test('a serde that throws a passing error is redone, and a stop at that moment does not skip its record', async () => {
  let left = 1
  let stop = (): void => undefined
  const flaky: Serde<Order> = {
    ...json<Order>(),
    deserialize: (bytes) => {
      if (left > 0) {
        left--
        stop()
        throw new StreamError('UNREACHABLE', 'no registry answers')
      }
      return json<Order>().deserialize(bytes)
    },
  }
  const topology = defineTopology('shop', (b) => {
    b.stream(topic('orders', { key: string, value: flaky }))
      .mapValues((order) => order.amount)
      .to(amounts)
  })
  const app = await start(topology)
  stop = () => void app.stop()
  await send({ value: '{"amount":1}' })
  await app.ended.catch(() => undefined)
  expect(await committed(0)).not.toBe(1)
  await (await start(topology)).caughtUp()
  expect((await readAll(broker, 'amounts')).map(({ value }) => value?.toString())).toEqual(['1'])
})

test('a record too large for its topic stops the app with PRODUCTION and nothing of its transaction', async () => {
  await broker.createTopics([{ name: 'small', partitions: 1, configs: { 'max.message.bytes': '100' } }])
  const large = defineTopology('shop', (b) => {
    b.stream(orders)
      .mapValues((order) => 'x'.repeat(order.amount))
      .to(topic('small', { key: string, value: string }))
  })
  await send({ value: '{"amount":1}' }, { value: '{"amount":1000}' })
  const app = await start(large)
  await expect(app.ended).rejects.toMatchObject({ code: 'PRODUCTION', where: { topic: 'small' } })
  expect((await committed(0)) ?? 0).toBeLessThanOrEqual(1)
  expect((await readAll(broker, 'small')).length).toBeLessThanOrEqual(1)
})
