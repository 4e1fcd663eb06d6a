/** Where sources start of which nothing is committed, and that what is committed goes before. */

import { defineTopology, string, topic } from 'streamctl'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { noHeaders, type TopicPartition } from '../../src/common/record.ts'
import type { SourceOptions, StreamsBuilder } from '../../src/dsl/builder.ts'
import { startApp } from '../../src/runtime/app.ts'
import type { AppOptions } from '../../src/runtime/app-options.ts'

const input = topic('input', { key: string, value: string })
const other = topic('other', { key: string, value: string })
const output = topic('output', { key: string, value: string })

const now = 1_700_000_000_000
const hour = 3_600_000
const times = [now - 3 * hour, now - 2 * hour, now - hour, now - 1]

let broker: EmbeddedBroker

beforeEach(async () => {
  broker = await openEmbedded()
  await broker.createTopics([input, other, output].map(({ name }) => ({ name, partitions: 1, configs: {} })))
  await produce('input', times)
})
afterEach(() => broker.close())

async function produce(name: string, timestamps: readonly number[]): Promise<void> {
  const producer = await broker.plainProducer()
  const target = producer.output(name)
  for (const time of timestamps)
    target.append(0, Buffer.from('k'), Buffer.from(`${name} ${time - now}`), time, noHeaders)
  await producer.flush()
  await producer.close()
}

const one = (name: string): readonly TopicPartition[] => [{ topic: name, partition: 0 }]

/** What has come out so far. */
async function results(): Promise<readonly string[]> {
  const [end] = await broker.offsets(one('output'), 'stable')
  const fetcher = broker.fetcher()
  fetcher.assign([{ topic: 'output', partition: 0, offset: 0 }])
  const found: string[] = []
  for (let position = 0; position < (end?.offset ?? 0); ) {
    for (const batch of await fetcher.poll(1000)) {
      position = batch.position
      found.push(...batch.records.map(({ value }) => String(value)))
    }
  }
  await fetcher.close()
  return found
}

type Options = SourceOptions<string, string>

/** Runs an app until it has caught up: what it wrote, from the first on. */
async function run(build: (b: StreamsBuilder) => void, options: Partial<AppOptions> = {}): Promise<readonly string[]> {
  const app = await startApp(defineTopology('starts', build), {
    broker,
    stateDir: null,
    clock: () => now,
    commitIntervalMs: 5,
    ...options,
  })
  await app.caughtUp()
  await app.stop()
  return results()
}

const copy = (options: Options) => (b: StreamsBuilder) => b.stream(input, options).to(output)
const of = (...which: readonly number[]) => which.map((time) => `input ${time - now}`)

test.each<readonly [string, Options, AppOptions['from'], readonly string[]]>([
  ['nothing said', {}, undefined, of(...times)],
  ['nothing said, the application from its latest', {}, 'latest', []],
  ['earliest, whatever the application says', { startFrom: 'earliest' }, 'latest', of(...times)],
  ['latest, whatever the application says', { startFrom: 'latest' }, 'earliest', []],
  ['an hour ago, to the millisecond', { startFrom: { ago: '1h' } }, undefined, of(...times.slice(2))],
  ['less than that', { startFrom: { ago: hour - 1 } }, undefined, of(...times.slice(3))],
  ['longer ago than there are records', { startFrom: { ago: '9999999d' } }, undefined, of(...times)],
  ['shorter ago than any: latest', { startFrom: { ago: 0 } }, undefined, []],
])('%s', async (_, options, from, expected) => {
  expect(await run(copy(options), from === undefined ? {} : { from })).toEqual(expected)
})

test('what is committed goes before, also when nothing was read yet', async () => {
  expect(await run(copy({ startFrom: 'latest' }))).toEqual([])
  await produce('input', [now, now + 1])
  for (const startFrom of ['earliest', 'latest', 'none', { ago: '9d' }] as const) {
    expect(await run(copy({ startFrom }))).toEqual(of(now, now + 1))
  }
})

test('none without a committed offset ends the app, and says which source and how to go on', async () => {
  const app = await startApp(defineTopology('starts', copy({ startFrom: 'none' })), { broker, stateDir: null })
  await expect(app.ended).rejects.toMatchObject({
    code: 'NO_OFFSET',
    message: "the group starts has committed no offset of input-0, and its source says startFrom: 'none'",
    hint: expect.stringContaining('--reset-offsets --group starts --topic input'),
    where: { node: 'input', topic: 'input', partition: 0, file: import.meta.filename },
  })
  expect(await results()).toEqual([])
})

test('a committed offset that is out of range ends the app, whatever the source says', async () => {
  await run(copy({}))
  await produce('input', [now, now + 1])
  await broker.deleteRecords([{ topic: 'input', partition: 0, offset: 5 }])
  const app = await startApp(defineTopology('starts', copy({ startFrom: 'latest' })), { broker, stateDir: null })
  await expect(app.ended).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
})

test('each source has its own, and a table starts at its first row', async () => {
  await produce('other', [now - 2 * hour])
  const build = (b: StreamsBuilder): void => {
    b.stream(input, { startFrom: { ago: '1h' } })
      .leftJoin(b.table(other, { store: 'rows' }), (value, row) => `${value} with ${row}`)
      .to(output)
  }
  expect(await run(build, { from: 'latest' })).toEqual(
    times.slice(2).map((time) => `input ${time - now} with other ${-2 * hour}`),
  )
})
