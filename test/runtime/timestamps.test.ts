/** Extractors and policies, through the test driver: what is read, in which order, and what is left out. */

import { defineTopology, json, string, topic, Windows } from 'streamctl'
import { createTestDriver, type TestDriver } from 'streamctl/testing'
import { afterEach, describe, expect, test } from 'vitest'
import type { SourceOptions } from '../../src/dsl/builder.ts'

interface Sale {
  readonly at?: unknown
  readonly id: string
}
const sales = topic('sales', { key: string, value: json<Sale>() })
const seen = topic('seen', { key: string, value: string })

let driver: TestDriver
afterEach(() => driver.close())

async function open(options: SourceOptions<string, Sale>): Promise<TestDriver> {
  const topology = defineTopology('stamped', (b) => {
    b.stream(sales, options)
      .mapValues((sale) => sale.id)
      .to(seen)
  })
  driver = await createTestDriver(topology, { startMs: 5000 })
  return driver
}
const written = () => driver.read(seen).map(({ value, timestamp }) => `${value}@${timestamp}`)
const at = (sale: Sale | null): number => sale?.at as number

test('the extractor gets value, key and where the record comes from, and its time goes on', async () => {
  const contexts: unknown[] = []
  const d = await open({
    timestamp: (sale, key, context) => {
      contexts.push([key, context])
      return at(sale)
    },
  })
  await d.send(sales, 'k', { at: 70, id: 'a' }, 3, [{ key: 'h', value: Buffer.from('1') }])
  await d.send(sales, 'k', { at: 40, id: 'b' }, 4)
  expect(written()).toEqual(['a@70', 'b@40'])
  expect(contexts).toEqual([
    ['k', { topic: 'sales', partition: 0, offset: 0, timestamp: 3, headers: [{ key: 'h', value: Buffer.from('1') }] }],
    ['k', { topic: 'sales', partition: 0, offset: 1, timestamp: 4, headers: [] }],
  ])
})

describe('a timestamp that is none', () => {
  const none = [-1, Number.NaN, 1.5, '7', undefined, Number.POSITIVE_INFINITY]

  test.each(none)('%s: fail stops before the record, by name', async (bad) => {
    const d = await open({ timestamp: () => bad as number })
    await expect(d.send(sales, 'k', { id: 'a' }, 3)).rejects.toMatchObject({
      code: 'DESERIALIZATION',
      message: expect.stringContaining(`sales: the timestamp is ${bad}, and a timestamp is ms since 1970`),
      where: { topic: 'sales', partition: 0, offset: 0 },
    })
  })

  test('skip leaves it out', async () => {
    const d = await open({ timestamp: at, onInvalidTimestamp: 'skip' })
    for (const [i, bad] of [-1, 1.5, '7', undefined].entries()) await d.send(sales, 'k', { at: bad, id: `bad${i}` }, 3)
    await d.send(sales, 'k', { at: 8, id: 'good' }, 3)
    expect(written()).toEqual(['good@8'])
  })

  test('partition-time takes the highest before it, and fails when there is none', async () => {
    const d = await open({ timestamp: at, onInvalidTimestamp: 'partition-time' })
    await d.send(sales, 'k', { at: 80, id: 'a' }, 3)
    await d.send(sales, 'k', { at: 20, id: 'b' }, 3)
    await d.send(sales, 'k', { at: 'x', id: 'c' }, 3)
    expect(written()).toEqual(['a@80', 'b@20', 'c@80'])
    await d.close()
    await expect(
      (await open({ timestamp: () => -1, onInvalidTimestamp: 'partition-time' })).send(sales, 'k', { id: 'a' }, 3),
    ).rejects.toThrow('no record before it had one either')
  })

  test('wall-clock takes the clock', async () => {
    const d = await open({ timestamp: at, onInvalidTimestamp: 'wall-clock' })
    await d.send(sales, 'k', { at: -5, id: 'a' }, 3)
    await d.advanceWallClock(20)
    await d.send(sales, 'k', { at: -5, id: 'b' }, 3)
    expect(written()).toEqual(['a@5000', 'b@5020'])
  })

  test("a policy alone is about the record's own timestamp", async () => {
    const d = await open({ onInvalidTimestamp: 'skip' })
    await d.send(sales, 'k', { id: 'a' }, -1)
    await d.send(sales, 'k', { id: 'b' }, 9)
    expect(written()).toEqual(['b@9'])
  })
})

test('with skip, too, an extractor that throws stops before the record, and bytes that do not read keep their policy', async () => {
  const d = await open({
    onInvalidTimestamp: 'skip',
    onDeserializationError: { deadLetter: 'dead' },
    timestamp: (sale) => {
      if (sale?.id === 'boom') throw new Error('no such field')
      return 1
    },
  })
  await d.sendBytes('sales', null, Buffer.from('not JSON'), 3)
  expect(d.read('dead')).toHaveLength(1)
  await expect(d.send(sales, 'k', { id: 'boom' }, 3)).rejects.toMatchObject({
    code: 'PROCESSING',
    message: expect.stringContaining('sales: the timestamp extractor threw: no such field'),
  })
})

test('windows go by the extracted time', async () => {
  const topology = defineTopology('windows', (b) => {
    b.stream(sales, { timestamp: at })
      .groupByKey()
      .windowedBy(Windows.tumbling(10, { grace: 0 }))
      .count('counts')
      .toStream()
      .map((count, { key, start }) => [key, `${start}: ${count}`] as const)
      .to(seen)
  })
  driver = await createTestDriver(topology)
  for (const time of [3, 25, 7, 26]) await driver.send(sales, 'k', { at: time, id: 'a' }, 1000 - time)
  expect(driver.read(seen).map(({ value }) => value)).toEqual(['0: 1', '20: 1', '20: 2'])
})

test('a serde that has to look something up has done so before its records are asked for their time', async () => {
  let isReady = false
  const plain = json<Sale>()
  const late = topic('late-schemas', {
    key: string,
    value: {
      ...plain,
      deserialize: (bytes: Buffer): Sale => {
        if (!isReady) throw new Error('no schema yet')
        return plain.deserialize(bytes)
      },
      prepare: async () => {
        await Promise.resolve()
        isReady = true
      },
    },
  })
  const topology = defineTopology('prepared', (b) => {
    b.stream(late, { timestamp: at })
      .mapValues((sale) => sale.id)
      .to(seen)
  })
  driver = await createTestDriver(topology)
  await driver.send(late, 'k', { at: 70, id: 'a' }, 3)
  expect(written()).toEqual(['a@70'])
})

test('a record that does not read moves no time, and its dead letter keeps its own', async () => {
  const d = await open({
    timestamp: at,
    onInvalidTimestamp: 'partition-time',
    onDeserializationError: { deadLetter: 'dead' },
  })
  await d.send(sales, 'k', { at: 10, id: 'a' }, 3)
  await d.sendBytes('sales', null, Buffer.from('not JSON'), 1_000_000)
  await d.send(sales, 'k', { at: 'x', id: 'b' }, 3)
  expect(written()).toEqual(['a@10', 'b@10'])
  expect(d.read('dead').map(({ timestamp }) => timestamp)).toEqual([1_000_000])
})

test('a dead letter of a record without a time has the timestamp that it was written with', async () => {
  const d = await open({ timestamp: () => -1, onDeserializationError: { deadLetter: 'dead' } })
  await d.send(sales, 'k', { id: 'a' }, 77)
  expect(d.read('dead').map(({ timestamp }) => timestamp)).toEqual([77])
})

test('with skip, bytes that do not read and have no time go to the dead letters all the same', async () => {
  const d = await open({ timestamp: at, onInvalidTimestamp: 'skip', onDeserializationError: { deadLetter: 'dead' } })
  await d.sendBytes('sales', null, Buffer.from('not JSON'), 5)
  expect(d.read('dead')).toHaveLength(1)
  expect(written()).toEqual([])
})
