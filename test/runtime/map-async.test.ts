/** Calls of mapAsync in a running application: a commit never passes a record whose result is not out. */

import { defineTopology, json, string, topic } from 'streamctl'
import { afterEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { noHeaders } from '../../src/common/record.ts'
import { startApp } from '../../src/runtime/app.ts'
import type { StreamsApp } from '../../src/runtime/app-options.ts'
import { faultyBroker } from './faulty-broker.ts'

const input = topic('input', { key: string, value: string })
const output = topic('output', { key: string, value: json<string>() })

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function cluster(): Promise<EmbeddedBroker> {
  const broker = await openEmbedded({})
  closing.push(() => broker.close())
  await broker.createTopics(['input', 'output'].map((name) => ({ name, partitions: 1, configs: {} })))
  return broker
}

async function send(broker: EmbeddedBroker, values: readonly string[]): Promise<void> {
  const producer = await broker.plainProducer()
  for (const value of values) {
    producer.output('input').append(0, Buffer.from('k'), Buffer.from(value), 1, noHeaders)
  }
  await producer.flush()
  await producer.close()
}

async function written(broker: EmbeddedBroker): Promise<string[]> {
  const [end] = await broker.offsets([{ topic: 'output', partition: 0 }], 'stable')
  const fetcher = broker.fetcher()
  fetcher.assign([{ topic: 'output', partition: 0, offset: 0 }])
  const found: string[] = []
  for (let at = 0; at < (end?.offset ?? 0); ) {
    for (const { records, position } of await fetcher.poll(100)) {
      at = position
      for (const { value } of records) found.push(output.value.deserialize(value as Buffer))
    }
  }
  await fetcher.close()
  return found
}

async function committedOffset(broker: EmbeddedBroker): Promise<number | undefined> {
  return (await broker.committed('calling', [{ topic: 'input', partition: 0 }]))[0]?.offset
}

const tick = () => new Promise(setImmediate)

/** Calls that the test ends; the count beside shows what a record processed twice would leave behind. */
function calling(concurrency = 4, timeout = 600_000) {
  const open: { readonly value: string; readonly made: PromiseWithResolvers<string> }[] = []
  const topology = defineTopology('calling', (b) => {
    const stream = b.stream(input)
    stream
      .mapAsync(
        'call',
        (value) => {
          const made = Promise.withResolvers<string>()
          open.push({ value, made })
          return made.promise
        },
        { concurrency, timeout },
      )
      .groupByKey({ value: json<string>() })
      .aggregate('chain', { init: () => '', add: (chain, value) => `${chain}${value}`, serde: json })
      .toStream()
      .to(output)
    stream.groupByKey().count('seen')
  })
  const opened = async (count: number) => {
    while (open.length < count) await tick()
    return open.splice(0)
  }
  return { topology, open, opened }
}

async function start(
  broker: EmbeddedBroker,
  { topology }: ReturnType<typeof calling>,
  options: Partial<Parameters<typeof startApp>[1]> = {},
): Promise<StreamsApp> {
  return startApp(topology, { broker, stateDir: null, commitIntervalMs: 1, ...options })
}

test('nothing is committed over a call that is under way; results are in order whatever ends first', async () => {
  const broker = await cluster()
  const calls = calling()
  const app = await start(broker, calls)
  await send(broker, ['a', 'b', 'c'])
  const open = await calls.opened(3)
  for (const one of open.slice(1)) one.made.resolve(one.value)
  // Many commits are due meanwhile.
  for (let i = 0; i < 50; i++) await tick()
  expect([await committedOffset(broker), await written(broker), app.snapshot().commits.count]).toEqual([
    undefined,
    [],
    0,
  ])
  open[0]?.made.resolve('a')
  await app.caughtUp()
  expect([await committedOffset(broker), await written(broker)]).toEqual([3, ['a', 'ab', 'abc']])
  await app.stop()
})

test('while a commit waits for calls no record is taken, and what came meanwhile is processed after it', async () => {
  const broker = await cluster()
  const calls = calling(2)
  const app = await start(broker, calls)
  const values = [...'abcdefgh']
  await send(broker, values)
  for (let done = 0; done < values.length; ) {
    const open = await calls.opened(1)
    for (const one of open.reverse()) one.made.resolve(one.value)
    done += open.length
  }
  await app.caughtUp()
  expect((await written(broker)).at(-1)).toBe('abcdefgh')
  expect(app.snapshot().processors.find(({ name }) => name === 'call')?.records).toBe(8)
  await app.stop()
})

test('a stop waits for the calls that are under way, and commits them', async () => {
  const broker = await cluster()
  const calls = calling()
  const app = await start(broker, calls)
  await send(broker, ['a', 'b'])
  const open = await calls.opened(2)
  const stopping = app.stop()
  for (const one of open.reverse()) one.made.resolve(one.value)
  await stopping
  expect([await committedOffset(broker), await written(broker)]).toEqual([2, ['a', 'ab']])
})

test('after an abort the calls are made again, and nothing is lost or doubled', async () => {
  const broker = await cluster()
  const calls = calling()
  const faulty = faultyBroker(broker.connect(), (step, call) =>
    step === 'commit' && call < 3 ? { when: 'before', code: 'FENCED' } : undefined,
  )
  const app = await startApp(calls.topology, { broker: faulty.broker, stateDir: null, commitIntervalMs: 1 })
  await send(broker, ['a', 'b', 'c'])
  let ended = false
  const answering = (async () => {
    while (!ended) {
      for (const one of calls.open.splice(0).reverse()) one.made.resolve(one.value)
      await tick()
    }
  })()
  await app.caughtUp()
  ended = true
  await answering
  expect(app.snapshot().commits.aborted).toBeGreaterThan(0)
  expect(await written(broker)).toEqual(['a', 'ab', 'abc'])
  await app.stop()
})

test('killed with calls under way, the next start makes them again', async () => {
  const broker = await cluster()
  const first = calling()
  const faulty = faultyBroker(broker.connect(), () => undefined)
  const dead = await startApp(first.topology, {
    broker: faulty.broker,
    stateDir: null,
    commitIntervalMs: 1,
    transactionTimeoutMs: 2000,
  })
  await send(broker, ['a', 'b', 'c'])
  const open = await first.opened(3)
  faulty.kill()
  for (const one of open) one.made.resolve(one.value)
  await dead.stop().catch(() => undefined)
  const second = calling()
  const app = await start(broker, second)
  for (const one of await second.opened(3)) one.made.resolve(one.value)
  await app.caughtUp()
  expect(await written(broker)).toEqual(['a', 'ab', 'abc'])
  await app.stop()
})

test('a call that rejects, or takes too long, stops the application before its record', async () => {
  for (const [fail, message] of [
    [true, 'call: boom'],
    [false, 'call: a call did not end within 5000 ms'],
  ] as const) {
    const broker = await cluster()
    let now = 1_000_000
    const calls = calling(4, 5000)
    const app = await start(broker, calls, { clock: () => now })
    await send(broker, ['a', 'b'])
    const open = await calls.opened(2)
    if (fail) open[0]?.made.reject(new Error('boom'))
    else now += 5000
    await expect(app.ended).rejects.toMatchObject({
      code: 'PROCESSING',
      message,
      where: {
        node: 'call',
        topic: 'input',
        partition: 0,
        offset: 0,
        file: expect.stringContaining('map-async.test.ts'),
      },
    })
    expect([await committedOffset(broker), await written(broker)]).toEqual([undefined, []])
  }
})
