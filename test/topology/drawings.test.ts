/** Every operator in every format of `graph`: topologies of each are there, as each has parity with Kafka Streams to show. */

import { expect, describe as suite, test } from 'vitest'
import { defineTopology } from '../../src/dsl/define.ts'
import { describe } from '../../src/topology/describe.ts'
import type { GraphData } from '../../src/topology/graph-data.ts'
import type { Topology, TopologyNode } from '../../src/topology/node.ts'
import { page } from '../docs/blocks.ts'
import { lines } from '../dsl/fixtures.ts'
import { twins } from '../parity/twins.ts'

/** What passes nothing on has nothing to compare, and calls to the outside are not in Kafka Streams. */
const ends = defineTopology('ends', (b) => {
  b.stream(lines).foreach(() => undefined)
  b.stream(lines)
    .mapAsync('call', async (line) => line)
    .print()
})
const topologies: readonly (readonly [string, Topology])[] = [
  ...[...twins].map(([name, { build }]) => [name, defineTopology('t', build)] as const),
  ['ends', ends],
]

test('every kind of node is in one of them', () => {
  const kinds = [...page('src/topology/node.ts').matchAll(/readonly kind: '([\w-]+)'/g)].map(([, kind]) => kind)
  const drawn = new Set<string>(topologies.flatMap(([, { nodes }]) => nodes.map(({ kind }) => kind)))
  const missing = new Set(kinds.filter((kind) => kind !== undefined && kind !== 'topology' && !drawn.has(kind)))
  expect([...missing], 'kinds of nodes in no topology of test/parity').toEqual([])
})

/** Names of whatever looks like a store in a node, however deep: no list of kinds is asked. */
function storesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  if ('storage' in value && 'name' in value) return [String(value.name)]
  return Object.values(value).flatMap(storesIn)
}

/** Drawn as a topic, not as a processor. */
const isTopic = (kind: TopologyNode['kind']): boolean =>
  ['source', 'pattern-source', 'sink', 'repartition'].includes(kind)

suite.each(topologies)('%s', (_, topology) => {
  const data = JSON.parse(describe(topology, 'json', 'app')) as GraphData
  const nodes = data.subTopologies.flatMap((sub) => sub.nodes)
  const processors = nodes.filter(({ kind }) => !isTopic(kind))
  const edges = data.subTopologies.flatMap((sub) => sub.edges)
  const globals = data.globalTables ?? []
  /** Topic to global table, and global table to join: drawn beside the edges of sub-topologies. */
  const lookUps = globals.length + nodes.filter(({ globalTable }) => globalTable !== undefined).length

  test('JSON has each node once, a repartition topic where it is written and where it is read', () => {
    const times = new Map<number, number>()
    for (const { id } of [...nodes, ...globals]) times.set(id, (times.get(id) ?? 0) + 1)
    for (const { id, kind, name } of topology.nodes) {
      const fed = data.subTopologies.filter((sub) => sub.nodes.some((node) => node.id === id)).length
      expect([name, times.get(id)]).toEqual([name, kind === 'repartition' ? fed : 1])
    }
    const parents = new Map(topology.nodes.map(({ id, parents }) => [id, parents]))
    for (const [from, to] of edges) expect(parents.get(to)).toContain(from)
    expect(edges).toHaveLength(topology.nodes.reduce((sum, { parents }) => sum + parents.length, 0))
    for (const { kind, topic } of nodes) expect([kind, topic !== undefined]).toEqual([kind, isTopic(kind)])
  })

  test('JSON has each store with its sub-topology and changelog, and who works with it', () => {
    expect(data.stores.map(({ name }) => name).sort()).toEqual([...new Set(storesIn(topology.nodes))].sort())
    const inTopics = data.internalTopics.map(({ name }) => name)
    const users = nodes.flatMap((node) => node.stores)
    for (const store of data.stores) {
      expect(users).toContain(store.name)
      expect(inTopics).toContain(store.changelog)
      const sub = data.subTopologies[store.subTopology]
      expect(sub?.nodes.flatMap((node) => node.stores)).toContain(store.name)
    }
    for (const name of users) expect(data.stores.map((store) => store.name)).toContain(name)
  })

  test('Mermaid declares each node before an edge meets it', () => {
    const [first, ...rest] = describe(topology, 'mermaid', 'app').trimEnd().split('\n')
    expect(first).toBe('flowchart LR')
    const known = new Set<string>()
    let open = 0
    let drawn = 0
    for (const line of rest) {
      const node = /^ {2,4}(\w+)(?:\[\["[^"]+"\]\]|\[\("[^"]+"\)\]|\{"[^"]+"\}|\["[^"]+"\])$/.exec(line)
      const edge = /^ {2}(\w+) --> (\w+)$/.exec(line)
      if (node !== null) {
        expect(known).not.toContain(node[1])
        known.add(node[1] as string)
      } else if (edge !== null) {
        drawn++
        expect([known.has(edge[1] as string), known.has(edge[2] as string)]).toEqual([true, true])
      } else if (/^ {2}subgraph sub\d+\["sub-topology \d+"\]$/.test(line)) open++
      else if (line === '  end') open--
      else throw new Error(`no line of Mermaid: ${line}`)
    }
    expect([open, drawn]).toEqual([0, edges.length + lookUps])
    for (const { id } of [...processors, ...globals]) expect(known).toContain(`n${id}`)
  })

  test('DOT declares each node before an edge meets it', () => {
    const known = new Set<string>()
    let open = 0
    let drawn = 0
    for (const line of describe(topology, 'dot', 'app').trimEnd().split('\n')) {
      const node = /^ {2,4}(\w+) \[label="[^"]+"(?: shape=\w+)?\]$/.exec(line)
      const edge = /^ {2}(\w+) -> (\w+)$/.exec(line)
      if (node !== null && node[1] !== 'node') {
        expect(known).not.toContain(node[1])
        known.add(node[1] as string)
      } else if (edge !== null) {
        drawn++
        expect([known.has(edge[1] as string), known.has(edge[2] as string)]).toEqual([true, true])
      } else if (/\{$/.test(line)) open++
      else if (/^ *\}$/.test(line)) open--
      else if (!/^ {2}rankdir=LR$|^ {2}node \[shape=box\]$|^ {4}label="sub-topology \d+"$/.test(line)) {
        throw new Error(`no line of DOT: ${line}`)
      }
    }
    expect([open, drawn]).toEqual([0, edges.length + lookUps])
    for (const { id } of [...processors, ...globals]) expect(known).toContain(`n${id}`)
  })

  test('text names every processor, store and topic', () => {
    const text = describe(topology, 'text', 'app')
    for (const { name } of processors) {
      // A name that goes on from that of the node before is drawn without it.
      const last = name.slice(name.lastIndexOf('.') + 1)
      expect(text).toContain(last)
    }
    for (const { name, topic } of nodes)
      if (topic !== undefined) expect(text.includes(`(${topic})`) || text.includes(`(${name})`), topic).toBe(true)
    for (const { name, kind, key, value } of data.stores) {
      expect(text).toMatch(new RegExp(`^  ${name} +${kind} +`, 'm'))
      expect(text).toContain(`${key} -> ${value}`)
    }
    for (const { name } of data.internalTopics) expect(text).toContain(`  ${name}\n`)
  })
})
