import { expect, test } from 'vitest'
import type { StreamsBuilder } from '../../src/dsl/builder.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { string } from '../../src/serde/string.ts'
import type { SubTopology, Topology } from '../../src/topology/node.ts'
import { subTopologies } from '../../src/topology/subtopology.ts'
import { counts, customers, lines, orders, refunds } from '../dsl/fixtures.ts'

/** Sub-topologies with names for ids. */
function cut(build: (b: StreamsBuilder) => void): readonly Record<string, unknown>[] {
  const topology = defineTopology('t', build)
  return subTopologies(topology).map((sub) => named(topology, sub))
}

function named(topology: Topology, sub: SubTopology): Record<string, unknown> {
  const name = (id: number): string => topology.nodes[id]?.name as string
  return {
    id: sub.id,
    nodes: sub.nodes.map(name),
    sources: sub.sources.map(name),
    sinks: sub.sinks.map(name),
    stores: sub.stores.map((store) => store.name),
    copartitioned: sub.copartitioned.map((group) => group.map(name)),
  }
}

test('a chain is one sub-topology', () => {
  expect(
    cut((b) =>
      b
        .stream(lines)
        .filter(() => true)
        .to(lines),
    ),
  ).toEqual([
    {
      id: 0,
      nodes: ['lines', 'lines.filter', 'lines.filter.to'],
      sources: ['lines'],
      sinks: ['lines.filter.to'],
      stores: [],
      copartitioned: [],
    },
  ])
})

test('a repartition topic cuts: written in one part, read in the next', () => {
  expect(
    cut((b) => {
      b.stream(lines)
        .groupBy('by-word', (line) => line, { key: string })
        .count('n')
        .toStream()
        .to(counts)
    }),
  ).toEqual([
    {
      id: 0,
      nodes: ['lines', 'lines.groupBy', 'by-word'],
      sources: ['lines'],
      sinks: ['by-word'],
      stores: [],
      copartitioned: [],
    },
    {
      id: 1,
      nodes: ['by-word', 'n', 'n.toStream', 'n.toStream.to'],
      sources: ['by-word'],
      sinks: ['n.toStream.to'],
      stores: ['n'],
      copartitioned: [],
    },
  ])
})

test('streams that never meet are parts of their own, numbered in the order of their first node', () => {
  const parts = cut((b) => {
    b.stream(orders).foreach(() => undefined)
    b.stream(lines).foreach(() => undefined)
    b.stream(orders).filter(() => true)
  })
  expect(parts.map((part) => [part.id, part.nodes])).toEqual([
    [0, ['orders', 'orders.foreach', 'orders.filter']],
    [1, ['lines', 'lines.foreach']],
  ])
})

test('the sources of a join are one part and must agree in partitions', () => {
  const [part, ...others] = cut((b) => {
    const table = b.table(customers, { store: 'people' })
    b.stream(orders).join(table, (order) => order)
  })
  expect(others).toEqual([])
  expect(part).toMatchObject({
    sources: ['customers', 'orders'],
    stores: ['people'],
    copartitioned: [['customers', 'orders']],
  })
})

test('a repartitioned side of a join is in the group, what is before it is not', () => {
  const parts = cut((b) => {
    const table = b.table(customers, { store: 'people' })
    b.stream(orders)
      .selectKey((v) => v.customer)
      .join(table, (order) => order, { name: 'enriched', key: string })
  })
  // The join and its repartition topic share a name: the group holds the topic.
  expect(parts).toMatchObject([
    { nodes: ['customers', 'people', 'enriched', 'enriched'], copartitioned: [['customers', 'enriched']] },
    { nodes: ['orders', 'orders.selectKey', 'enriched'], sinks: ['enriched'], copartitioned: [] },
  ])
})

test('merged topics must agree in partitions where a store follows, and only there', () => {
  const merged = (b: StreamsBuilder) => b.stream(orders).merge(b.stream(refunds))
  expect(cut((b) => merged(b).foreach(() => undefined))).toMatchObject([{ copartitioned: [] }])
  expect(cut((b) => void merged(b).groupByKey().count('n'))).toMatchObject([{ copartitioned: [['orders', 'refunds']] }])
  expect(
    cut((b) => {
      merged(b)
        .groupBy('by', (v) => v.id, { key: string, value: orders.value })
        .count('n')
    }),
  ).toMatchObject([{ copartitioned: [] }, { copartitioned: [] }])
})

test('groups that share a topic are one', () => {
  const [part] = cut((b) => {
    const people = b.table(customers, { store: 'people' })
    const totals = b.table(counts, { store: 'totals' })
    b.stream(orders).join(people, (order) => order)
    b.stream(lines).join(people, (line) => line)
    b.stream(lines).join(totals, (line) => line)
  })
  expect(part?.copartitioned).toEqual([['customers', 'counts', 'orders', 'lines']])
})

test('a repartition topic that is read beside its own writer stays one part', () => {
  const parts = cut((b) => {
    const stream = b.stream(lines)
    stream.merge(stream.repartition('loop')).foreach(() => undefined)
  })
  expect(parts).toMatchObject([
    { nodes: ['lines', 'loop', 'lines.merge', 'lines.merge.foreach'], sources: ['lines', 'loop'], sinks: ['loop'] },
  ])
})

test('a repartition topic that nothing reads is still a source', () => {
  expect(cut((b) => void b.stream(lines).repartition('alone'))).toMatchObject([
    { nodes: ['lines', 'alone'], sources: ['lines'], sinks: ['alone'] },
    { nodes: ['alone'], sources: ['alone'], sinks: [] },
  ])
})

test('every node is in one part, a repartition node in its writing and its reading one', () => {
  const topology = defineTopology('t', (b) => {
    const people = b.table(customers, { store: 'people' })
    const { big, rest } = b.stream(orders).split({ big: (v) => v.amount > 1, rest: () => true })
    big
      .selectKey((v) => v.customer)
      .join(people, (v) => v, { name: 'j', key: string })
      .to(orders)
    rest
      .groupBy('by', (v) => v.id, { key: string })
      .count('n')
      .toStream()
      .to(counts)
  })
  const parts = subTopologies(topology)
  for (const node of topology.nodes) {
    const times = parts.filter((part) => part.nodes.includes(node.id)).length
    expect(times, node.name).toBe(node.kind === 'repartition' ? 2 : 1)
  }
  expect(parts.flatMap((part) => part.stores.map((store) => store.name)).sort()).toEqual(['n', 'people'])
})
