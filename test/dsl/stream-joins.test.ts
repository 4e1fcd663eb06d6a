import { expect, test } from 'vitest'
import { Windows } from '../../src/common/windows.ts'
import type { StreamsBuilder } from '../../src/dsl/builder.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { describe } from '../../src/topology/describe.ts'
import type { Topology } from '../../src/topology/node.ts'
import { subTopologies } from '../../src/topology/subtopology.ts'
import { lineHere, nodeOf, orders, outline, refunds, refusal } from './fixtures.ts'

const windows = Windows.join(60, { before: 20, grace: 10 })

function with_(build: (b: StreamsBuilder) => void): Topology {
  return defineTopology('t', build)
}

test('a join keeps the records of both sides in stores that have its name', () => {
  let line = 0
  const topology = with_((b) => {
    line = lineHere(1)
    b.stream(orders).join(b.stream(refunds), (order, refund) => order.amount - refund.amount, windows, { name: 'net' })
  })
  expect(outline(topology)).toEqual(['orders source', 'refunds source', 'net stream-stream-join <- orders + refunds'])
  const store = { kind: 'join', key: string, join: windows, storage: 'disk', retentionMs: 91 }
  expect(nodeOf(topology, 'stream-stream-join')).toMatchObject({
    outer: 'none',
    windows,
    stores: [
      { ...store, name: 'net-this-join-store', value: orders.value },
      { ...store, name: 'net-other-join-store', value: refunds.value },
    ],
    where: { line },
  })
})

test('the three joins differ in whose records are given out alone, and not in names', () => {
  const nodeOfMethod = (method: 'join' | 'leftJoin' | 'outerJoin') =>
    nodeOf(
      with_((b) => {
        const right = b.stream(refunds)
        const options = { name: 'j', storage: 'memory' } as const
        if (method === 'join') b.stream(orders).join(right, (order) => order, windows, options)
        else if (method === 'leftJoin') b.stream(orders).leftJoin(right, (order) => order, windows, options)
        else b.stream(orders).outerJoin(right, (order) => order, windows, options)
      }),
      'stream-stream-join',
    )
  const nodes = [nodeOfMethod('join'), nodeOfMethod('leftJoin'), nodeOfMethod('outerJoin')]
  expect(nodes.map(({ outer }) => outer)).toEqual(['none', 'left', 'both'])
  for (const { stores } of nodes) {
    expect(stores.map(({ name, storage }) => `${name} ${storage}`)).toEqual([
      'j-this-join-store memory',
      'j-other-join-store memory',
    ])
  }
})

test('a re-keyed side goes through a topic of the join, each its own', () => {
  const topology = with_((b) => {
    const byCustomer = b.stream(orders).selectKey((order) => order.customer)
    const others = b.stream(refunds).map((refund) => [refund.customer, refund] as const)
    byCustomer.leftJoin(others, (order) => order, windows, { name: 'j', key: string, otherValue: json })
  })
  expect(outline(topology).slice(-3)).toEqual([
    'j-left repartition <- orders.selectKey',
    'j-right repartition <- refunds.map',
    'j stream-stream-join <- j-left + j-right',
  ])
  const sub = subTopologies(topology).find(({ stores }) => stores.length === 2)
  expect(sub?.copartitioned).toEqual([[4, 5]])
})

test('a stream can be joined with itself, and its result again', () => {
  const topology = with_((b) => {
    const stream = b.stream(orders)
    stream
      .join(stream, (order) => order, windows, { name: 'pairs' })
      .outerJoin(stream, (order) => order, windows, { name: 'again', value: json })
  })
  expect(outline(topology)).toEqual([
    'orders source',
    'pairs stream-stream-join <- orders + orders',
    'again stream-stream-join <- pairs + orders',
  ])
  expect(subTopologies(topology)).toHaveLength(1)
})

test('what Kafka Streams does is asked for by name, and keeps rows by the time of their own side', () => {
  const build = (compat: 'kafka-streams') =>
    with_((b) => {
      b.stream(orders).join(b.stream(refunds), (order) => order, windows, { name: 'j', compat })
    })
  expect(nodeOf(build('kafka-streams'), 'stream-stream-join')).toMatchObject({
    compat: 'kafka-streams',
    stores: [{ ownTime: true }, { ownTime: true }],
  })
  const error = refusal(() => build('flink' as never))
  expect([error.message, error.hint]).toEqual(['j: there is no compat "flink"', "It is 'kafka-streams', or left out."])
})

test('what is missing is named, with the way out', () => {
  with_((b) => {
    const stream = b.stream(orders)
    const join = (...args: readonly unknown[]) => refusal(() => stream.join(...(args as [never, never, never, never])))
    const joiner = () => 1
    expect(join(stream, joiner, windows).message).toBe(
      'orders.join joins two streams, so it keeps the records of both in stores, and these need a name',
    )
    expect(join(stream, joiner, windows).hint).toContain("join(other, joiner, windows, { name: 'matched' })")
    expect(join(stream, joiner, windows, { name: 'a b' }).message).toContain(
      'the name of the join "a b" is not a legal',
    )
    expect(join(stream, joiner, Windows.tumbling(1, { grace: 0 }), { name: 'j' })).toMatchObject({
      message: 'j was not given the windows of a join',
      hint: "Write join(other, joiner, Windows.join('10m', { grace: '1m' }), { name: 'j' }).",
    })
    expect(join(stream, null, windows, { name: 'j' }).message).toContain('j: the joiner is not a function')
    expect(refusal(() => stream.outerJoin(5 as never, joiner, windows, { name: 'j' })).message).toBe(
      'orders.outerJoin was not given a stream',
    )
    expect(refusal(() => stream.leftJoin(5 as never, joiner)).message).toBe('orders.leftJoin was not given a table')
    const lost = stream.map((order) => [order.customer, order.amount] as const)
    expect(join(lost, joiner, windows, { name: 'j' })).toMatchObject({
      message: 'j, right side, needs the key serde for its store, and it is not known since orders.map changed the key',
      hint: expect.stringContaining("join(other, joiner, windows, { name: 'j', key: string, otherValue: json<V>() })"),
    })
    const alone = stream.mapValues((order) => order.amount)
    expect(refusal(() => alone.join(stream, joiner, windows, { name: 'k' })).hint).toContain(
      "join(other, joiner, windows, { name: 'k', value: json<V>() })",
    )
  })
})

test('names of joins, of their stores and topics are taken once', () => {
  with_((b) => {
    const stream = b.stream(orders)
    stream.join(stream, () => 1, windows, { name: 'j' })
    expect(refusal(() => stream.join(stream, () => 1, windows, { name: 'j' })).message).toContain(
      'the name j-this-join-store is given to a store twice',
    )
  })
})

test('streams of two topologies do not meet', () => {
  with_((b) => {
    const stream = b.stream(orders)
    expect(
      refusal(() => with_((other) => void stream.join(other.stream(orders), () => 1, windows, { name: 'j' }))).message,
    ).toContain('j brings together a stream of the topology')
  })
})

test('a drawing shows the join once under both sides, its stores and their windows', () => {
  const topology = with_((b) => {
    b.stream(orders)
      .join(b.stream(refunds), (order) => order, windows, { name: 'net' })
      .foreach(() => {})
  })
  expect(describe(topology, 'text')).toBe(`t

sub-topology 0
  (orders) ──> {net}= ──> [foreach]
  (refunds) ──> {net}= (see above)

stores
  net-this-join-store   join  string -> json  disk  before 20 ms, after 60 ms, grace 10 ms
  net-other-join-store  join  string -> json  disk  before 20 ms, after 60 ms, grace 10 ms

internal topics
  t-net-this-join-store-changelog
  t-net-other-join-store-changelog

legend  (topic) [stateless] <filter> {stateful}= store  |table|=  * repartition
`)
  const data = JSON.parse(describe(topology, 'json'))
  expect(data.subTopologies[0].nodes[2].stores).toEqual(['net-this-join-store', 'net-other-join-store'])
  expect(data.stores[0].join).toEqual({ beforeMs: 20, afterMs: 60, graceMs: 10 })
})
