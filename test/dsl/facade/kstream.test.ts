import { expect, test } from 'vitest'
import { defineTopology } from '../../../src/dsl/define.ts'
import type { KStream } from '../../../src/dsl/facade/kstream.ts'
import { otherwise } from '../../../src/dsl/types.ts'
import { string } from '../../../src/serde/string.ts'
import type { Topology } from '../../../src/topology/node.ts'
import { counts, lineHere, lines, nodeOf, type Order, orders, outline, refunds, refusal } from '../fixtures.ts'

function with_(build: (stream: KStream<string, Order>) => unknown): Topology {
  return defineTopology('t', (b) => void build(b.stream(orders)))
}

test('every stateless operator makes its node, with the function it was given', () => {
  const fn = (): never => {
    throw new Error('not called')
  }
  expect(
    nodeOf(
      with_((s) => s.filter(fn)),
      'filter',
    ),
  ).toMatchObject({ predicate: fn, negate: false })
  expect(
    nodeOf(
      with_((s) => s.filterNot(fn)),
      'filter',
    ),
  ).toMatchObject({ predicate: fn, negate: true })
  expect(
    nodeOf(
      with_((s) => s.map(fn)),
      'map',
    ).mapper,
  ).toBe(fn)
  expect(
    nodeOf(
      with_((s) => s.mapValues(fn)),
      'map-values',
    ).mapper,
  ).toBe(fn)
  expect(
    nodeOf(
      with_((s) => s.flatMap(fn)),
      'flat-map',
    ).mapper,
  ).toBe(fn)
  expect(
    nodeOf(
      with_((s) => s.flatMapValues(fn)),
      'flat-map-values',
    ).mapper,
  ).toBe(fn)
  expect(
    nodeOf(
      with_((s) => s.selectKey(fn)),
      'select-key',
    ).mapper,
  ).toBe(fn)
  expect(
    nodeOf(
      with_((s) => s.peek(fn)),
      'peek',
    ).action,
  ).toBe(fn)
  expect(
    nodeOf(
      with_((s) => s.foreach(fn)),
      'foreach',
    ).action,
  ).toBe(fn)
})

test('a display name comes first, else the path of calls is the name', () => {
  const topology = with_((s) =>
    s
      .filter('eur-only', (v) => v.currency === 'EUR')
      .mapValues((v) => v.amount)
      .peek('look', () => undefined)
      .selectKey((v) => v)
      .foreach('end', () => undefined),
  )
  expect(topology.nodes.map((node) => node.name)).toEqual([
    'orders',
    'eur-only',
    'eur-only.mapValues',
    'look',
    'look.selectKey',
    'end',
  ])
})

test('two operators on one path are told apart', () => {
  const topology = with_((s) => {
    s.filter(() => true)
    s.filter(() => false)
    s.filter(() => false)
  })
  expect(topology.nodes.map((node) => node.name)).toEqual([
    'orders',
    'orders.filter',
    'orders.filter~2',
    'orders.filter~3',
  ])
})

test('a display name given twice, or illegal, is refused', () => {
  with_((s) => {
    s.filter('a', () => true)
    expect(refusal(() => s.peek('a', () => undefined)).message).toMatch(
      /^the name a is given to a processor twice: at /,
    )
    const error = refusal(() => s.filter('not legal', () => true))
    expect(error.message).toBe('orders.filter: the display name "not legal" is not a legal name')
    expect(error.where).toEqual({ node: 'orders.filter', file: import.meta.filename, line: lineHere(-2) })
  })
})

test.each(['filter', 'map', 'mapValues', 'flatMap', 'flatMapValues', 'selectKey', 'peek', 'foreach'] as const)(
  '%s of what is no function is refused',
  (method) => {
    with_((s) => {
      const call = s[method].bind(s) as (...args: unknown[]) => unknown
      expect(refusal(() => call(42))).toMatchObject({
        code: 'INVALID_TOPOLOGY',
        message: `orders.${method}: the argument is not a function but number`,
        where: { node: `orders.${method}`, file: import.meta.filename },
      })
      expect(refusal(() => call('named')).message).toBe('named: the argument is not a function but undefined')
    })
  },
)

/** Whether a grouping after these operators goes through a topic. */
function repartitions(build: (stream: KStream<string, Order>) => KStream<unknown, unknown>): boolean {
  const topology = with_((s) =>
    build(s)
      .groupByKey({ key: string as never, value: string as never })
      .count('n'),
  )
  return topology.nodes.some((node) => node.kind === 'repartition')
}

test('map, flatMap and selectKey change the key; the others keep it', () => {
  expect(repartitions((s) => s)).toBe(false)
  expect(repartitions((s) => s.map((v, k) => [k, v]))).toBe(true)
  expect(repartitions((s) => s.flatMap((v, k) => [[k, v] as const]))).toBe(true)
  expect(repartitions((s) => s.selectKey((v) => v.id))).toBe(true)
  expect(repartitions((s) => s.mapValues((v) => v.id))).toBe(false)
  expect(repartitions((s) => s.flatMapValues((v) => [v.id]))).toBe(false)
  expect(repartitions((s) => s.filter(() => true).filterNot(() => false))).toBe(false)
  expect(repartitions((s) => s.peek(() => undefined))).toBe(false)
})

test('a change of key is remembered through later operators, until a repartition', () => {
  const moved = (s: KStream<string, Order>): KStream<string, Order> => s.selectKey((v) => v.id)
  expect(
    repartitions((s) =>
      moved(s)
        .filter(() => true)
        .mapValues((v) => v)
        .peek(() => undefined),
    ),
  ).toBe(true)
  expect(repartitions((s) => moved(s).split({ all: otherwise }).all)).toBe(true)
  expect(repartitions((s) => s.merge(moved(s)))).toBe(true)
  expect(repartitions((s) => moved(s).merge(s))).toBe(true)
  expect(repartitions((s) => s.merge(s.filter(() => true)))).toBe(false)
  const topology = with_((s) => moved(s).repartition('by-id', { key: string }).groupByKey().count('n'))
  expect(topology.nodes.filter((node) => node.kind === 'repartition')).toHaveLength(1)
})

test('merge takes both streams, with a name if given', () => {
  const topology = defineTopology('t', (b) => {
    const all = b.stream(orders).merge(b.stream(refunds))
    expect(refusal(() => all.merge('name-only' as never)).message).toBe('orders.merge.merge was not given a stream')
    all.merge('again', all).foreach(() => undefined)
  })
  expect(outline(topology)).toEqual([
    'orders source',
    'refunds source',
    'orders.merge merge <- orders + refunds',
    'again merge <- orders.merge + orders.merge',
    'again.foreach foreach <- again',
  ])
})

test('split keeps the order of its branches; otherwise is null', () => {
  const large = (v: Order): boolean => v.amount > 100
  const small = (v: Order): boolean => v.amount < 10
  const topology = with_((s) => {
    const branches = s.split({ large, small, rest: otherwise })
    expect(Object.keys(branches)).toEqual(['large', 'small', 'rest'])
    branches.rest.foreach(() => undefined)
  })
  expect(nodeOf(topology, 'split').predicates).toEqual([large, small, null])
  expect(topology.nodes.filter((node) => node.kind === 'branch')).toMatchObject([
    { name: 'orders.split.large', index: 0 },
    { name: 'orders.split.small', index: 1 },
    { name: 'orders.split.rest', index: 2 },
  ])
  expect(outline(topology).at(-1)).toBe('orders.split.rest.foreach foreach <- orders.split.rest')
})

test('split with a name gives its branches that name', () => {
  const topology = with_((s) => s.split('size', { large: (v) => v.amount > 100 }))
  expect(topology.nodes.map((node) => node.name)).toEqual(['orders', 'size', 'size.large'])
})

test('branches without a name, with a number for one, after the rest, or none at all are refused', () => {
  with_((s) => {
    expect(refusal(() => s.split({ '': () => true })).message).toBe('orders.split: a branch has no name')
    expect(refusal(() => s.split({ 2: () => true })).message).toContain(
      'a branch is named 2, and numbers lose their order',
    )
    expect(refusal(() => s.split({ rest: otherwise, late: () => true })).message).toContain('after rest')
    expect(refusal(() => s.split({})).message).toContain('has no branch')
    expect(refusal(() => s.split('only-a-name', undefined as never)).message).toBe('only-a-name has no branch')
    expect(refusal(() => s.split({ a: 1 as never })).message).toContain('the predicate of branch a is not a function')
  })
})

test('to writes with the serdes of its topic', () => {
  const sink = nodeOf(
    defineTopology('t', (b) => b.stream(lines).mapValues(BigInt).to(counts)),
    'sink',
  )
  expect(sink).toMatchObject({ topic: 'counts', name: 'lines.mapValues.to' })
  expect(sink.key).toBe(counts.key)
  expect(sink.value).toBe(counts.value)
  with_((s) => expect(refusal(() => s.to('orders' as never)).message).toBe('orders.to was not given a topic'))
})

test('repartition names its topic and may fix its partitions', () => {
  const node = nodeOf(
    with_((s) => s.selectKey((v) => v.customer).repartition('by-customer', { key: string, partitions: 12 })),
    'repartition',
  )
  expect(node).toMatchObject({ name: 'by-customer', topic: 'by-customer', partitions: 12 })
  expect(node.key).toBe(string)
  expect(node.value).toBe(orders.value)
  expect(
    nodeOf(
      with_((s) => s.repartition('as-is')),
      'repartition',
    ),
  ).not.toHaveProperty('partitions')
})

test('a repartition without a name, with a taken one, or with no sensible count is refused', () => {
  with_((s) => {
    expect(refusal(() => s.repartition(undefined as never)).message).toBe(
      'orders.repartition: no repartition name is given',
    )
    s.repartition('a')
    expect(refusal(() => s.repartition('a')).message).toMatch(/^the name a is given to a repartition topic twice/)
    for (const partitions of [0, -1, 1.5]) {
      expect(refusal(() => s.repartition('b', { partitions })).message).toContain(
        `${partitions} is no number of partitions`,
      )
    }
  })
})

test('serdes that no longer fit are asked for, at the line and with the code that gives them', () => {
  with_((s) => {
    const error = refusal(() => s.map((v) => [v.customer, v.amount]).repartition('x'))
    expect(error.message).toBe(
      'orders.map.repartition needs the key serde for its repartition topic, and it is not known since orders.map changed the key',
    )
    expect(error.hint).toContain("Give it: repartition('x', { key: string, value: json<V>() })")
    expect(error.where).toEqual({ node: 'orders.map.repartition', file: import.meta.filename, line: lineHere(-5) })
  })
})
