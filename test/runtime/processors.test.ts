/** Processors in a running application: what they remember and when they are called survives restarts and aborts. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineTopology, json, store, string, type Topology, topic } from 'streamctl'
import { createTestDriver } from 'streamctl/testing'
import { afterEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { noHeaders } from '../../src/common/record.ts'
import { startApp } from '../../src/runtime/app.ts'
import { faultyBroker } from './faulty-broker.ts'

const input = topic('input', { key: string, value: string })
const output = topic('output', { key: string, value: json<string>() })

/** Every output tells all that was before it: of the records, and of the punctuations. */
const history = defineTopology('history', (b) => {
  b.stream(input)
    .process('history', {
      stores: {
        said: store({ key: string, value: string }),
        kept: store({ key: string, value: string, storage: 'memory' }),
      },
      out: { key: string, value: json<string>() },
      on: ({ value }, { stores, offset }) => {
        stores.said.put('all', `${stores.said.get('all') ?? ''}${value}`)
        if (offset % 3 === 0) stores.kept.delete('last')
        else stores.kept.put('last', value)
      },
      punctuators: [
        {
          type: 'stream-time',
          every: 10,
          punctuate: (time, { stores, forward }) => {
            stores.said.put('all', `${stores.said.get('all') ?? ''}|`)
            forward('all', `${time}: ${stores.said.get('all')} ${stores.kept.get('last') ?? 'nothing'}`)
          },
        },
      ],
    })
    .to(output)
})

/** The same of a table's rows: what they are made of, and what they became, is remembered. */
const transformed = defineTopology('transformed', (b) => {
  b.table(input, { store: 'rows' })
    .transformValues('history', {
      stores: { said: store({ key: string, value: string }) },
      serde: json<string>(),
      transform: (value, key, { stores, offset }) => {
        const now = `${stores.said.get(key) ?? ''}${value}`
        stores.said.put(key, now)
        return offset % 3 === 0 ? null : now
      },
      punctuators: [
        { type: 'stream-time', every: 10, punctuate: (time, { stores }) => stores.said.put('k', `${time}|`) },
      ],
    })
    .groupBy('by-length', (said) => [`${said.length}`, said], { key: string, value: string })
    .aggregate('lists', {
      init: () => '',
      add: (list, said) => `${list}+${said}`,
      subtract: (list, said) => `${list}-${said}`,
      serde: json<string>(),
    })
    .toStream()
    .to(output)
})

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

type Sent = readonly [value: string, timestamp: number]

async function send(broker: EmbeddedBroker, records: readonly Sent[]): Promise<void> {
  const producer = await broker.plainProducer()
  for (const [value, timestamp] of records) {
    producer.output('input').append(0, Buffer.from('k'), Buffer.from(value), timestamp, noHeaders)
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

/** Times that skip steps of the grid, stand still, meet it, and go back. */
const times = [3, 4, 11, 11, 25, 19, 30, 31, 39, 58, 57, 60, 60, 71, 95, 94, 100, 101, 130, 131]
const records = times.map((time, i): Sent => [String.fromCharCode(97 + i), time])

async function expected(topology: Topology, count: number): Promise<string[]> {
  const driver = await createTestDriver(topology)
  for (const [value, timestamp] of records) await driver.send(input, 'k', value, timestamp)
  const outputs = driver.read(output).map(({ value }) => value as string)
  await driver.close()
  expect(outputs).toHaveLength(count)
  return outputs
}

const both = [
  ['a processor', history, 10],
  ['a table of transformed values', transformed, 24],
] as const

test.each(both)('restarted anywhere, %s goes on with its stores and its schedule', async (_, topology, count) => {
  const dir = await mkdtemp(join(tmpdir(), 'streamctl-processors-'))
  closing.push(() => rm(dir, { recursive: true }))
  const broker = await cluster()
  for (let at = 0; at < records.length; at += 3) {
    await send(broker, records.slice(at, at + 3))
    // Every other time the state is built from the changelogs.
    const app = await startApp(topology, { broker, stateDir: at % 2 === 0 ? dir : null })
    await app.caughtUp()
    await app.stop()
  }
  expect(await written(broker)).toEqual(await expected(topology, count))
})

test.each(both)('what an aborted transaction of %s has done is done again', async (_, topology, count) => {
  const broker = await cluster()
  const faulty = faultyBroker(broker.connect(), (step, call) =>
    step === 'commit' && call % 2 === 0 && call < 8 ? { when: 'before', code: 'FENCED' } : undefined,
  )
  const app = await startApp(topology, { broker: faulty.broker, stateDir: null, commitIntervalMs: 1 })
  for (let at = 0; at < records.length; at += 4) {
    await send(broker, records.slice(at, at + 4))
    await app.caughtUp()
  }
  expect(app.snapshot().commits.aborted).toBeGreaterThan(0)
  await app.stop()
  expect(await written(broker)).toEqual(await expected(topology, count))
})

test('by the wall clock a task without records is called, and what it writes is committed', async () => {
  const broker = await cluster()
  let now = 1_000_000
  const ticking = defineTopology('ticking', (b) => {
    b.stream(input)
      .process('ticks', {
        stores: { ticks: store({ key: string, value: json<number>() }) },
        out: { key: string, value: json<string>() },
        on: () => undefined,
        punctuators: [
          {
            type: 'wall-clock-time',
            every: '10s',
            punctuate: (time, { stores, forward }) => {
              const ticks = (stores.ticks.get('n') ?? 0) + 1
              stores.ticks.put('n', ticks)
              forward('n', `${ticks} at ${time}`)
            },
          },
        ],
      })
      .to(output)
  })
  const run = async (waits: number, upTo: number) => {
    const app = await startApp(ticking, { broker, stateDir: null, clock: () => now, commitIntervalMs: 1 })
    while (app.snapshot().tasks[0]?.state !== 'running') await new Promise(setImmediate)
    for (let i = 0; i < waits; i++) {
      now += 10_000
      while ((await written(broker)).length < upTo - waits + i + 1) await new Promise(setImmediate)
    }
    await app.stop()
  }
  await run(2, 2)
  await run(1, 3)
  expect(await written(broker)).toEqual(['1 at 1010000', '2 at 1020000', '3 at 1030000'])
})
