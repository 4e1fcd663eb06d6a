import { expect, test } from 'vitest'
import { Windows } from '../../src/common/windows.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { otherwise } from '../../src/dsl/types.ts'
import { string } from '../../src/serde/string.ts'
import { describe as draw } from '../../src/topology/describe.ts'
import { graphData } from '../../src/topology/graph-data.ts'
import { counts, customers, orders } from '../dsl/fixtures.ts'

const topology = defineTopology('shop', (b) => {
  const eur = b.stream(orders).filter('eur-only', (v) => v.currency === 'EUR')
  eur
    .groupBy('by-customer', (v) => v.customer, { key: string })
    .windowedBy(Windows.tumbling('1h', { grace: '5m' }))
    .count('hourly')
    .toStream()
    .map((n, k) => [k.key, n])
    .to(counts)
  const { large, rest } = eur.split({ large: (v) => v.amount > 100, rest: otherwise })
  large
    .selectKey((v) => v.customer)
    .join(b.table(customers, { store: 'people' }), (v) => v, { name: 'enriched', key: string })
    .to(orders)
  rest.foreach('drop', () => undefined)
})

test('text: a tree per source, each node once, stores and internal topics below', () => {
  expect(draw(topology, 'text')).toMatchInlineSnapshot(`
    "shop

    sub-topology 0
      (orders) ──> <eur-only> ──┬─> [groupBy] ──> (by-customer)*
                                └─> <split> ──┬─> <large> ──> [selectKey] ──> (enriched)*
                                              └─> <rest> ──> [drop]

    sub-topology 1
      (by-customer)* ──> {hourly}= ──> [toStream] ──> [map] ──> (counts)

    sub-topology 2
      (customers) ──> |people|= ──> {enriched with people} ──> (orders)
      (enriched)* ──> {enriched with people} (see above)

    stores
      hourly  window     string -> int64  disk  size 3600000 ms, advance 3600000 ms, grace 300000 ms
      people  key-value  string -> json   disk

    internal topics
      shop-by-customer-repartition
      shop-enriched-repartition
      shop-hourly-changelog
      shop-people-changelog

    legend  (topic) [stateless] <filter> {stateful}= store  |table|=  * repartition
    "
  `)
})

test('mermaid: a box per sub-topology, topics between them', () => {
  expect(draw(topology, 'mermaid')).toMatchInlineSnapshot(`
    "flowchart LR
      t0[["orders"]]
      t1[["shop-by-customer-repartition"]]
      t2[["shop-enriched-repartition"]]
      t3[["counts"]]
      t4[["customers"]]
      subgraph sub0["sub-topology 0"]
        n1{"eur-only"}
        n2["eur-only.groupBy"]
        n8["eur-only.split"]
        n9["eur-only.split.large"]
        n10["eur-only.split.rest"]
        n11["eur-only.split.large.selectKey"]
        n17["drop"]
      end
      subgraph sub1["sub-topology 1"]
        n4[("hourly")]
        n5["hourly.toStream"]
        n6["hourly.toStream.map"]
      end
      subgraph sub2["sub-topology 2"]
        n13[("people")]
        n15[("enriched")]
      end
      t0 --> n1
      n1 --> n2
      n2 --> t1
      n1 --> n8
      n8 --> n9
      n8 --> n10
      n9 --> n11
      n11 --> t2
      n10 --> n17
      t1 --> n4
      n4 --> n5
      n5 --> n6
      n6 --> t3
      t4 --> n13
      t2 --> n15
      n13 --> n15
      n15 --> t0
    "
  `)
})

test('dot: the same for Graphviz', () => {
  expect(draw(topology, 'dot')).toMatchInlineSnapshot(`
    "digraph "shop" {
      rankdir=LR
      node [shape=box]
      t0 [label="orders" shape=cds]
      t1 [label="shop-by-customer-repartition" shape=cds]
      t2 [label="shop-enriched-repartition" shape=cds]
      t3 [label="counts" shape=cds]
      t4 [label="customers" shape=cds]
      subgraph cluster_0 {
        label="sub-topology 0"
        n1 [label="eur-only" shape=diamond]
        n2 [label="eur-only.groupBy"]
        n8 [label="eur-only.split"]
        n9 [label="eur-only.split.large"]
        n10 [label="eur-only.split.rest"]
        n11 [label="eur-only.split.large.selectKey"]
        n17 [label="drop"]
      }
      subgraph cluster_1 {
        label="sub-topology 1"
        n4 [label="hourly" shape=cylinder]
        n5 [label="hourly.toStream"]
        n6 [label="hourly.toStream.map"]
      }
      subgraph cluster_2 {
        label="sub-topology 2"
        n13 [label="people" shape=cylinder]
        n15 [label="enriched" shape=cylinder]
      }
      t0 -> n1
      n1 -> n2
      n2 -> t1
      n1 -> n8
      n8 -> n9
      n8 -> n10
      n9 -> n11
      n11 -> t2
      n10 -> n17
      t1 -> n4
      n4 -> n5
      n5 -> n6
      n6 -> t3
      t4 -> n13
      t2 -> n15
      n13 -> n15
      n15 -> t0
    }
    "
  `)
})

test('json: what text, mermaid and dot are drawn from', () => {
  const graph = JSON.parse(draw(topology, 'json', 'prod'))
  expect(graph).toEqual(graphData(topology, 'prod'))
  expect(graph.subTopologies[1]).toMatchObject({
    id: 1,
    nodes: [
      { name: 'by-customer', kind: 'repartition', topic: 'prod-by-customer-repartition', stores: [] },
      {
        name: 'hourly',
        kind: 'window-aggregate',
        stores: ['hourly'],
        file: import.meta.filename,
        line: expect.any(Number),
      },
      { name: 'hourly.toStream', kind: 'to-stream' },
      { name: 'hourly.toStream.map', kind: 'map' },
      { name: 'hourly.toStream.map.to', kind: 'sink', topic: 'counts' },
    ],
    edges: [
      [3, 4],
      [4, 5],
      [5, 6],
      [6, 7],
    ],
  })
  expect(graph.subTopologies[2].copartitioned).toEqual([['customers', 'prod-enriched-repartition']])
  expect(graph.stores).toEqual([
    {
      name: 'hourly',
      kind: 'window',
      storage: 'disk',
      key: 'string',
      value: 'int64',
      changelog: 'prod-hourly-changelog',
      subTopology: 1,
      windows: { sizeMs: 3_600_000, advanceMs: 3_600_000, graceMs: 300_000 },
    },
    {
      name: 'people',
      kind: 'key-value',
      storage: 'disk',
      key: 'string',
      value: 'json',
      changelog: 'prod-people-changelog',
      subTopology: 2,
    },
  ])
  expect(graph.internalTopics.map((topic: { name: string }) => topic.name)).toEqual([
    'prod-by-customer-repartition',
    'prod-enriched-repartition',
    'prod-hourly-changelog',
    'prod-people-changelog',
  ])
})

test('a topology without state has neither stores nor internal topics', () => {
  const plain = defineTopology('plain', (b) => b.stream(orders).to(orders))
  expect(draw(plain, 'text')).toMatchInlineSnapshot(`
    "plain

    sub-topology 0
      (orders) ──> (orders)

    legend  (topic) [stateless] <filter> {stateful}= store  |table|=  * repartition
    "
  `)
})

test('sessions are drawn with their gap and grace', () => {
  const visits = defineTopology('visits', (b) => {
    b.stream(orders)
      .groupByKey()
      .windowedBy(Windows.session('5m', { grace: '1m' }))
      .count('per-visit')
  })
  expect(draw(visits, 'text')).toContain('{per-visit}=')
  expect(draw(visits, 'text')).toContain('session  string -> int64  disk  gap 300000 ms, grace 60000 ms')
  expect(graphData(visits).stores[0]).toMatchObject({ kind: 'session', session: { gapMs: 300_000, graceMs: 60_000 } })
})

test('sliding windows are drawn with their time difference and grace', () => {
  const logins = defineTopology('logins', (b) => {
    b.stream(orders)
      .groupByKey()
      .windowedBy(Windows.sliding('5m', { grace: '1m' }))
      .count('bursts')
  })
  expect(draw(logins, 'text')).toContain('{bursts}=')
  expect(draw(logins, 'text')).toContain('sliding  string -> int64  disk  time difference 300000 ms, grace 60000 ms')
  expect(graphData(logins).stores[0]).toMatchObject({
    kind: 'sliding',
    sliding: { timeDifferenceMs: 300_000, graceMs: 60_000 },
  })
})

test('a store whose windows are passed on when they close says so', () => {
  const counts = defineTopology('counts', (b) => {
    b.stream(orders)
      .groupByKey()
      .windowedBy(Windows.session('5m', { grace: '1m' }))
      .count('counts', { emit: 'final' })
  })
  expect(draw(counts, 'text')).toContain('gap 300000 ms, grace 60000 ms, emit final')
  expect(graphData(counts).stores[0]).toMatchObject({ emit: 'final' })
})

test('late records are drawn as a sink of the windows that they are late for', () => {
  const counts = defineTopology('counts', (b) => {
    b.stream(orders)
      .groupByKey()
      .windowedBy(Windows.tumbling('5m', { grace: '1m' }))
      .count('counts', { late: { ...orders, name: 'too-late' } })
      .toStream()
      .foreach(() => undefined)
  })
  expect(draw(counts, 'text')).toContain(`{counts}= ──┬─> late (too-late)`)
  expect(graphData(counts).subTopologies[0]?.nodes.filter(({ late }) => late)).toMatchObject([{ kind: 'sink' }])
})

test('a topology that closes windows when its inputs are idle says so', () => {
  const counts = defineTopology('counts', (b) => void b.stream(orders), { idleClose: '30s' })
  expect(draw(counts, 'text')).toContain('closes windows after 30000 ms without input')
  expect(graphData(counts).idleCloseMs).toBe(30_000)
})

test('a versioned table is drawn with its history', () => {
  const rates = defineTopology('rates', (b) => void b.table(orders, { store: 'latest', history: '1h' }))
  expect(draw(rates, 'text')).toContain('history 3600000 ms')
  expect(graphData(rates).stores[0]).toMatchObject({ kind: 'versioned', historyMs: 3_600_000 })
})

test('a global table stands beside the sub-topologies, and a join says which it looks up', () => {
  const topology = defineTopology('global', (b) => {
    const table = b.globalTable(orders, { store: 'all-orders' })
    b.stream(customers).join(
      table,
      (_customer, id) => id,
      (customer) => customer,
      { name: 'looked-up' },
    )
  })
  expect(draw(topology, 'text')).toContain('[looked-up with all-orders]')
  expect(draw(topology, 'text')).toContain('global tables\n  all-orders  (orders)')
  expect(graphData(topology).globalTables).toMatchObject([
    { id: 0, name: 'all-orders', topic: 'orders', key: 'string' },
  ])
  for (const format of ['mermaid', 'dot'] as const) {
    expect(draw(topology, format)).toContain('all-orders')
    expect(draw(topology, format)).toContain('orders"')
  }
})

test('json: a source tells where it starts', () => {
  const starts = defineTopology('starts', (b) => {
    b.stream(orders, { startFrom: { ago: '1h' } })
    b.table(customers, { store: 'people' })
  })
  const [first, second] = graphData(starts).subTopologies
  expect([first?.nodes[0]?.startFrom, second?.nodes[0]?.startFrom]).toEqual([{ agoMs: 3_600_000 }, 'earliest'])
})

test('a topic that is the changelog of its table is named as that, and is no internal topic', () => {
  const sourced = defineTopology('shop', (b) => {
    b.table(customers, { store: 'people', changelog: 'source' })
    b.table(orders, { store: 'orders' })
  })
  const { stores, internalTopics } = graphData(sourced)
  expect(stores.map(({ name, changelog, sourceTopic }) => [name, changelog, sourceTopic])).toEqual([
    ['people', 'customers', 'customers'],
    ['orders', 'shop-orders-changelog', undefined],
  ])
  expect(internalTopics).toEqual([{ name: 'shop-orders-changelog', kind: 'changelog' }])
  expect(draw(sourced, 'text')).toContain('  people  key-value  string -> json  disk  changelog (customers)\n')
})
