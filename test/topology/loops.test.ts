import { expect, test } from 'vitest'
import type { StreamsBuilder } from '../../src/dsl/builder.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { loops } from '../../src/topology/loops.ts'
import { counts, customers, lines, orders, refunds } from '../dsl/fixtures.ts'

function found(build: (b: StreamsBuilder) => void): readonly (readonly [string, string])[] {
  return loops(defineTopology('t', build)).map(({ topics, sink }) => [topics.join(' > '), sink.name])
}

test('a topic that is written again by what reads it', () => {
  expect(
    found((b) =>
      b
        .stream(orders)
        .filter('again', () => true)
        .to(orders),
    ),
  ).toEqual([['orders > orders', 'again.to']])
})

test('past a repartition topic, a store, and another topic', () => {
  const through = found((b) => {
    b.stream(orders)
      .groupBy('by-customer', (order) => order.customer, { key: orders.key })
      .reduce('last', (_, order) => order)
      .toStream()
      .to(refunds)
    b.stream(refunds).to(orders)
  })
  expect(through).toEqual([
    ['orders > refunds > orders', 'refunds.to'],
    ['refunds > orders > refunds', 'last.toStream.to'],
  ])
})

test('not where a topic is only handed on, or looked up by a join', () => {
  expect(
    found((b) => {
      b.stream(orders).to(refunds)
      b.stream(refunds).to(refunds.name === 'refunds' ? { ...refunds, name: 'third' } : refunds)
      b.stream(lines)
        .mapValues(() => 1n)
        .to(counts)
      b.stream(lines)
        .leftJoin(b.table(customers, { store: 'customers' }), (_, customer) => customer ?? { name: '' })
        .to(customers)
    }),
  ).toEqual([])
})
