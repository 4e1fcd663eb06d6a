import { expect, test } from 'vitest'
import { Windows } from '../../src/common/windows.ts'
import type { StreamsBuilder } from '../../src/dsl/builder.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import type { Topology } from '../../src/topology/node.ts'
import { customers, lineHere, nodeOf, orders, outline, refusal } from './fixtures.ts'

function with_(build: (b: StreamsBuilder) => void): Topology {
  return defineTopology('t', build)
}

test('toTable keeps the last value of each key', () => {
  const topology = with_((b) => void b.stream(orders).toTable('last-order', { storage: 'memory' }))
  expect(nodeOf(topology, 'table')).toMatchObject({
    name: 'last-order',
    store: { name: 'last-order', kind: 'key-value', key: string, value: orders.value, storage: 'memory' },
  })
  expect(outline(topology)).toEqual(['orders source', 'last-order table <- orders'])
})

test('toTable after a change of key goes through a topic named as the store', () => {
  const topology = with_((b) => {
    b.stream(orders)
      .selectKey((v) => v.customer)
      .toTable('last', { key: string })
  })
  expect(outline(topology).slice(2)).toEqual(['last repartition <- orders.selectKey', 'last table <- last'])
})

test('toTable asks for serdes that were lost', () => {
  with_((b) => {
    const error = refusal(() =>
      b
        .stream(orders)
        .map((v) => [v.customer, v.amount])
        .toTable('x'),
    )
    expect(error.message).toContain('orders.map.toTable needs the key serde for its store')
    expect(error.hint).toContain("toTable('x', { key: string, value: json<V>() })")
    expect(refusal(() => b.stream(orders).toTable(undefined as never)).message).toBe(
      'orders.toTable: no store name is given',
    )
  })
})

test('filter, filterNot and mapValues make tables without a store of their own', () => {
  const topology = with_((b) => {
    const all = b.table(customers, { store: 'people' })
    const kept = all.filter('kept', (customer) => customer !== undefined).filterNot(() => false)
    b.stream(orders).join(
      kept.mapValues(() => 'x'),
      (order, mapped) => `${order.amount}${mapped}`,
    )
  })
  expect(outline(topology).slice(2)).toEqual([
    'kept table-filter <- people',
    'kept.filterNot table-filter <- kept',
    'orders source',
    'kept.filterNot.mapValues table-map-values <- kept.filterNot',
    'orders.join stream-table-join <- orders + kept.filterNot.mapValues',
  ])
  expect(topology.nodes.flatMap((node) => ('store' in node ? [node.store] : []))).toMatchObject([{ name: 'people' }])
  expect(nodeOf(topology, 'stream-table-join').stores).toEqual(['people'])
})

test('a table filter without a predicate is refused, and a mapped table has lost its serde', () => {
  with_((b) => {
    const table = b.table(customers, { store: 'people' })
    expect(refusal(() => table.filter(undefined as never)).message).toContain('people.filter')
    const error = refusal(() =>
      table
        .mapValues(() => 1n)
        .toStream()
        .repartition('r'),
    )
    expect(error.message).toContain('needs the value serde for its repartition topic')
    expect(error.message).toContain('people.mapValues changed the value')
  })
})

test('toStream carries the serdes of the store', () => {
  const topology = with_((b) => {
    const stream = b.table(customers, { store: 'customers' }).toStream('changes')
    stream.repartition('onwards')
  })
  expect(outline(topology).slice(2)).toEqual(['changes to-stream <- customers', 'onwards repartition <- changes'])
  expect(nodeOf(topology, 'repartition')).toMatchObject({ key: customers.key, value: customers.value })
})

test('a join looks its table up by the name of the store', () => {
  const joiner = (): string => ''
  const topology = with_((b) => {
    const table = b.table(customers, { store: 'people' })
    b.stream(orders).join(table, joiner)
    b.stream(orders).leftJoin(table, joiner, { name: 'maybe' })
  })
  const table = nodeOf(topology, 'table').id
  const source = topology.nodes.find((node) => node.name === 'orders')?.id
  expect(topology.nodes.filter((node) => node.kind === 'stream-table-join')).toMatchObject([
    { name: 'orders.join', stores: ['people'], left: false, joiner, parents: [source, table] },
    { name: 'maybe', stores: ['people'], left: true, joiner, parents: [source, table] },
  ])
})

test('a join after a change of key goes through a topic of its name', () => {
  const topology = with_((b) => {
    const table = b.table(customers, { store: 'people' })
    b.stream(orders)
      .selectKey((v) => v.customer)
      .join(table, (v) => v, { name: 'enriched', key: string })
  })
  expect(outline(topology).slice(-2)).toEqual([
    'enriched repartition <- orders.selectKey',
    'enriched stream-table-join <- enriched + people',
  ])
})

test('a join after a change of key without a name is refused', () => {
  with_((b) => {
    const table = b.table(customers, { store: 'people' })
    const rekeyed = b.stream(orders).selectKey((v) => v.customer)
    const error = refusal(() => rekeyed.leftJoin(table, (v) => v, { key: string }))
    expect(error).toMatchObject({
      code: 'INVALID_TOPOLOGY',
      where: { node: 'orders.selectKey.leftJoin', file: import.meta.filename, line: lineHere(-3) },
    })
    expect(error.message).toContain('needs a repartition topic, and that needs a name')
    expect(error.hint).toContain("leftJoin(table, joiner, { name: 'enriched' })")
  })
})

test('a join after a change of key asks for lost serdes', () => {
  with_((b) => {
    const table = b.table(customers, { store: 'people' })
    const rekeyed = b.stream(orders).map((v) => [v.customer, v.amount])
    const error = refusal(() => rekeyed.join(table, (v) => v, { name: 'j' }))
    expect(error.hint).toContain("join(table, joiner, { name: 'j', key: string, value: json<V>() })")
    rekeyed.join(table, (v) => v, { name: 'j2', key: string, value: json<number>() })
  })
})

test('the joined value has no serde, its key keeps that of the stream', () => {
  with_((b) => {
    const joined = b
      .stream(orders)
      .join(b.table(customers, { store: 'people' }), (order, customer) => ({ order, customer }))
    expect(refusal(() => joined.repartition('x')).message).toContain('not known since orders.join changed the value')
    joined.repartition('x', { value: json })
  })
})

test('a windowed table cannot be joined, and a joiner must be a function', () => {
  with_((b) => {
    const hourly = b
      .stream(orders)
      .groupByKey()
      .windowedBy(Windows.tumbling('1h', { grace: 0 }))
      .count('hourly')
    expect(refusal(() => b.stream(orders).join(hourly as never, () => 1)).message).toContain(
      'the windowed table hourly',
    )
    const visits = b
      .stream(orders)
      .groupByKey()
      .windowedBy(Windows.session('1h', { grace: 0 }))
      .count('visits')
    expect(refusal(() => b.stream(orders).join(visits as never, () => 1)).message).toContain(
      'the windowed table visits',
    )
    const table = b.table(customers, { store: 'people' })
    expect(refusal(() => b.stream(orders).join(customers as never, () => 1)).message).toBe(
      'orders.join was not given a table',
    )
    expect(refusal(() => b.stream(orders).join(table, null as never)).message).toBe(
      'orders.join: the joiner is not a function but null',
    )
  })
})

test('tables join tables: both sides drive, no store is added, and the stores of both are named', () => {
  const topology = with_((b) => {
    const people = b.table(customers, { store: 'people' })
    const latest = b.stream(orders).toTable('latest')
    const both = people.outerJoin(latest, (person, order) => [person, order], { name: 'both' })
    both.leftJoin(
      people.filter(() => true),
      (pair, person) => ({ pair, person }),
    )
  })
  expect(outline(topology).slice(4)).toEqual([
    'both table-table-join <- people + latest',
    'people.filter table-filter <- people',
    'both.leftJoin table-table-join <- both + people.filter',
  ])
  expect(topology.nodes.filter((node) => node.kind === 'table-table-join')).toMatchObject([
    { stores: ['people', 'latest'], left: true, right: true },
    { stores: ['people', 'latest'], left: true, right: false },
  ])
})

test('a join of tables refuses what is no table of the topology', () => {
  with_((b) => {
    const people = b.table(customers, { store: 'people' })
    const error = refusal(() => people.join(b.stream(customers) as never, () => 1))
    expect(error.message).toBe('people.join was not given a table')
    with_((other) => {
      const foreign = other.table(customers, { store: 'people' })
      expect(refusal(() => people.join(foreign, () => 1)).message).toContain('people.join')
    })
    expect(refusal(() => people.join(people, 'not a function' as never)).message).toContain('joiner')
  })
})

test('a history makes a table versioned, in ms', () => {
  const topology = with_((b) => {
    b.table(customers, { store: 'people', history: '1h' })
    b.stream(orders).toTable('last', { history: 0 })
  })
  const stores = topology.nodes.flatMap((node) => (node.kind === 'table' ? [node.store] : []))
  expect(stores).toMatchObject([
    { name: 'people', kind: 'versioned', historyMs: 3_600_000 },
    { name: 'last', kind: 'versioned', historyMs: 0 },
  ])
})

test('a history that is no duration is refused where it stands', () => {
  with_((b) => {
    const error = refusal(() => b.table(customers, { store: 'people', history: '1 hour' as never }))
    expect(error).toMatchObject({ code: 'INVALID_TOPOLOGY', where: { line: lineHere(-1) } })
    expect(error.message).toBe('customers.table: history "1 hour" is not a duration')
    expect(refusal(() => b.stream(orders).toTable('last', { history: -1 })).message).toContain('history -1 is not')
  })
})

test('a join with a grace keeps records in a store of its name', () => {
  const topology = with_((b) => {
    const table = b.table(customers, { store: 'people', history: '1m' })
    b.stream(orders).join(table, (order) => order, { name: 'late', grace: '10s' })
  })
  expect(nodeOf(topology, 'stream-table-join').buffer).toMatchObject({
    name: 'late-buffer',
    kind: 'join',
    graceMs: 10_000,
    retentionMs: 10_001,
    key: orders.key,
    value: orders.value,
  })
})

test('a grace is refused where nothing is remembered for it, and needs a name', () => {
  with_((b) => {
    const plain = b.table(customers, { store: 'people' })
    const short = b.table(customers, { store: 'short', history: '9s' })
    const table = b.table(customers, { store: 'long', history: '1m' })
    const stream = b.stream(orders)
    const late = { name: 'late', grace: '10s' } as const
    const error = refusal(() => stream.join(plain, (order) => order, late))
    expect(error).toMatchObject({ code: 'INVALID_TOPOLOGY', where: { node: 'late', line: lineHere(-1) } })
    expect(error.message).toContain('waits for late updates of versioned tables only')
    const joined = table.join(short, (a) => a)
    expect(refusal(() => stream.join(joined, (order) => order, late)).message).toContain('versioned tables only')
    // Of one store, and yet not derived row by row.
    const itself = table.join(table, (a) => a)
    expect(refusal(() => stream.join(itself, (order) => order, late)).message).toContain('versioned tables only')
    expect(refusal(() => stream.leftJoin(short, (order) => order, late)).message).toContain(
      'the grace of 10000 ms is longer than the history of 9000 ms of the table short',
    )
    expect(refusal(() => stream.join(table, (order) => order, { grace: '10s' })).message).toContain('needs a name')
    expect(refusal(() => stream.join(table, (order) => order, { ...late, grace: 'x' as never })).message).toContain(
      'grace "x" is not a duration',
    )
    const mapped = stream.mapValues((order) => order.amount)
    expect(refusal(() => mapped.join(table, (n) => n, late)).hint).toContain("name: 'late', value: json<V>()")
  })
})
