import { defineTopology, int64, json, type StreamsBuilder, store, string, topic, Windows } from 'streamctl'
import { createTestDriver, type TestDriver, type TestDriverOptions } from 'streamctl/testing'
import { afterEach, describe, expect, test } from 'vitest'

const input = topic('input', { key: string, value: string })
const other = topic('other', { key: string, value: string })
const output = topic('output', { key: string, value: int64 })

let driver: TestDriver | undefined
afterEach(async () => {
  await driver?.close()
  driver = undefined
})

async function run(build: (b: StreamsBuilder) => void, options?: TestDriverOptions): Promise<TestDriver> {
  driver = await createTestDriver(defineTopology('queried', build), options)
  return driver
}

async function list<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const row of rows) found.push(row)
  return found
}

const counted = (b: StreamsBuilder): void => {
  b.stream(input).groupByKey().count('counts')
}

describe('a key-value store of the driver', () => {
  test('holds what the records have made of it, over all partitions, in the order of keys', async () => {
    const d = await run(counted, { partitions: 4 })
    for (let n = 0; n < 30; n++) await d.send(input, `k${n % 20}`, 'x', n)
    const counts = d.store<string, bigint>('counts')
    expect(await counts.get('k3')).toEqual({ value: 2n, timestamp: 23 })
    expect(await counts.get('nobody')).toBeUndefined()
    const all = await list(counts.all())
    expect(all.map(({ key }) => key)).toEqual(Array.from({ length: 20 }, (_, n) => `k${n}`).sort())
    expect(await list(counts.reverseAll())).toEqual(all.toReversed())
    expect((await list(counts.range('k12', 'k15'))).map(({ key }) => key)).toEqual(['k12', 'k13', 'k14', 'k15'])
    expect((await list(counts.prefixScan('k1', string))).map(({ key }) => key)).toHaveLength(11)
    expect(await counts.approximateNumEntries()).toBe(20)
    expect([counts.kind, counts.name]).toEqual(['key-value', 'counts'])
  })

  test('of one partition, when it is named; each row is in the one of its key', async () => {
    const d = await run(counted, { partitions: 3 })
    for (let n = 0; n < 12; n++) await d.send(input, `k${n}`, 'x', n)
    const parts = await Promise.all(
      [0, 1, 2].map((partition) => list(d.store<string, bigint>('counts', 'key-value', { partition }).all())),
    )
    expect(parts.every((rows) => rows.length > 0)).toBe(true)
    const keys = parts.flat().map(({ key }) => key)
    expect(keys.toSorted()).toEqual((await list(d.store<string, bigint>('counts').all())).map(({ key }) => key))
    const [first] = parts[0] ?? []
    const elsewhere = d.store<string, bigint>('counts', 'key-value', { partition: 1 })
    expect(await elsewhere.get(first?.key as string)).toBeUndefined()
    expect(() => d.store('counts', 'key-value', { partition: 3 })).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: 'store counts has no partition 3',
        hint: 'Its partitions are 0 to 2.',
      }),
    )
  })

  test('is the same handle after a restart, and over a repartition', async () => {
    const d = await run(
      (b) =>
        b
          .stream(input)
          .groupBy('by-value', (value) => value, { key: string, value: string })
          .count('values')
          .toStream()
          .to(output),
      { partitions: 3 },
    )
    const values = d.store<string, bigint>('values')
    await d.send(input, 'a', 'x', 1)
    await d.send(input, 'b', 'x', 2)
    await d.send(input, 'c', 'y', 3)
    const before = await list(values.all())
    expect(before).toEqual([
      { key: 'x', value: 2n, timestamp: 2 },
      { key: 'y', value: 1n, timestamp: 3 },
    ])
    await d.restart()
    expect(await list(values.all())).toEqual(before)
    await d.send(input, 'a', 'y', 4)
    expect(await values.get('y')).toEqual({ value: 2n, timestamp: 4 })
  })

  test('of a processor: a key of its own is found in whatever partition it is', async () => {
    const totals = store({ key: string, value: json<number>(), name: 'totals' })
    const d = await run(
      (b) => {
        b.stream(input).process('total', {
          stores: { totals },
          on: ({ value }, { stores }) => stores.totals.put(value, value.length),
        })
      },
      { partitions: 5 },
    )
    for (const value of ['one', 'three', 'thirteen']) await d.send(input, 'same', value, 1)
    const stored = d.store<string, number>('totals')
    for (const value of ['one', 'three', 'thirteen']) {
      expect(await stored.get(value)).toEqual({ value: value.length, timestamp: 1 })
    }
  })

  test('what a failed record wrote before it failed is not seen', async () => {
    const totals = store({ key: string, value: json<number>(), name: 'totals' })
    const d = await run((b) => {
      b.stream(input).process('total', {
        stores: { totals },
        on: ({ key, value }, { stores }) => {
          stores.totals.put(key, value.length)
          if (value === 'bad') throw new Error('no')
        },
      })
    })
    await d.send(input, 'k', 'good', 1)
    await expect(d.send(input, 'k', 'bad', 2)).rejects.toThrow('no')
    expect(await d.store('totals').get('k')).toEqual({ value: 4, timestamp: 1 })
  })

  test('a table is one, with a ttl too', async () => {
    const d = await run((b) => {
      b.table(input, { store: 'names' })
      b.table(other, { store: 'short', ttl: 10 })
    })
    await d.send(input, 'k', 'name', 1)
    await d.send(other, 'k', 'x', 1)
    await d.send(other, 'l', 'y', 11)
    expect(await list(d.store('names').all())).toEqual([{ key: 'k', value: 'name', timestamp: 1 }])
    expect(await list(d.store('short').all())).toEqual([{ key: 'l', value: 'y', timestamp: 11 }])
  })
})

test('a store that is not there, or not to be read, is refused with those that are', async () => {
  const d = await run((b) => {
    counted(b)
    b.table(other, { store: 'names' })
    b.stream(input).join(b.stream(other), (one, two) => one + two, Windows.join(5, { grace: 0 }), { name: 'joined' })
  })
  for (const name of ['coutns', 'joined-this-join-store']) {
    expect(() => d.store(name)).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: `the topology has no store ${name} that can be read`,
        hint: 'It has: counts (key-value), names (key-value).',
      }),
    )
  }
  await driver?.close()
  const none = await run((b) => b.stream(input).mapValues(BigInt).to(output))
  expect(() => none.store('any')).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('none at all') as string }),
  )
})
