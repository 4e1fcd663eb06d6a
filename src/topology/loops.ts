/** Topics whose records lead back to them: allowed, and seldom meant. */

import { externalTopics } from './external-topics.ts'
import type { NodeId, PatternSourceNode, SinkNode, SourceNode, Topology, TopologyNode } from './node.ts'
import { withTopics } from './patterns.ts'

export interface Loop {
  /** From the topic that is read to the same one written, others that it goes through between. */
  readonly topics: readonly string[]
  /** Writes the first topic again. */
  readonly sink: SinkNode
}

/** The shortest way round of each topic that has one, also by a pattern that matches what is written. */
export function loops(given: Topology): readonly Loop[] {
  const topology = withTopics(given, given.name, externalTopics(given).written)
  const written = new Map<string, readonly SinkNode[]>()
  for (const node of topology.nodes) {
    if (node.kind === 'source') written.set(node.topic, sinksBelow(topology, node.id))
  }
  return [...written.keys()].flatMap((topic) => wayRound(topic, written) ?? [])
}

function wayRound(topic: string, written: ReadonlyMap<string, readonly SinkNode[]>): Loop | undefined {
  const waiting: (readonly string[])[] = [[topic]]
  const seen = new Set<string>()
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    for (const sink of written.get(path.at(-1) as string) ?? []) {
      if (sink.topic === topic) return { topics: [...path, topic], sink }
      if (seen.has(sink.topic)) continue
      seen.add(sink.topic)
      waiting.push([...path, sink.topic])
    }
  }
  return undefined
}

function sinksBelow(topology: Topology, start: NodeId): readonly SinkNode[] {
  const reached = new Set([start])
  // Parents come before their children.
  for (const node of topology.nodes) if (drivers(node).some((parent) => reached.has(parent))) reached.add(node.id)
  return topology.nodes.filter((node): node is SinkNode => node.kind === 'sink' && reached.has(node.id))
}

/** The source that reads the topic, by its name or by a pattern, if its records come to one of the nodes. */
export function sourceAbove(
  nodes: readonly TopologyNode[],
  below: readonly NodeId[],
  topic: string,
): SourceNode | PatternSourceNode | undefined {
  const waiting = [...below]
  const seen = new Set(waiting)
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const node = nodes[id] as TopologyNode
    if (node.kind === 'source' && node.topic === topic) return node
    if (node.kind === 'pattern-source' && node.pattern.test(topic)) return node
    for (const parent of drivers(node)) {
      if (seen.has(parent)) continue
      seen.add(parent)
      waiting.push(parent)
    }
  }
  return undefined
}

/** Parents whose records make it emit. */
function drivers(node: TopologyNode): readonly NodeId[] {
  return node.kind === 'stream-table-join' ? node.parents.slice(0, 1) : node.parents
}
