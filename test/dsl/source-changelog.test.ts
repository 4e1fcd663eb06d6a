/** Tables whose topic is their changelog: what the graph says of them, and what is refused. */

import { describe, expect, test } from 'vitest'
import type { StreamsBuilder } from '../../src/dsl/builder.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { planWith } from '../../src/runtime/plan.ts'
import type { Topology } from '../../src/topology/node.ts'
import { customers, lineHere, lines, nodeOf, orders, refusal } from './fixtures.ts'

function with_(build: (b: StreamsBuilder) => void): Topology {
  return defineTopology('t', build)
}

const source = { store: 'people', changelog: 'source' } as const

test('its store names the topic, and no other internal topic is planned', () => {
  const topology = with_((b) => {
    b.table(customers, source)
    b.table(orders, { store: 'orders', changelog: 'own' })
  })
  expect(
    topology.nodes.flatMap((node) => (node.kind === 'table' ? [[node.name, node.store.sourceTopic]] : [])),
  ).toEqual([
    ['people', 'customers'],
    ['orders', undefined],
  ])
  const plan = planWith(
    topology,
    'app',
    new Map([
      ['customers', 2],
      ['orders', 2],
    ]),
  )
  expect(plan.internalTopics.map(({ name }) => name)).toEqual(['app-orders-changelog'])
  expect([...plan.partitions.keys()]).toEqual(['customers', 'orders', 'app-orders-changelog'])
})

test('it may be in memory, have an event time of the record, skip what has none, and be read beside', () => {
  const topology = with_((b) => {
    b.table(customers, {
      ...source,
      storage: 'memory',
      timestamp: (_value, _key, { timestamp }) => timestamp,
      onInvalidTimestamp: 'skip',
      onDeserializationError: { deadLetter: 'bad' },
      startFrom: 'none',
    })
    b.table(orders, { store: 'orders' })
    b.table(orders, { store: 'orders-too', changelog: 'source' })
    b.stream(orders).to(orders)
  })
  expect(
    nodeOf(
      with_((b) => void b.table(customers, source)),
      'table',
    ).store.sourceTopic,
  ).toBe('customers')
  expect(topology.nodes.filter((node) => node.kind === 'table').map(({ store }) => store.sourceTopic)).toEqual([
    'customers',
    undefined,
    'orders',
  ])
})

// biome-ignore lint/suspicious/noExplicitAny: calls as plain JavaScript makes them.
type Any = any

describe('refused, with the operator and the line', () => {
  const cases: readonly (readonly [what: string, build: (b: Any) => unknown, says: RegExp, node: string])[] = [
    [
      'no kind of changelog',
      (b) => b.table(customers, { store: 's', changelog: 'topic' }),
      /^customers\.table: changelog is "topic"$/,
      'customers.table',
    ],
    [
      'a table of a stream',
      (b) => b.stream(lines).toTable('s', { changelog: 'source' }),
      /^lines\.toTable: changelog is 'source', and the table s is made of a stream: no topic holds its rows$/,
      'lines.toTable',
    ],
    [
      'a history',
      (b) => b.table(customers, { ...source, history: '1h' }),
      /^customers\.table: the table people has a history, and its changelog would be its topic, which keeps no more than last values$/,
      'customers.table',
    ],
    [
      'a ttl',
      (b) => b.table(customers, { ...source, ttl: '1h' }),
      /^customers\.table: the table people has a ttl, and its changelog would be its topic, which does not say which rows have ended$/,
      'customers.table',
    ],
    [
      'the time of records before',
      (b) => b.table(customers, { ...source, onInvalidTimestamp: 'partition-time' }),
      /onInvalidTimestamp is 'partition-time', which gives a record another time when customers is read again/,
      'customers.table',
    ],
    [
      'the clock',
      (b) => b.table(customers, { ...source, onInvalidTimestamp: 'wall-clock' }),
      /onInvalidTimestamp is 'wall-clock', which gives a record another time when customers is read again/,
      'customers.table',
    ],
    [
      'two tables of one topic',
      (b) => [b.table(customers, source), b.table(customers, { ...source, store: 'more' })],
      /^customers\.table: the topic customers is to be the changelog of two tables, people and more: both at .*source-changelog\.test\.ts:\d+$/,
      'customers.table',
    ],
  ]

  test.each(cases)('%s', (_, build, says, node) => {
    const error = refusal(() => with_((b) => void build(b)))
    expect(error.message).toMatch(says)
    expect(error).toMatchObject({
      code: 'INVALID_TOPOLOGY',
      where: { node, file: expect.stringMatching(/source-changelog\.test\.ts$/) },
    })
    expect(error.where.line).toBeGreaterThan(50)
    expect(error.hint).toMatch(/[Ll]eave|Give/)
  })

  test('the line is that of the call', () => {
    const error = refusal(() => with_((b) => void b.table(customers, { ...source, history: '1h' })))
    expect(error.where.line).toBe(lineHere(-1))
  })
})
