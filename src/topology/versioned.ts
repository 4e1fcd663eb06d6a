/** Which tables are versioned, found by the walk up the graph (Kafka Streams: GraphNode.isOutputVersioned). */

import type { NodeId, TopologyNode } from './node.ts'

/** Whether the table is kept in a versioned store, or derived row by row from one that is. */
export function isVersioned(nodes: readonly TopologyNode[], id: NodeId): boolean {
  const node = nodes[id] as TopologyNode
  if ('store' in node && typeof node.store === 'object') return node.store.kind === 'versioned'
  const isDerived = node.kind === 'table-filter' || node.kind === 'table-map-values'
  return isDerived && isVersioned(nodes, node.parents[0] as NodeId)
}
