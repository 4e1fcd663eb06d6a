/**
 * Partition counts of repartition topics, and the check that topics read together agree: a key's records must meet in
 * one task (Kafka Streams: RepartitionTopics, CopartitionedTopicsEnforcer).
 */

import { type ErrorLocation, StreamError } from '../common/errors.ts'
import type { NodeId, RepartitionNode, SubTopology, Topology, TopologyNode } from './node.ts'
import { storesOf, topicOf, upstreamSources } from './upstream.ts'

/**
 * The count of each repartition topic, by its node. A topic has the count its user fixed, else that of the largest source
 * of the sub-topology that writes it; read together with others, it takes the count of the user's topics among them, else a
 * fixed one, else the largest.
 * @param externalCounts partition counts of the user's topics, by name.
 * @throws StreamError NOT_COPARTITIONED, or TOPIC_MISSING when a source's count is not given.
 */
export function resolvePartitions(
  topology: Topology,
  subTopologies: readonly SubTopology[],
  externalCounts: ReadonlyMap<string, number>,
): ReadonlyMap<NodeId, number> {
  const counts = new Map<NodeId, number>()
  for (const node of topology.nodes)
    if (node.kind === 'source') counts.set(node.id, externalCount(node, externalCounts))
  const repartitions = topology.nodes.filter((node) => node.kind === 'repartition')
  for (const node of repartitions) if (node.partitions !== undefined) counts.set(node.id, node.partitions)
  const open = repartitions.filter((node) => node.partitions === undefined)
  spread(
    open.map((node) => node.id),
    subTopologies,
    counts,
  )
  for (const sub of subTopologies) for (const group of sub.copartitioned) agree(group, sub, topology, counts)
  return new Map(repartitions.map((node) => [node.id, counts.get(node.id) as number]))
}

/** Counts flow from sources to what their readers write until none grows: through other topics a sub-topology may feed itself. */
function spread(
  repartitions: readonly NodeId[],
  subTopologies: readonly SubTopology[],
  counts: Map<NodeId, number>,
): void {
  const writers = new Map(repartitions.map((id) => [id, subTopologies.find((sub) => sub.sinks.includes(id))]))
  for (let grows = true; grows; ) {
    grows = false
    for (const [id, writer] of writers) {
      const known = counts.get(id) ?? 0
      const largest = Math.max(known, ...(writer?.sources ?? []).map((source) => counts.get(source) ?? 0))
      counts.set(id, largest)
      grows ||= largest > known
    }
  }
}

function agree(group: readonly NodeId[], sub: SubTopology, topology: Topology, counts: Map<NodeId, number>): void {
  const members = group.map((id) => nodeAt(topology, id))
  const external = members.filter((node) => node.kind === 'source')
  const fixed = members.filter((node) => node.kind === 'repartition' && node.partitions !== undefined)
  const decisive = external.length > 0 ? external[0] : fixed[0]
  const wanted =
    decisive === undefined
      ? Math.max(...group.map((id) => counts.get(id) as number))
      : (counts.get(decisive.id) as number)
  for (const node of [...external, ...fixed]) {
    if (decisive !== undefined && counts.get(node.id) !== wanted) throw conflict(decisive, node, sub, topology, counts)
  }
  for (const node of members) if (node.kind === 'repartition') counts.set(node.id, wanted)
}

function conflict(
  decisive: TopologyNode,
  other: TopologyNode,
  sub: SubTopology,
  topology: Topology,
  counts: ReadonlyMap<NodeId, number>,
): StreamError {
  const [operator, left, right] = meeting(decisive, other, sub, topology, counts)
  const where: ErrorLocation = { node: operator.name, topic: topicOf(right) ?? '', ...operator.where }
  const at = operator.where === undefined ? '' : ` (${operator.where.file}:${operator.where.line})`
  const count = (node: TopologyNode): string => `${title(node)} has ${counts.get(node.id)}`
  return new StreamError(
    'NOT_COPARTITIONED',
    `${operator.name}${at} reads ${topicOf(left)} and ${topicOf(right)} together, but they differ in partitions: ${count(left)}, ${count(right)}. Records of one key would never meet.`,
    {
      where,
      hint: `Give both topics the same number of partitions, or put .repartition('<name>', { partitions: ${counts.get(decisive.id)} }) between the topic and ${operator.name}.`,
    },
  )
}

/** The first operator at which two counts differ; where only a chain of operators ties the topics, its last one. */
function meeting(
  decisive: TopologyNode,
  other: TopologyNode,
  sub: SubTopology,
  topology: Topology,
  counts: ReadonlyMap<NodeId, number>,
): readonly [TopologyNode, TopologyNode, TopologyNode] {
  const upstream = upstreamSources(topology)
  const settled = (id: NodeId): boolean => {
    const node = nodeAt(topology, id)
    return node.kind === 'source' || (node as RepartitionNode).partitions !== undefined
  }
  let last = other
  for (const id of sub.nodes) {
    const node = nodeAt(topology, id)
    if (storesOf(node).length === 0) continue
    const read = (upstream[id] ?? []).filter(settled)
    const right = read.find((source) => counts.get(source) !== counts.get(read[0] as NodeId))
    if (right !== undefined) return [node, nodeAt(topology, read[0] as NodeId), nodeAt(topology, right)]
    if (upstream[id]?.includes(other.id)) last = node
  }
  return [last, decisive, other]
}

function title(node: TopologyNode): string {
  return node.kind === 'repartition' ? `repartition topic ${node.topic}` : `topic ${topicOf(node)}`
}

function externalCount(node: TopologyNode & { kind: 'source' }, counts: ReadonlyMap<string, number>): number {
  const count = counts.get(node.topic)
  if (count !== undefined) return count
  throw new StreamError('TOPIC_MISSING', `topic ${node.topic}, read by ${node.name}, does not exist`, {
    where: { node: node.name, topic: node.topic, ...node.where },
    hint: 'Create the topic, with the partitions you want, before the start.',
  })
}

function nodeAt(topology: Topology, id: NodeId): TopologyNode {
  const node = topology.nodes[id]
  if (node === undefined) throw new StreamError('INTERNAL', `${topology.name} has no node ${id}`)
  return node
}
