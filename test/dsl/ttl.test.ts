import { describe, expect, test } from 'vitest'
import { defineTopology, json, store, string, topic, Windows } from '../../src/index.ts'
import { createTestDriver } from '../../src/testing.ts'

const numbers = topic('numbers', { key: string, value: json<number>() })
const others = topic('others', { key: string, value: json<number>() })
const results = topic('results', { key: string, value: json<unknown>() })
const sum = { init: () => 0, add: (total: number, n: number) => total + n, serde: json<number>() }

// biome-ignore lint/suspicious/noExplicitAny: calls as plain JavaScript makes them.
type Any = any

test('every key-value store of a topology can have one', () => {
  const { nodes } = defineTopology('t', (b) => {
    b.table(numbers, { store: 'table', ttl: '1h' })
    b.stream(others).toTable('to-table', { ttl: 10 })
    const grouped = b.stream(others).groupByKey()
    grouped.count('count', { ttl: 11 })
    grouped.reduce('reduce', (a, b) => a + b, { ttl: 12 })
    grouped.aggregate('aggregate', { ...sum, ttl: 13 })
    grouped.cogroup(sum.add).aggregate('cogroup', { ...sum, ttl: 14 })
    b.stream(others).process('p', {
      stores: { tries: store({ key: string, value: json<number>(), ttl: 15 }) },
      on: () => undefined,
    })
  })
  const specs = nodes.flatMap((node) =>
    'store' in node && typeof node.store === 'object'
      ? [node.store]
      : 'stores' in node
        ? Object.values(node.stores)
        : [],
  )
  expect(specs.map((spec) => (typeof spec === 'object' ? [spec.name, spec.kind, spec.ttlMs] : spec))).toEqual([
    ['table', 'key-value', 3_600_000],
    ['to-table', 'key-value', 10],
    ['count', 'key-value', 11],
    ['reduce', 'key-value', 12],
    ['aggregate', 'key-value', 13],
    ['cogroup', 'key-value', 14],
    ['p-tries', 'key-value', 15],
  ])
})

describe('refuses', () => {
  const cases: readonly [string, (b: Any) => void, string][] = [
    ['a ttl of 0', (b) => b.table(numbers, { store: 's', ttl: 0 }), 's: `ttl` is 0 ms'],
    ['a ttl that is none', (b) => b.stream(numbers).toTable('s', { ttl: 'soon' }), 'is not a duration'],
    ['a history besides', (b) => b.table(numbers, { store: 's', history: 1, ttl: 1 }), 'has a history and a ttl'],
    [
      'one of windows',
      (b) =>
        b
          .stream(numbers)
          .groupByKey()
          .windowedBy(Windows.tumbling(1, { grace: 0 }))
          .count('s', { ttl: 1 }),
      's: an aggregate of windows has no ttl',
    ],
    [
      'one of a processor that is none',
      (b) =>
        b
          .stream(numbers)
          .process('p', { stores: { s: store({ key: string, value: string, ttl: -1 }) }, on: () => undefined }),
      'is not a duration',
    ],
  ]
  test.each(cases)('%s', (_, build, message) => {
    expect(() => defineTopology('t', build)).toThrow(
      expect.objectContaining({
        code: 'INVALID_TOPOLOGY',
        message: expect.stringContaining(message),
        where: expect.objectContaining({ file: expect.stringContaining('ttl.test.ts') }),
      }),
    )
  })
})

test('what a join sees, and what follows from a table, ends with its rows, after a restart too', async () => {
  const topology = defineTopology('t', (b) => {
    const table = b.table(numbers, { store: 'table', ttl: 100 })
    table
      .filter((n) => n > 1)
      .mapValues((n) => n * 10)
      .toStream()
      .to(results)
    b.stream(others)
      .join(table, (n, row) => `${n} with ${row}`)
      .to(results)
  })
  const driver = await createTestDriver(topology)
  const send = async (to: typeof numbers, key: string, value: number, time: number) => {
    await driver.send(to, key, value, time)
    return driver.read(results).map((record) => [record.key, record.value, record.timestamp])
  }
  expect(await send(numbers, 'a', 2, 0)).toEqual([['a', 20, 0]])
  expect(await send(numbers, 'b', 1, 0)).toEqual([])
  expect(await send(others, 'a', 1, 500)).toEqual([['a', '1 with 2', 500]])
  await driver.restart()
  expect(await send(numbers, 'c', 5, 100)).toEqual([
    ['a', null, 100],
    ['c', 50, 100],
  ])
  expect(await send(others, 'a', 2, 500)).toEqual([])
  expect(await send(others, 'c', 2, 500)).toEqual([['c', '2 with 5', 500]])
  expect(await send(numbers, 'a', 7, 0)).toEqual([])
  await driver.close()
})

test('a processor finds its rows gone', async () => {
  const topology = defineTopology('t', (b) => {
    b.stream(numbers)
      .processValues('tries', {
        stores: { tries: store({ key: string, value: json<number>(), ttl: '1s' }) },
        out: { value: json<number>() },
        on({ key }, { stores, forward }) {
          const tries = (stores.tries.get(key) ?? 0) + 1
          stores.tries.put(key, tries)
          forward(tries)
        },
      })
      .to(results)
  })
  const driver = await createTestDriver(topology)
  for (const time of [0, 999, 1998, 2997, 3997]) await driver.send(numbers, 'a', 1, time)
  await driver.restart()
  await driver.send(numbers, 'a', 1, 4996)
  await driver.send(numbers, 'a', 1, 5996)
  expect(driver.read(results).map(({ value }) => value)).toEqual([1, 2, 3, 4, 1, 2, 1])
  await driver.close()
})
