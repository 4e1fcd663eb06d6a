import { expect, test } from 'vitest'
import { defineTopology } from '../../src/dsl/define.ts'
import { subTopologies } from '../../src/topology/subtopology.ts'
import { customers, lineHere, nodeOf, orders, outline, refusal } from './fixtures.ts'

test('a global table belongs to no sub-topology, and a join with it needs no topic after a change of key', () => {
  const topology = defineTopology('t', (b) => {
    const people = b.globalTable(customers, { store: 'people' })
    b.stream(orders)
      .selectKey((order) => order.amount)
      .join(
        people,
        (order) => order.customer,
        (order, { name }) => `${order.id}${name}`,
        { name: 'named' },
      )
  })
  expect(outline(topology)).toEqual([
    'people global-table',
    'orders source',
    'orders.selectKey select-key <- orders',
    'named stream-global-table-join <- orders.selectKey',
  ])
  expect(nodeOf(topology, 'global-table')).toMatchObject({ topic: 'customers', table: 'people', key: customers.key })
  expect(nodeOf(topology, 'stream-global-table-join')).toMatchObject({ globalTable: 'people', left: false })
  expect(subTopologies(topology)).toMatchObject([{ nodes: [1, 2, 3], sources: [1], stores: [], copartitioned: [] }])
})

test('what follows has the key of the stream, still changed, and a value of its own', () => {
  defineTopology('t', (b) => {
    const people = b.globalTable(customers, { store: 'people' })
    const joined = b.stream(orders).leftJoin(
      people,
      (order) => order.customer,
      (order, customer) => [order, customer],
    )
    expect(refusal(() => joined.repartition('x')).message).toContain(
      'not known since orders.leftJoin changed the value',
    )
  })
})

test('what cannot be is refused with its place', () => {
  defineTopology('t', (b) => {
    const people = b.globalTable(customers, { store: 'people' })
    const error = refusal(() => b.globalTable(orders, {} as never))
    expect(error).toMatchObject({ code: 'INVALID_TOPOLOGY', where: { line: lineHere(-1) } })
    expect(error.message).toBe('orders.globalTable: no store name is given')
    expect(refusal(() => b.globalTable(orders, { store: 'people' })).message).toContain('given to a store twice')
    expect(refusal(() => b.globalTable(customers, { store: 'again' })).message).toContain(
      'customers is given to the topic of a global table twice',
    )
    const stream = b.stream(orders)
    expect(refusal(() => stream.join(people, undefined as never, () => 1)).message).toContain('the key selector is not')
    expect(refusal(() => stream.join(people, () => 'x', undefined as never)).message).toContain('the joiner is not')
    expect(refusal(() => stream.join(people, () => 'x', (async () => 1) as never)).message).toContain('async')
    const other = refusal(() =>
      defineTopology('u', (u) => {
        u.stream(orders).join(
          people,
          () => 'x',
          () => 1,
        )
      }),
    )
    expect(other.message).toContain("the topology 'u' and one of 't'")
  })
})

test('a topology of global tables alone drives nothing', () => {
  const error = refusal(() => defineTopology('t', (b) => void b.globalTable(customers, { store: 'people' })))
  expect(error.message).toBe('the topology t reads topics of global tables alone, and these drive nothing')
})
