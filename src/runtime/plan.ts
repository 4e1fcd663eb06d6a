/**
 * A topology against a cluster: which topics under which names, how many partitions, which tasks. Made once at start; it
 * refuses what cannot run before anything is read.
 */

import type { Broker, TopicSpec } from '../broker/port.ts'
import { StreamError } from '../common/errors.ts'
import { partitionName, type TopicPartition } from '../common/record.ts'
import { checkTopicNames, externalTopics } from '../topology/external-topics.ts'
import { checkTopicConfigs, internalTopics, type TopicConfigs } from '../topology/internal-topics.ts'
import { changelogTopic, repartitionTopic } from '../topology/names.ts'
import type { NodeId, RepartitionNode, SourceNode, SubTopology, Topology, TopologyNode } from '../topology/node.ts'
import { resolvePartitions } from '../topology/partitions.ts'
import { matching, patternsOf, withTopics } from '../topology/patterns.ts'
import { hasOwnChangelog } from '../topology/source-changelogs.ts'
import { subTopologies } from '../topology/subtopology.ts'
import { topicOf } from '../topology/upstream.ts'
import { checkCleanupPolicies } from './cleanup-policies.ts'
import type { TaskId } from './task-id.ts'

export interface Plan {
  readonly appId: string
  /** Without patterns: the topics that match are sources of it. */
  readonly topology: Topology
  readonly subTopologies: readonly SubTopology[]
  /** Topics of the user's that are read, and repartition topics, all by their full names. */
  readonly externalSources: readonly string[]
  readonly repartitionTopics: readonly string[]
  /** Partition counts of every topic read or written. */
  readonly partitions: ReadonlyMap<string, number>
  readonly internalTopics: readonly TopicSpec[]
  /** Those that were asked for, of all internal topics. */
  readonly topicConfigs: TopicConfigs
  readonly tasks: readonly TaskId[]
}

/**
 * Plan of a topology whose external topics have these partition counts; its patterns stand for those among them that match. A part
 * that reads no topic yet has no tasks, and its internal topics are made when it has some.
 * @throws StreamError TOPIC_MISSING, NOT_COPARTITIONED, INVALID_TOPOLOGY when two patterns match one topic, or one has a name of an internal topic.
 */
export function planWith(
  given: Topology,
  appId: string,
  external: ReadonlyMap<string, number>,
  topicConfigs: TopicConfigs = {},
): Plan {
  checkTopicNames(given, appId)
  const topology = withTopics(given, appId, [...external.keys()])
  const { read, written, global } = externalTopics(topology)
  for (const topic of [...read, ...written, ...global]) if (!external.has(topic)) throw topicMissing(topology, topic)
  const subs = subTopologies(topology)
  const repartitionCounts = resolvePartitions(topology, subs, external)
  const partitions = new Map(external)
  const repartitionTopics: string[] = []
  for (const [id, count] of repartitionCounts) {
    const name = topicOfNode(appId, topology.nodes[id] as TopologyNode) as string
    partitions.set(name, count)
    repartitionTopics.push(name)
  }
  const tasks: TaskId[] = []
  for (const sub of subs) {
    const counts = sourceTopics(appId, topology, sub).map((topic) => partitions.get(topic) as number)
    const count = Math.max(0, ...counts)
    for (let partition = 0; partition < count; partition++) tasks.push({ subTopology: sub.id, partition })
    for (const store of sub.stores.filter(hasOwnChangelog)) partitions.set(changelogTopic(appId, store.name), count)
  }
  return Object.freeze({
    appId,
    topology,
    subTopologies: subs,
    externalSources: read,
    repartitionTopics,
    partitions,
    internalTopics: internalTopics(topology, appId, partitions, topicConfigs).filter(
      ({ partitions }) => partitions > 0,
    ),
    topicConfigs,
    tasks,
  })
}

/** What a changed partition count does to a running application, and the way out. */
const otherPartitions =
  'map to other partitions than the state was built with. Run under another --app-id: it starts from the beginning of its sources, with state of its own.'

/**
 * Plans against the broker's topics and creates the internal ones that are missing.
 * @param topicConfigs of those that are created.
 * @throws StreamError as `planWith`; INVALID_ARGUMENT for configs that they cannot have; INVALID_TOPOLOGY for a topic that cannot be the changelog of
 * its table.
 */
export async function makePlan(
  topology: Topology,
  appId: string,
  broker: Broker,
  topicConfigs: TopicConfigs = {},
): Promise<Plan> {
  checkTopicConfigs(topicConfigs)
  const { read, written, global } = externalTopics(topology)
  const matched = await matchedTopics(topology, appId, broker)
  const found = await broker.topics([...new Set([...read, ...matched, ...written, ...global])])
  const counts = new Map([...found.values()].map((topic) => [topic.name, topic.partitions]))
  const plan = planWith(topology, appId, counts, topicConfigs)
  await checkCleanupPolicies(plan.topology, broker)
  await broker.createTopics(plan.internalTopics)
  const made = await broker.topics(plan.internalTopics.map((topic) => topic.name))
  for (const spec of plan.internalTopics) {
    const count = made.get(spec.name)?.partitions
    if (count === spec.partitions) continue
    throw new StreamError(
      'NOT_COPARTITIONED',
      `internal topic ${spec.name} has ${count ?? 'no'} partitions and needs ${spec.partitions}`,
      {
        hint:
          matched.length === 0
            ? `A source changed its partition count since ${appId} first ran: keys now ${otherPartitions}`
            : `Other topics match than when ${appId} first ran, or a source changed its partition count: keys now ${otherPartitions} A .repartition('<name>', { partitions }) behind the pattern makes later ones independent of it.`,
        where: { topic: spec.name },
      },
    )
  }
  return plan
}

/** Topics of the cluster that a pattern of the topology matches. */
export async function matchedTopics(topology: Topology, appId: string, broker: Broker): Promise<readonly string[]> {
  const patterns = patternsOf(topology)
  return patterns.length === 0 ? [] : matching(patterns, appId, [...(await broker.topics()).keys()])
}

/**
 * That the topics read still have the partitions the plan was made with.
 * @throws StreamError NOT_COPARTITIONED: the new partitions belong to no task, and keys have moved away from their state.
 */
export async function checkPartitions(plan: Plan, broker: Broker): Promise<void> {
  const found = await broker.topics(plan.externalSources)
  for (const topic of plan.externalSources) {
    const before = plan.partitions.get(topic)
    const now = found.get(topic)?.partitions
    if (now === undefined || now === before) continue
    throw new StreamError(
      'NOT_COPARTITIONED',
      `topic ${topic} has ${now} partitions now and had ${before} at the start`,
      {
        hint: `Keys now ${otherPartitions}`,
        where: { topic },
      },
    )
  }
}

/** Full name of the topic a source, sink or repartition node stands for. */
export function topicOfNode(appId: string, node: TopologyNode): string | undefined {
  if (node.kind === 'source' || node.kind === 'sink' || node.kind === 'global-table') return node.topic
  return node.kind === 'repartition' ? repartitionTopic(appId, node.topic) : undefined
}

/** Every topic that tasks read, by its full name, with the node that reads it. */
export function sourcesOf({ appId, topology, subTopologies }: Plan) {
  return subTopologies.flatMap((sub) =>
    sub.sources.map((id) => {
      const node = topology.nodes[id] as SourceNode | RepartitionNode
      return { topic: topicOfNode(appId, node) as string, node }
    }),
  )
}

/** Topics that a sub-topology reads, by full name. */
export function sourceTopics(appId: string, topology: Topology, sub: SubTopology): readonly string[] {
  return sub.sources.map((id: NodeId) => topicOfNode(appId, topology.nodes[id] as TopologyNode) as string)
}

/** Partitions that a task reads: its number in every source topic that has as many. */
export function inputsOf(plan: Plan, task: TaskId): readonly TopicPartition[] {
  const sub = plan.subTopologies[task.subTopology] as SubTopology
  return sourceTopics(plan.appId, plan.topology, sub)
    .filter((topic) => (plan.partitions.get(topic) as number) > task.partition)
    .map((topic) => ({ topic, partition: task.partition }))
}

/** The tasks all of whose inputs are among these partitions. */
export function tasksReading(plan: Plan, partitions: readonly TopicPartition[]): readonly TaskId[] {
  const read = new Set(partitions.map(({ topic, partition }) => partitionName(topic, partition)))
  return plan.tasks.filter((id) =>
    inputsOf(plan, id).every(({ topic, partition }) => read.has(partitionName(topic, partition))),
  )
}

function topicMissing(topology: Topology, topic: string): StreamError {
  const node = topology.nodes.find((node) => node.kind !== 'repartition' && topicOf(node) === topic)
  return new StreamError('TOPIC_MISSING', `topic ${topic} does not exist`, {
    hint: `Create it with the number of partitions you want: kafka-topics.sh --create --topic ${topic} --partitions 4 --bootstrap-server <broker>`,
    where: { topic, ...(node && { node: node.name }), ...node?.where },
  })
}
