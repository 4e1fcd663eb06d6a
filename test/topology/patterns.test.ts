import { expect, test } from 'vitest'
import { defineTopology } from '../../src/dsl/define.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { topicPattern } from '../../src/serde/topic-pattern.ts'
import { graphData } from '../../src/topology/graph-data.ts'
import { lockOf } from '../../src/topology/lock.ts'
import { loops } from '../../src/topology/loops.ts'
import { withTopics } from '../../src/topology/patterns.ts'
import { subTopologies } from '../../src/topology/subtopology.ts'
import { customers, lines, type Order, orders, outline, refusal } from '../dsl/fixtures.ts'

const shops = topicPattern(/shop-.*/, { key: string, value: json<Order>() })

const topology = defineTopology('app', (b) => {
  const people = b.table(customers, { store: 'people' })
  b.stream(shops, { startFrom: 'latest' })
    .filter((order) => order.amount > 0)
    .process('p', { tables: { people }, on: () => undefined })
  b.stream(lines).foreach(() => undefined)
})

test('each topic that matches is a source of its own, merged where the pattern stood', () => {
  const resolved = withTopics(topology, 'app', ['shop-us', 'customers', 'shop-eu', 'lines', 'a-shop-x', 'shop'])
  expect(outline(resolved)).toEqual([
    'customers source',
    'people table <- customers',
    'shop-eu source',
    'shop-us source',
    '/shop-.*/ merge <- shop-eu + shop-us',
    '/shop-.*/.filter filter <- /shop-.*/',
    'p process <- /shop-.*/.filter + people',
    'lines source',
    'lines.foreach foreach <- lines',
  ])
  const [eu, process] = [resolved.nodes[2], resolved.nodes[6]]
  expect(eu).toMatchObject({ kind: 'source', topic: 'shop-eu', startFrom: 'latest', where: topology.nodes[2]?.where })
  expect(process?.kind === 'process' && process.tables.people?.node).toBe(1)
  expect(resolved.nodes.map(({ id }) => id)).toEqual(resolved.nodes.map((_, index) => index))
  // Its parts have the numbers that they have without.
  expect(subTopologies(resolved).map(({ stores }) => stores.map(({ name }) => name))).toEqual(
    subTopologies(topology).map(({ stores }) => stores.map(({ name }) => name)),
  )
})

test('a table that a processor reads is found behind a pattern that comes before it', () => {
  const late = defineTopology('app', (b) => {
    const stream = b.stream(shops)
    const people = b.table(customers, { store: 'people' })
    stream.process('p', { tables: { people }, on: () => undefined })
  })
  const resolved = withTopics(late, 'app', ['shop-1', 'shop-2', 'shop-3'])
  const process = resolved.nodes.find(({ kind }) => kind === 'process')
  const table = process?.kind === 'process' ? process.tables.people?.node : undefined
  expect(resolved.nodes[table ?? -1]).toMatchObject({ kind: 'table', name: 'people' })
})

test('no topic that matches is a merge of nothing, and without patterns a topology stays what it is', () => {
  expect(outline(withTopics(topology, 'app', []))[2]).toBe('/shop-.*/ merge')
  const plain = defineTopology('app', (b) => void b.stream(lines))
  expect(withTopics(plain, 'app', ['lines'])).toBe(plain)
})

test('topics that the application makes for itself never match', () => {
  const all = defineTopology('app', (b) => void b.stream(topicPattern(/.*/, { key: string, value: string })))
  const topics = ['app-counts-changelog', 'app-by-key-repartition', 'other-counts-changelog', 'app-changelog-x', 'a']
  const resolved = withTopics(all, 'app', topics)
  expect(resolved.nodes.slice(0, -1).map(({ name }) => name)).toEqual([
    'a',
    'app-changelog-x',
    'other-counts-changelog',
  ])
})

test('a topic that two patterns match is refused', () => {
  const two = defineTopology('app', (b) => {
    b.stream(topicPattern(/a.*/, { key: string, value: string }))
    b.stream(topicPattern(/.*b/, { key: string, value: string }))
  })
  expect(withTopics(two, 'app', ['ax', 'xb']).nodes).toHaveLength(4)
  expect(refusal(() => withTopics(two, 'app', ['ax', 'ab']))).toMatchObject({
    code: 'INVALID_TOPOLOGY',
    message: 'topic ab is matched by /a.*/ and by /.*b/',
    where: { node: '/.*b/', topic: 'ab', file: import.meta.filename },
  })
})

test('a pattern that matches what is written from it is a loop', () => {
  const round = defineTopology('app', (b) => b.stream(topicPattern(/o.*/, orders)).to(orders))
  expect(loops(round).map(({ topics }) => topics)).toEqual([['orders', 'orders']])
  const straight = defineTopology('app', (b) => b.stream(topicPattern(/p.*/, orders)).to(orders))
  expect(loops(straight)).toEqual([])
})

test('graph and lock have the pattern as it is written', () => {
  const [, part] = graphData(topology).subTopologies
  expect([part?.nodes[0]?.kind, part?.nodes[0]?.topic]).toEqual(['source', 'lines'])
  expect(graphData(topology).subTopologies[0]?.nodes[2]).toMatchObject({
    kind: 'pattern-source',
    name: '/shop-.*/',
    topic: '/shop-.*/',
    startFrom: 'latest',
  })
  const { sources, subTopologies: parts } = lockOf(topology)
  expect(sources['/shop-.*/']).toEqual({ key: 'string', value: 'json' })
  expect(parts[0]?.topics).toEqual(['/shop-.*/', 'customers'])
})
