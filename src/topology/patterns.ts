/**
 * Sources by a pattern, on a cluster: each topic that matches is a source of its own, and all of them are merged where the pattern stood. What
 * runs is a topology without patterns, so that nothing after this knows of them.
 */

import { StreamError } from '../common/errors.ts'
import { isInternal } from './names.ts'
import type { NodeId, PatternSourceNode, Topology, TopologyNode } from './node.ts'

export function patternsOf(topology: Topology): readonly PatternSourceNode[] {
  return topology.nodes.filter((node) => node.kind === 'pattern-source')
}

/** Those of the topics that a pattern matches. What the application makes for itself is none of them. */
export function matching(
  patterns: readonly PatternSourceNode[],
  app: string,
  topics: readonly string[],
): readonly string[] {
  return topics.filter((topic) => !isInternal(app, topic) && patterns.some(({ pattern }) => pattern.test(topic)))
}

/**
 * The topology in which every pattern is the topics that it matches; none of them is no source, which nothing comes from.
 * @param topics of the cluster; names that nothing matches do no harm.
 * @throws StreamError INVALID_TOPOLOGY when two patterns match one topic.
 */
export function withTopics(topology: Topology, app: string, topics: readonly string[]): Topology {
  if (patternsOf(topology).length === 0) return topology
  const nodes: TopologyNode[] = []
  const ids: NodeId[] = []
  const readBy = new Map<string, PatternSourceNode>()
  const add = (node: TopologyNode): NodeId => {
    nodes.push(Object.freeze({ ...node, id: nodes.length }))
    return nodes.length - 1
  }
  for (const node of topology.nodes) {
    if (node.kind !== 'pattern-source') {
      ids.push(add(moved(node, ids)))
      continue
    }
    const { pattern: _, ...reads } = node
    const parents = [...matching([node], app, topics)].sort().map((topic) => {
      const other = readBy.get(topic)
      if (other !== undefined) throw matchedTwice(topic, other, node)
      readBy.set(topic, node)
      return add({ ...reads, kind: 'source', name: topic, topic })
    })
    const { id, name, where } = node
    ids.push(add({ kind: 'merge', id, name, parents, ...(where && { where }) }))
  }
  return Object.freeze({ ...topology, nodes: Object.freeze(nodes) })
}

/** The node with the ids that those it names have now. */
function moved(node: TopologyNode, ids: readonly NodeId[]): TopologyNode {
  const parents = node.parents.map((parent) => ids[parent] as NodeId)
  if (node.kind !== 'process' && node.kind !== 'table-transform-values') return { ...node, parents }
  const tables = Object.fromEntries(
    Object.entries(node.tables).map(([name, table]) => [name, { ...table, node: ids[table.node] as NodeId }]),
  )
  return { ...node, parents, tables }
}

function matchedTwice(topic: string, one: PatternSourceNode, other: PatternSourceNode): StreamError {
  return new StreamError('INVALID_TOPOLOGY', `topic ${topic} is matched by ${one.name} and by ${other.name}`, {
    hint: 'Make the patterns narrower, so that a topic matches one of them.',
    where: { node: other.name, topic, ...other.where },
  })
}
