import { expect, test } from 'vitest'
import { defineTopology } from '../../src/dsl/define.ts'
import { Suppressed } from '../../src/dsl/suppressed.ts'
import { json, store, string, topic, Windows } from '../../src/index.ts'
import { createTestDriver } from '../../src/testing.ts'
import { subTopologies } from '../../src/topology/subtopology.ts'
import { nodeOf, refusal } from './fixtures.ts'

const rows = topic('rows', { key: string, value: string })
const others = topic('others', { key: string, value: string })
const results = topic('results', { key: string, value: string })
const upper = { serde: string, transform: (row: string | null) => row?.toUpperCase() ?? null }
// biome-ignore lint/suspicious/noExplicitAny: calls as plain JavaScript makes them.
type Untyped = any

test('the results are the store of that name, and the stores of its function are named after it', () => {
  const topology = defineTopology('t', (b) => {
    const table = b.table(others, { store: 'others' })
    b.table(rows, { store: 'rows' }).transformValues('shown', {
      ...upper,
      storage: 'memory',
      stores: { seen: store({ key: string, value: string }) },
      tables: { table },
    })
  })
  expect(nodeOf(topology, 'table-transform-values')).toMatchObject({
    name: 'shown',
    parents: [3, 1],
    store: { name: 'shown', kind: 'key-value', key: string, value: string, storage: 'memory' },
    stores: { seen: { name: 'shown-seen', storage: 'disk' } },
    tables: { table: { node: 1, stores: ['others'] } },
    where: { file: expect.stringContaining('transform-values.test.ts') },
  })
  const [sub, ...rest] = subTopologies(topology)
  expect(rest).toEqual([])
  expect(sub?.stores.map(({ name }) => name)).toEqual(['others', 'rows', 'shown', 'shown-seen'])
  expect(sub?.copartitioned).toEqual([[0, 2]])
})

test('a table that is read does not drive it, and a join sees what was made, not what would be', async () => {
  let calls = 0
  const driver = await createTestDriver(
    defineTopology('t', (b) => {
      const other = b.table(others, { store: 'others' })
      const shown = b.table(rows, { store: 'rows' }).transformValues('shown', {
        tables: { other },
        serde: string,
        transform: (row, key, { tables }) => `${row} ${tables.other.get(key) ?? 'alone'} ${++calls}`,
      })
      shown
        .join(other, (one, other) => `${one}, ${other}`)
        .toStream()
        .to(results)
    }),
  )
  await driver.send(rows, 'a', 'x', 10)
  await driver.send(others, 'a', 'first', 20)
  await driver.send(others, 'a', 'second', 30)
  await driver.send(rows, 'a', 'y', 15)
  expect(driver.read(results).map(({ value, timestamp }) => [value, timestamp])).toEqual([
    ['x alone 1, first', 20],
    ['x alone 1, second', 30],
    ['y second 2, second', 30],
  ])
  await driver.close()
})

test('windows still close behind it, whatever tables it reads', async () => {
  const counted = topic('counted', { key: string, value: json<string>() })
  const driver = await createTestDriver(
    defineTopology('t', (b) => {
      const other = b.table(others, { store: 'others' })
      b.stream(rows)
        .groupByKey()
        .windowedBy(Windows.tumbling('10ms', { grace: 0 }))
        .count('counts')
        .transformValues('shown', {
          tables: { other },
          serde: json<string>(),
          transform: (n, { key }, { tables }) => `${n} ${tables.other.get(key) ?? 'alone'}`,
        })
        .suppress('final', Suppressed.untilWindowCloses('unbounded'))
        .toStream()
        .map((said, { key }) => [key, said])
        .to(counted)
    }),
  )
  await driver.send(others, 'a', 'other', 0)
  for (const time of [1, 2, 12]) await driver.send(rows, 'a', 'x', time)
  expect(driver.read(counted).map(({ value }) => value)).toEqual(['2 other'])
  await driver.close()
})

test.each<[string, (table: Untyped, other: Untyped) => unknown, RegExp]>([
  [
    'no name',
    (table) => table.transformValues(upper),
    /^rows\.transformValues: the store name .* is not a legal name$/,
  ],
  ['no options', (table) => table.transformValues('t'), /^t: the `transform` is not a function but undefined$/],
  ['an async function', (table) => table.transformValues('t', { ...upper, transform: async () => 1 }), /is async/],
  ['no serde', (table) => table.transformValues('t', { transform: () => 1 }), /^t needs the value serde for its store/],
  [
    'a store that is none',
    (table) => table.transformValues('t', { ...upper, stores: { seen: string } }),
    /^t: what is given as the store seen is none$/,
  ],
  [
    'a name that a store has',
    (table) => table.transformValues('rows', upper),
    /^the name rows is given to a store twice/,
  ],
  [
    'no table',
    (table) => table.transformValues('t', { ...upper, tables: { other: rows } }),
    /^rows\.tables\.other was not given a table$/,
  ],
  [
    'a table of another topology',
    (table, other) => table.transformValues('t', { ...upper, tables: { other } }),
    /topology/,
  ],
  [
    'a punctuator of no type',
    (table) => table.transformValues('t', { ...upper, punctuators: [{ every: 1, punctuate: () => undefined }] }),
    /^t: a punctuator is of the type undefined$/,
  ],
])('%s is refused', (_, build, says) => {
  let other: Untyped
  defineTopology('o', (b) => {
    other = b.table(rows, { store: 'rows' })
    other.toStream().to(results)
  })
  const error = refusal(() => defineTopology('t', (b) => void build(b.table(rows, { store: 'rows' }), other)))
  expect(error.message).toMatch(says)
  expect(error).toMatchObject({ code: 'INVALID_TOPOLOGY', hint: expect.any(String) })
})
