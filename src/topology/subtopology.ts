/**
 * Cuts a topology into the parts that run as tasks: connected through nodes and shared stores, cut where records cross a
 * repartition topic (Kafka Streams: InternalTopologyBuilder.makeNodeGroups).
 */

import type { NodeId, StoreSpec, SubTopology, Topology } from './node.ts'
import { ownStores, storesOf, upstreamSources } from './upstream.ts'

/** Numbered from 0 in the order of their smallest node id, so that adding nodes at the end renumbers nothing before. */
export function subTopologies(topology: Topology): readonly SubTopology[] {
  const { nodes } = topology
  const upstream = upstreamSources(topology)
  return components(topology).map((units, id) => {
    const written = new Set(units.filter((unit) => unit < nodes.length))
    const read = new Set(units.filter((unit) => unit >= nodes.length).map((unit) => unit - nodes.length))
    const members = [...new Set([...written, ...read])].sort((a, b) => a - b)
    const stores = new Set<StoreSpec>()
    const sources: NodeId[] = []
    const sinks: NodeId[] = []
    const meetings = new Map<string, readonly NodeId[]>()
    for (const member of members) {
      const node = nodes[member]
      if (node === undefined) continue
      if (node.kind === 'source' || node.kind === 'pattern-source' || read.has(member)) sources.push(member)
      if (node.kind === 'sink' || (node.kind === 'repartition' && written.has(member))) sinks.push(member)
      for (const store of ownStores(node)) stores.add(store)
      for (const store of storesOf(node)) {
        meetings.set(store, [...(meetings.get(store) ?? []), ...(upstream[member] ?? [])])
      }
    }
    return Object.freeze({
      id,
      nodes: members,
      sources,
      sinks,
      stores: [...stores],
      copartitioned: united([...meetings.values()]),
    })
  })
}

/**
 * Connected parts, as sorted lists of units, ordered by their smallest node. The unit of a node is its id; a repartition
 * node has a second one, id + number of nodes, that stands for its reading side.
 */
function components(topology: Topology): readonly (readonly number[])[] {
  const { nodes } = topology
  const root = Array.from({ length: nodes.length * 2 }, (_, unit) => unit)
  const find = (unit: number): number => {
    let at = unit
    while (root[at] !== at) at = root[at] = root[root[at] as number] as number
    return at
  }
  const unite = (a: number, b: number): void => {
    root[find(a)] = find(b)
  }
  const unitOfStore = new Map<string, number>()
  for (const node of nodes) {
    for (const parent of node.parents) {
      unite(node.id, nodes[parent]?.kind === 'repartition' ? parent + nodes.length : parent)
    }
    for (const store of storesOf(node)) {
      unite(node.id, unitOfStore.get(store) ?? node.id)
      unitOfStore.set(store, node.id)
    }
  }
  const byRoot = new Map<number, number[]>()
  for (let unit = 0; unit < root.length; unit++) {
    // It is no task's: every engine reads it.
    if (nodes[unit]?.kind === 'global-table') continue
    if (unit >= nodes.length && nodes[unit - nodes.length]?.kind !== 'repartition') continue
    const members = byRoot.get(find(unit))
    if (members === undefined) byRoot.set(find(unit), [unit])
    else members.push(unit)
  }
  const smallest = (units: readonly number[]): number => Math.min(...units.map((unit) => unit % nodes.length))
  return [...byRoot.values()].sort((a, b) => smallest(a) - smallest(b))
}

/**
 * Topics that one stateful node reads, or the nodes of one store, must agree in partitions: then a key's records and its row are in one task. Sets
 * that overlap become one group. Kafka Streams checks joins only; merged topics that are counted together need it too.
 */
function united(meetings: readonly (readonly NodeId[])[]): readonly (readonly NodeId[])[] {
  let groups: Set<NodeId>[] = []
  for (const meeting of meetings) {
    const group = new Set(meeting)
    const apart: Set<NodeId>[] = []
    for (const other of groups) {
      if (![...other].some((id) => group.has(id))) apart.push(other)
      else for (const id of other) group.add(id)
    }
    groups = [...apart, group]
  }
  return groups
    .filter((group) => group.size > 1)
    .map((group) => [...group].sort((a, b) => a - b))
    .sort((a, b) => (a[0] as number) - (b[0] as number))
}
