/** When the windows of a windowed table close, found by the walk up the graph (Kafka Streams: GraphGraceSearchUtil). */

import type { NodeId, TopologyNode } from './node.ts'

export interface WindowClose {
  /** ms of stream time after a window's end: its grace, and of a session the gap too. */
  readonly afterEndMs: number
  /** ms of stream time after which a row can no longer be reached. */
  readonly retentionMs: number
}

/** The latest of all windows that `id` is made of; undefined when one of its parents has none. */
export function windowClose(nodes: readonly TopologyNode[], id: NodeId): WindowClose | undefined {
  const known = new Map<NodeId, WindowClose | undefined>()
  const find = (id: NodeId): WindowClose | undefined => {
    if (!known.has(id)) known.set(id, closeOf(nodes[id] as TopologyNode, find))
    return known.get(id)
  }
  return find(id)
}

function closeOf(node: TopologyNode, find: (id: NodeId) => WindowClose | undefined): WindowClose | undefined {
  if (node.kind === 'window-aggregate') {
    const { windows, retentionMs = 0 } = node.store
    return { afterEndMs: windows.graceMs, retentionMs }
  }
  if (node.kind === 'sliding-aggregate') {
    const { sliding, retentionMs = 0 } = node.store
    return { afterEndMs: sliding.graceMs, retentionMs }
  }
  if (node.kind === 'session-aggregate') {
    const { session, retentionMs = 0 } = node.store
    return { afterEndMs: session.gapMs + session.graceMs, retentionMs }
  }
  let latest: WindowClose | undefined
  // The tables that a function reads besides have nothing to do with its windows.
  const parents = node.kind === 'table-transform-values' ? node.parents.slice(0, 1) : node.parents
  for (const parent of parents) {
    const close = find(parent)
    if (close === undefined) return undefined
    latest = {
      afterEndMs: Math.max(close.afterEndMs, latest?.afterEndMs ?? 0),
      retentionMs: Math.max(close.retentionMs, latest?.retentionMs ?? 0),
    }
  }
  return latest
}
