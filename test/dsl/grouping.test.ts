import { expect, test } from 'vitest'
import { Windows } from '../../src/common/windows.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import type { KStream } from '../../src/dsl/facade/kstream.ts'
import { double } from '../../src/serde/double.ts'
import { int64 } from '../../src/serde/int64.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { topic } from '../../src/serde/topic.ts'
import { externalTopics } from '../../src/topology/external-topics.ts'
import type { Topology } from '../../src/topology/node.ts'
import { lineHere, nodeOf, type Order, orders, outline, refusal } from './fixtures.ts'

const hourly = Windows.tumbling('1h', { grace: '5m' })

function with_(build: (stream: KStream<string, Order>) => unknown): Topology {
  return defineTopology('t', (b) => void build(b.stream(orders)))
}

test('count starts at 0n and adds 1n, in a store of int64', () => {
  const node = nodeOf(
    with_((s) => s.groupByKey().count('n')),
    'aggregate',
  )
  expect(node.name).toBe('n')
  expect(node.store).toEqual({ name: 'n', kind: 'key-value', key: string, value: int64, storage: 'disk' })
  expect(node.initializer?.()).toBe(0n)
  expect(node.aggregator(4n, {}, 'k')).toBe(5n)
})

test('reduce keeps the value serde and has no initializer', () => {
  const larger = (a: Order, b: Order): Order => (a.amount > b.amount ? a : b)
  const node = nodeOf(
    with_((s) => s.groupByKey().reduce('largest', larger, { storage: 'memory' })),
    'aggregate',
  )
  expect(node).not.toHaveProperty('initializer')
  expect(node.aggregator).toBe(larger)
  expect(node.store).toMatchObject({ name: 'largest', storage: 'memory' })
  expect(node.store.value).toBe(orders.value)
})

test('aggregate takes its initializer, its adder and its serde', () => {
  const init = (): number => 0
  const add = (sum: number, order: Order): number => sum + order.amount
  const node = nodeOf(
    with_((s) => s.groupByKey().aggregate('sum', { init, add, serde: double })),
    'aggregate',
  )
  expect(node).toMatchObject({ initializer: init, aggregator: add })
  expect(node.store.value).toBe(double)
})

test('windowed aggregates keep a window store under the inner key', () => {
  const node = nodeOf(
    with_((s) => s.groupByKey().windowedBy(hourly).count('hourly')),
    'window-aggregate',
  )
  expect(node.store).toEqual({
    name: 'hourly',
    kind: 'window',
    key: string,
    value: int64,
    windows: hourly,
    storage: 'disk',
    retentionMs: 3_900_000,
  })
  const reduced = nodeOf(
    with_((s) =>
      s
        .groupByKey()
        .windowedBy(hourly)
        .reduce('r', (a) => a),
    ),
    'window-aggregate',
  )
  expect(reduced.store.value).toBe(orders.value)
  const options = { init: () => [0], add: (all: number[], v: Order) => [...all, v.amount], serde: json }
  const folded = nodeOf(
    with_((s) => s.groupByKey().windowedBy(hourly).aggregate('a', options)),
    'window-aggregate',
  )
  expect(folded).toMatchObject({ initializer: options.init, aggregator: options.add })
})

test('sliding aggregates keep a store of sliding windows under the inner key', () => {
  const near = Windows.sliding('5m', { grace: '1m' })
  const counted = nodeOf(
    with_((s) => s.groupByKey().windowedBy(near).count('near')),
    'sliding-aggregate',
  )
  expect(counted.store).toEqual({
    name: 'near',
    kind: 'sliding',
    key: string,
    value: int64,
    sliding: near,
    storage: 'disk',
    retentionMs: 4 * 300_000 + 1 + 60_000,
  })
  expect(counted.ignoresValue).toBe(true)
  const topology = with_((s) => {
    s.groupByKey().windowedBy(near).count('near').toStream().repartition('onwards')
  })
  expect(nodeOf(topology, 'repartition').key.format).toBe('windowed(string,300000)')
})

test('final results: the store keeps in mind which windows are open, sessions until they are closed', () => {
  const windows = Windows.tumbling('5m', { grace: '1m' })
  const visits = Windows.session('5m', { grace: '1m' })
  const near = Windows.sliding('5m', { grace: '1m' })
  const topology = with_((s) => {
    const grouped = s.groupByKey()
    grouped.windowedBy(windows).count('w', { emit: 'final' })
    grouped.windowedBy(near).reduce('n', (_, b) => b, { emit: 'final' })
    grouped.windowedBy(visits).count('v', { emit: 'final' })
  })
  expect(nodeOf(topology, 'window-aggregate').store).toMatchObject({ closes: true, retentionMs: 360_000 })
  expect(nodeOf(topology, 'sliding-aggregate').store.closes).toBe(true)
  expect(nodeOf(topology, 'session-aggregate').store).toMatchObject({ closes: true, retentionMs: 360_001 })
  const updates = with_((s) => s.groupByKey().windowedBy(windows).count('w', { emit: 'updates' }))
  expect(nodeOf(updates, 'window-aggregate').store).not.toHaveProperty('closes')
  with_((s) => {
    const grouped = s.groupByKey()
    expect(refusal(() => grouped.windowedBy(windows).count('a', { emit: 'last' as never })).message).toContain(
      'a: emit is "last"',
    )
    expect(refusal(() => grouped.count('b', { emit: 'final' } as never)).message).toContain('without windows')
  })
})

test('late records have a sink of their own beside the table, and keep their value', () => {
  const late = topic('too-late', { key: string, value: json<Order>() })
  const windows = Windows.tumbling('5m', { grace: '1m' })
  const topology = with_((s) => s.groupByKey().windowedBy(windows).count('w', { late }))
  const counted = nodeOf(topology, 'window-aggregate')
  expect(counted.ignoresValue).toBeUndefined()
  expect(nodeOf(topology, 'sink')).toMatchObject({
    name: 'w.late',
    parents: [counted.id],
    topic: 'too-late',
    key: late.key,
    value: late.value,
    late: true,
  })
  expect(externalTopics(topology).written).toEqual(['too-late'])
  with_((s) => {
    const grouped = s.groupByKey()
    expect(refusal(() => grouped.windowedBy(windows).count('a', { late: 'x' as never })).message).toContain(
      'a: late was not given a topic',
    )
    expect(refusal(() => grouped.count('b', { late } as never)).message).toContain('without windows')
  })
})

test('late records may go to a topic that is looked up alone', () => {
  const late = topic('late', { key: string, value: json<Order>() })
  const windows = Windows.tumbling('5m', { grace: '1m' })
  const topology = defineTopology('t', (b) => {
    b.stream(orders)
      .leftJoin(b.table(late, { store: 'before' }), (order) => order)
      .groupByKey()
      .windowedBy(windows)
      .count('w', { late })
  })
  expect(nodeOf(topology, 'sink')).toMatchObject({ topic: 'late', late: true })
})

test('session aggregates keep a session store under the inner key, and a merger', () => {
  const visits = Windows.session('5m', { grace: '1m' })
  const counted = nodeOf(
    with_((s) => s.groupByKey().windowedBy(visits).count('visits')),
    'session-aggregate',
  )
  expect(counted.store).toEqual({
    name: 'visits',
    kind: 'session',
    key: string,
    value: int64,
    session: visits,
    storage: 'disk',
    retentionMs: 360_000,
  })
  expect(counted.merger(2n, 3n)).toBe(5n)
  const last = (_: Order, v: Order): Order => v
  const reduced = nodeOf(
    with_((s) => s.groupByKey().windowedBy(visits).reduce('r', last)),
    'session-aggregate',
  )
  expect(reduced).toMatchObject({ aggregator: last, merger: last })
  expect(reduced).not.toHaveProperty('initializer')
  const options = {
    init: () => 0,
    add: (sum: number) => sum + 1,
    merge: (a: number, b: number) => a + b,
    serde: double,
  }
  const topology = with_((s) => {
    s.groupByKey().windowedBy(visits).aggregate('a', options).toStream().repartition('onwards')
  })
  expect(nodeOf(topology, 'session-aggregate')).toMatchObject({
    initializer: options.init,
    aggregator: options.add,
    merger: options.merge,
  })
  expect(nodeOf(topology, 'repartition').key.format).toBe('sessionWindowed(string)')
  with_((s) => {
    const sessions = s.groupByKey().windowedBy(visits)
    expect(refusal(() => sessions.aggregate('b', { ...options, merge: undefined as never })).message).toContain(
      'the merger is not a function',
    )
    expect(refusal(() => sessions.aggregate('c', undefined as never)).message).toContain('not a function')
  })
})

test('the stream of a windowed table knows the serde of its windowed keys', () => {
  const topology = with_((s) => {
    s.groupByKey().windowedBy(hourly).count('hourly').toStream().repartition('onwards')
  })
  expect(nodeOf(topology, 'repartition').key.format).toBe('windowed(string,3600000)')
})

test('groupBy changes the key and goes through a topic of its name', () => {
  const by = (order: Order): string => order.customer
  const topology = with_((s) => s.groupBy('by-customer', by, { key: string }).count('n'))
  expect(outline(topology)).toEqual([
    'orders source',
    'orders.groupBy select-key <- orders',
    'by-customer repartition <- orders.groupBy',
    'n aggregate <- by-customer',
  ])
  expect(nodeOf(topology, 'select-key').mapper).toBe(by)
  expect(nodeOf(topology, 'repartition')).toMatchObject({ topic: 'by-customer', key: string, value: orders.value })
})

test('aggregates of one grouped stream share its topic', () => {
  const topology = with_((s) => {
    const grouped = s.groupBy('by-customer', (v) => v.customer, { key: string })
    grouped.count('n')
    grouped.windowedBy(hourly).count('hourly')
    grouped.reduce('last', (_, v) => v)
  })
  expect(topology.nodes.filter((node) => node.kind === 'repartition')).toHaveLength(1)
  expect(outline(topology).slice(-3)).toEqual([
    'n aggregate <- by-customer',
    'hourly window-aggregate <- by-customer',
    'last aggregate <- by-customer',
  ])
})

test('a grouping that nothing folds makes no topic', () => {
  const topology = with_((s) => s.groupBy('by-customer', (v) => v.customer, { key: string }))
  expect(outline(topology)).toEqual(['orders source', 'orders.groupBy select-key <- orders'])
})

test('groupByKey after a change of key: the topic has the given name and is shared', () => {
  const topology = with_((s) => {
    const grouped = s.selectKey((v) => v.customer).groupByKey({ name: 'by-customer', key: string })
    grouped.count('n')
    grouped.count('m')
  })
  expect(outline(topology).slice(2)).toEqual([
    'by-customer repartition <- orders.selectKey',
    'n aggregate <- by-customer',
    'm aggregate <- by-customer',
  ])
})

test('groupByKey after a change of key, without a name: each topic is named as the store', () => {
  const topology = with_((s) => {
    const grouped = s.selectKey((v) => v.customer).groupByKey({ key: string })
    grouped.count('n')
    grouped.count('m')
  })
  expect(outline(topology).slice(2)).toEqual([
    'n repartition <- orders.selectKey',
    'n aggregate <- n',
    'm repartition <- orders.selectKey',
    'm aggregate <- m',
  ])
})

test('groupByKey on the key of the topic needs no topic, even with a name', () => {
  const topology = with_((s) => s.groupByKey({ name: 'unused' }).count('n'))
  expect(outline(topology)).toEqual(['orders source', 'n aggregate <- orders'])
})

test('one repartition name for two groupings is refused, at the second', () => {
  with_((s) => {
    s.groupBy('by', (v) => v.id, { key: string }).count('n')
    const line = lineHere(1)
    const second = s.groupBy('by', (v) => v.customer, { key: string })
    const error = refusal(() => second.count('m'))
    expect(error.message).toMatch(/^the name by is given to a repartition topic twice/)
    expect(error.where).toEqual({ node: 'by', file: import.meta.filename, line })
  })
})

test('a store name that is missing, illegal or taken is refused', () => {
  with_((s) => {
    const grouped = s.groupByKey()
    expect(refusal(() => grouped.count(undefined as never)).message).toBe('count: no store name is given')
    expect(refusal(() => grouped.count('a b')).message).toBe('count: the store name "a b" is not a legal name')
    grouped.count('n')
    const error = refusal(() => grouped.windowedBy(hourly).count('n'))
    expect(error.message).toMatch(/^the name n is given to a store twice: at .*:\d+ and at .*:\d+$/)
    expect(error.where.line).toBe(lineHere(-2))
  })
})

test('groupBy without a name or a function is refused', () => {
  with_((s) => {
    const unnamed = refusal(() => s.groupBy(undefined as never, (v) => v.id, { key: string }))
    expect(unnamed.message).toBe('orders.groupBy has no name')
    expect(unnamed.hint).toContain("groupBy('by-customer'")
    expect(refusal(() => s.groupBy('by', 'id' as never, { key: string })).message).toContain(
      'is not a function but string',
    )
  })
})

test('a lost value serde is asked for where a topic or a store needs it', () => {
  with_((s) => {
    const amounts = s.mapValues((v) => v.amount)
    const grouped = refusal(() => amounts.groupBy('by', (v) => v, { key: double }))
    expect(grouped.message).toBe(
      'orders.mapValues.groupBy needs the value serde for its repartition topic, and it is not known since orders.mapValues changed the value',
    )
    expect(grouped.hint).toContain("Give it: groupBy('by', fn, { key: string, value: json<V>() })")
    const reduced = refusal(() => amounts.groupByKey().reduce('sum', (a, b) => a + b))
    expect(reduced.message).toContain('sum needs the value serde for its store')
    expect(reduced.hint).toContain("reduce('sum', ..., { serde: json<V>() })")
    amounts.groupByKey().count('n')
    amounts.groupByKey({ value: double }).reduce('sum-2', (a, b) => a + b)
    amounts.groupByKey().reduce('sum-3', (a, b) => a + b, { serde: double })
  })
})

test('a lost key serde is asked for by groupByKey', () => {
  with_((s) => {
    const error = refusal(() => s.selectKey((v) => v.id).groupByKey())
    expect(error.message).toContain('orders.selectKey.groupByKey needs the key serde')
    expect(error.hint).toContain('Give it: groupByKey({ key: string })')
    expect(error.where).toEqual({ node: 'orders.selectKey.groupByKey', file: import.meta.filename, line: lineHere(-3) })
    const both = refusal(() => s.map((v) => [v.id, v.amount]).groupByKey())
    expect(both.hint).toContain('groupByKey({ key: string, value: json<V>() })')
  })
})

test('what is no serde, no windows, or no function is refused', () => {
  with_((s) => {
    const grouped = s.groupByKey()
    expect(refusal(() => grouped.windowedBy('1h' as never)).message).toBe('windowedBy was not given windows')
    expect(refusal(() => grouped.reduce('a', undefined as never)).message).toContain('the aggregator is not a function')
    expect(
      refusal(() => grouped.aggregate('b', { init: 0 as never, add: (a: number) => a, serde: double })).message,
    ).toContain('the initializer is not a function but number')
    expect(refusal(() => grouped.aggregate('c', { init: () => 0, add: (a) => a, serde: {} as never })).message).toBe(
      'c: what is given as the value serde is none',
    )
    expect(refusal(() => grouped.aggregate('d', undefined as never)).message).toContain('not a function')
  })
})
