/** Processors on the test driver: the real compiler, tasks and stores. */

import { defineTopology, json, type StreamsBuilder, store, string, topic } from 'streamctl'
import { createTestDriver, type TestDriver, type TestDriverOptions } from 'streamctl/testing'
import { afterEach, expect, test } from 'vitest'

const input = topic('input', { key: string, value: string })
const rows = topic('rows', { key: string, value: string })
const output = topic('output', { key: string, value: json<unknown>() })
const out = { key: string, value: json<unknown>() }

let driver: TestDriver | undefined
afterEach(async () => {
  await driver?.close()
  driver = undefined
})

async function run(build: (b: StreamsBuilder) => void, options?: TestDriverOptions): Promise<TestDriver> {
  driver = await createTestDriver(defineTopology('driven', build), options)
  return driver
}

const read = (d: TestDriver) => d.read(output).map(({ key, value, timestamp }) => [key, value, timestamp])

test('state, tables and the record at hand', async () => {
  const d = await run(
    (b) => {
      const table = b.table(rows, { store: 'rows' })
      b.stream(input)
        .process('attempts', {
          stores: { tries: store({ key: string, value: json<number>() }) },
          tables: { table },
          out,
          on({ key, value }, { stores, tables, forward, topic, partition, offset, taskId }) {
            const tries = (stores.tries.get(value) ?? 0) + 1
            stores.tries.put(value, tries)
            forward(value, { tries, row: tables.table.get(key) ?? null, topic, partition, offset, taskId })
          },
        })
        .to(output)
    },
    { partitions: 2 },
  )
  await d.send(rows, 'k', 'r', 1)
  await d.send(input, 'k', 'a', 2)
  await d.send(input, 'k', 'a', 3)
  await d.send(rows, 'k', null, 4)
  await d.send(input, 'k', 'a', 5)
  const at = { topic: 'input', partition: 0, taskId: '0_0' }
  expect(read(d)).toEqual([
    ['a', { ...at, tries: 1, row: 'r', offset: 0 }, 2],
    ['a', { ...at, tries: 2, row: 'r', offset: 1 }, 3],
    ['a', { ...at, tries: 3, row: null, offset: 2 }, 5],
  ])
})

test('a versioned table is read as it is now: a version that comes late is older than the latest, and a deletion leaves nothing', async () => {
  const d = await run((b) => {
    const versions = b.table(rows, { store: 'rows', history: 100 })
    const tables = { versions, loud: versions.mapValues((row) => row.toUpperCase()) }
    b.stream(input)
      .process('read', {
        tables,
        out,
        on: ({ key }, { tables, forward }) =>
          forward(key, [tables.versions.get(key) ?? null, tables.loud.get(key) ?? null]),
      })
      .to(output)
  })
  await d.send(input, 'k', '', 5)
  await d.send(rows, 'k', 'newer', 20)
  await d.send(rows, 'k', 'older', 10)
  // Before the newer version: the join of a stream would see the older one.
  await d.send(input, 'k', '', 15)
  await d.send(rows, 'k', null, 30)
  await d.send(input, 'k', '', 15)
  expect(read(d)).toEqual([
    ['k', [null, null], 5],
    ['k', ['newer', 'NEWER'], 15],
    ['k', [null, null], 15],
  ])
})

test('a store that two processors share is one', async () => {
  const seen = store({ key: string, value: json<number>(), name: 'seen' })
  const d = await run((b) => {
    b.stream(rows).process('write', {
      stores: { seen },
      on: ({ key }, { stores, timestamp }) => stores.seen.put(key, timestamp),
    })
    b.stream(input)
      .process('read', {
        stores: { rows: seen },
        out,
        on: ({ key }, { stores, forward }) => forward(key, stores.rows.get(key) ?? null),
      })
      .to(output)
  })
  await d.send(rows, 'k', 'r', 1)
  await d.send(input, 'k', 'a', 2)
  await d.send(input, 'l', 'a', 3)
  expect(read(d)).toEqual([
    ['k', 1, 2],
    ['l', null, 3],
  ])
})

test('stream time punctuates after the record that brings it, the clock when it is moved', async () => {
  const d = await run((b) =>
    b
      .stream(input)
      .process('timed', {
        out,
        on: ({ key, value }, { forward }) => forward(key, value),
        punctuators: [
          {
            type: 'stream-time',
            every: 10,
            punctuate: (time, { forward, topic, partition, offset, headers, currentStreamTimeMs }) =>
              forward('stream', { time, topic, partition, offset, headers, currentStreamTimeMs }),
          },
          { type: 'wall-clock-time', every: '1s', punctuate: (time, { forward }) => forward('wall', time) },
        ],
      })
      .to(output),
  )
  const none = { topic: null, partition: -1, offset: -1, headers: [] }
  await d.send(input, 'k', 'a', 5)
  await d.send(input, 'k', 'b', 9)
  await d.send(input, 'k', 'c', 35)
  await d.advanceWallClock(999)
  await d.send(input, 'k', 'late', 31)
  await d.advanceWallClock(1)
  await d.advanceWallClock(2500)
  await d.advanceWallClock(499)
  await d.advanceWallClock(1)
  expect(read(d)).toEqual([
    ['k', 'a', 5],
    ['stream', { time: 5, ...none, currentStreamTimeMs: 5 }, 5],
    ['k', 'b', 9],
    ['k', 'c', 35],
    ['stream', { time: 35, ...none, currentStreamTimeMs: 35 }, 35],
    ['k', 'late', 31],
    ['wall', 1000, 1000],
    ['wall', 3500, 3500],
    ['wall', 4000, 4000],
  ])
})

test('a punctuation goes through repartition topics, and a commit is due after it', async () => {
  const d = await run((b) =>
    b
      .stream(input)
      .process('timed', {
        stores: { ticks: store({ key: string, value: json<number>() }) },
        out: { key: string, value: json<number>() },
        on: () => undefined,
        punctuators: [
          {
            type: 'wall-clock-time',
            every: 10,
            punctuate: (_, { stores, forward }) => {
              const ticks = (stores.ticks.get('n') ?? 0) + 1
              stores.ticks.put('n', ticks)
              forward('n', ticks)
            },
          },
        ],
      })
      .groupByKey()
      .reduce('sum', (sum, n) => sum + n)
      .toStream()
      .to(output),
  )
  for (let i = 0; i < 3; i++) await d.advanceWallClock(10)
  expect(read(d).map(([, sum]) => sum)).toEqual([1, 3, 6])
})

test('failures name the processor, the line and, unless a time brought them, the record', async () => {
  const failing = (b: StreamsBuilder) =>
    b.stream(input).process('fails', {
      on: ({ value }) => {
        if (value === 'x') throw new Error('boom')
      },
      punctuators: [
        {
          type: 'wall-clock-time',
          every: 1,
          punctuate: () => {
            throw new Error('tick')
          },
        },
      ],
    })
  const d = await run((b) => void failing(b))
  const place = {
    node: 'fails',
    file: expect.stringContaining('process.test.ts'),
    line: expect.any(Number),
    task: '0_0',
  }
  await expect(d.send(input, 'k', 'x', 1)).rejects.toMatchObject({
    code: 'PROCESSING',
    message: 'fails: boom',
    where: { ...place, topic: 'input', partition: 0, offset: 0 },
  })
  await d.close()
  const ticking = await run((b) => void failing(b))
  const error = await ticking.advanceWallClock(1).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'PROCESSING', message: 'fails: tick', where: place })
  expect((error as { where: object }).where).not.toHaveProperty('topic')
})
