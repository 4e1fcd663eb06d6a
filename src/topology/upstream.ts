/** Which topics feed a node: the walk up the graph ends at sources and at repartition topics. */

import type { NodeId, StoreSpec, Topology, TopologyNode } from './node.ts'

/** For each node the sources and repartition nodes whose records can reach it without crossing another topic, ascending. */
export function upstreamSources(topology: Topology): readonly (readonly NodeId[])[] {
  const upstream: (readonly NodeId[])[] = []
  for (const node of topology.nodes) {
    if (node.kind === 'source' || node.kind === 'pattern-source') {
      upstream.push([node.id])
      continue
    }
    const found = new Set<NodeId>()
    for (const parent of node.parents) {
      if (topology.nodes[parent]?.kind === 'repartition') found.add(parent)
      else for (const source of upstream[parent] ?? []) found.add(source)
    }
    upstream.push([...found].sort((a, b) => a - b))
  }
  return upstream
}

/** The stores that a node writes; processors may share one. */
export function ownStores(node: TopologyNode): readonly StoreSpec[] {
  switch (node.kind) {
    case 'table':
    case 'aggregate':
    case 'dedupe':
    case 'rate-limit':
    case 'table-aggregate':
    case 'foreign-key-join':
    case 'window-aggregate':
    case 'sliding-aggregate':
    case 'session-aggregate':
    case 'suppress':
      return [node.store]
    case 'foreign-key-result':
      return node.store === undefined ? [] : [node.store]
    case 'stream-table-join':
      return node.buffer === undefined ? [] : [node.buffer]
    case 'process':
      return Object.values(node.stores)
    case 'table-transform-values':
      return [node.store, ...Object.values(node.stores)]
    case 'stream-stream-join':
      return node.stores
    default:
      return []
  }
}

/** Names of the stores a node reads or writes. */
export function storesOf(node: TopologyNode): readonly string[] {
  const own = ownStores(node).map((store) => store.name)
  switch (node.kind) {
    case 'table-table-join':
      return node.stores
    case 'stream-table-join':
    case 'foreign-key-join':
    case 'foreign-key-result':
      return [...own, ...node.stores]
    case 'process':
    case 'table-transform-values':
      return [...own, ...Object.values(node.tables).flatMap((table) => table.stores)]
    default:
      return own
  }
}

/** The topic a node reads or writes: full for the user's, the base name for a repartition topic; a pattern as it is written. */
export function topicOf(node: TopologyNode): string | undefined {
  switch (node.kind) {
    case 'source':
    case 'sink':
    case 'repartition':
    case 'global-table':
      return node.topic
    case 'pattern-source':
      return node.name
    default:
      return undefined
  }
}
