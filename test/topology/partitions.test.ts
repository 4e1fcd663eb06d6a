import { expect, test } from 'vitest'
import type { StreamsBuilder } from '../../src/dsl/builder.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { string } from '../../src/serde/string.ts'
import { resolvePartitions } from '../../src/topology/partitions.ts'
import { subTopologies } from '../../src/topology/subtopology.ts'
import { counts, customers, lineHere, lines, orders, refunds, refusal } from '../dsl/fixtures.ts'

function resolve(
  external: Readonly<Record<string, number>>,
  build: (b: StreamsBuilder) => void,
): Record<string, number> {
  const topology = defineTopology('t', build)
  const resolved = resolvePartitions(topology, subTopologies(topology), new Map(Object.entries(external)))
  return Object.fromEntries([...resolved].map(([id, count]) => [topology.nodes[id]?.name, count]))
}

/** Orders by customer, joined with the customers; the topic is `j`. */
function enriched(partitions?: number): (b: StreamsBuilder) => void {
  return (b) => {
    const people = b.table(customers, { store: 'people' })
    const moved = b.stream(orders).selectKey((v) => v.customer)
    if (partitions === undefined) moved.join(people, (v) => v, { name: 'j', key: string })
    else moved.repartition('j', { key: string, partitions }).join(people, (v) => v, { name: 'joined' })
  }
}

test('a repartition topic has as many partitions as the largest topic its writer reads', () => {
  expect(
    resolve({ orders: 3, refunds: 8 }, (b) => {
      b.stream([orders, refunds])
        .groupBy('by', (v) => v.id, { key: string, value: orders.value })
        .count('n')
    }),
  ).toEqual({ by: 8 })
})

test('counts flow on through repartition topics', () => {
  expect(
    resolve({ lines: 6 }, (b) => {
      b.stream(lines).repartition('a').repartition('b').repartition('c')
    }),
  ).toEqual({ a: 6, b: 6, c: 6 })
})

test('counts flow round a sub-topology that feeds itself through another', () => {
  expect(
    resolve({ orders: 6, refunds: 2 }, (b) => {
      const more = b.stream(refunds)
      const value = orders.value
      b.stream(orders).merge(more).repartition('a', { value }).repartition('b').merge(more).repartition('c', { value })
    }),
  ).toEqual({ a: 6, b: 6, c: 6 })
})

test('a fixed count stands, and flows on', () => {
  expect(
    resolve({ lines: 6 }, (b) => {
      b.stream(lines).repartition('a', { partitions: 2 }).repartition('b')
    }),
  ).toEqual({ a: 2, b: 2 })
})

test("in a join the user's topic decides", () => {
  expect(resolve({ orders: 12, customers: 4 }, enriched())).toEqual({ j: 4 })
  expect(resolve({ orders: 2, customers: 4 }, enriched())).toEqual({ j: 4 })
  expect(resolve({ orders: 12, customers: 4 }, enriched(4))).toEqual({ j: 4 })
})

test('a fixed count against the topic it is joined with is refused', () => {
  const error = refusal(() => resolve({ orders: 12, customers: 4 }, enriched(6)))
  expect(error).toMatchObject({ code: 'NOT_COPARTITIONED', where: { node: 'joined' } })
  expect(error.message).toContain('topic customers has 4, repartition topic j has 6')
})

test('among repartition topics only: a fixed count decides, else the largest', () => {
  const both =
    (left?: number, right?: number) =>
    (b: StreamsBuilder): void => {
      const a = b.stream(lines).repartition('a', left === undefined ? {} : { partitions: left })
      const table = b
        .stream(orders)
        .repartition('b', right === undefined ? {} : { partitions: right })
        .toTable('t')
      a.join(table, (v) => v)
    }
  expect(resolve({ lines: 3, orders: 5 }, both())).toEqual({ a: 5, b: 5 })
  expect(resolve({ lines: 3, orders: 5 }, both(2))).toEqual({ a: 2, b: 2 })
  expect(resolve({ lines: 3, orders: 5 }, both(7, 7))).toEqual({ a: 7, b: 7 })
  expect(refusal(() => resolve({ lines: 3, orders: 5 }, both(2, 3))).message).toContain(
    'repartition topic a has 2, repartition topic b has 3',
  )
})

test('topics of a join that differ are refused: both topics, both counts, the join and its line', () => {
  let line = 0
  const error = refusal(() =>
    resolve({ orders: 4, customers: 3 }, (b) => {
      const people = b.table(customers, { store: 'people' })
      line = lineHere(1)
      b.stream(orders).join(people, (v) => v)
    }),
  )
  expect(error.code).toBe('NOT_COPARTITIONED')
  expect(error.message).toBe(
    `orders.join (${import.meta.filename}:${line}) reads customers and orders together, but they differ in partitions: topic customers has 3, topic orders has 4. Records of one key would never meet.`,
  )
  expect(error.where).toEqual({ node: 'orders.join', topic: 'orders', file: import.meta.filename, line })
  expect(error.hint).toContain("repartition('<name>', { partitions: 3 })")
})

test('the operator named is the one at which the counts differ', () => {
  const error = refusal(() =>
    resolve({ customers: 4, orders: 4, counts: 4, lines: 2 }, (b) => {
      const people = b.table(customers, { store: 'people' })
      b.stream(orders).join(people, (v) => v, { name: 'fine' })
      const totals = b.table(counts, { store: 'totals' })
      b.stream(orders).join(totals, (v) => v, { name: 'fine-too' })
      b.stream(lines).leftJoin(totals, (v) => v, { name: 'off' })
    }),
  )
  expect(error.where.node).toBe('off')
  expect(error.message).toContain('topic counts has 4, topic lines has 2')
})

test('topics tied only through a repartition topic are checked too', () => {
  const error = refusal(() =>
    resolve({ customers: 4, counts: 2, orders: 1 }, (b) => {
      const people = b.table(customers, { store: 'people' })
      const totals = b.table(counts, { store: 'totals' })
      const between = b.stream(orders).repartition('between')
      between.join(people, (v) => v, { name: 'first' })
      between.join(totals, (v) => v, { name: 'second' })
    }),
  )
  expect(error.where.node).toBe('second')
  expect(error.message).toContain('topic customers has 4, topic counts has 2')
})

test('merged topics of different counts are refused before a store', () => {
  const count = (b: StreamsBuilder): void =>
    void b.stream([orders, refunds]).groupByKey({ value: orders.value }).count('n')
  expect(resolve({ orders: 2, refunds: 2 }, count)).toEqual({})
  expect(refusal(() => resolve({ orders: 2, refunds: 3 }, count))).toMatchObject({
    code: 'NOT_COPARTITIONED',
    where: { node: 'n' },
  })
  expect(resolve({ orders: 2, refunds: 3 }, (b) => b.stream([orders, refunds]).foreach(() => undefined))).toEqual({})
})

test('a topic that feeds its own part takes the count of the others', () => {
  expect(
    resolve({ lines: 5 }, (b) => {
      const stream = b.stream(lines)
      stream.merge(stream.repartition('loop')).foreach(() => undefined)
    }),
  ).toEqual({ loop: 5 })
})

test('a source without a count is missing', () => {
  const error = refusal(() => resolve({}, (b) => void b.stream(lines)))
  expect(error).toMatchObject({ code: 'TOPIC_MISSING', where: { node: 'lines', topic: 'lines' } })
})
