/** The topics the engine owns, with the configs Kafka Streams gives them (its *TopicConfig classes). */

import { StreamError } from '../common/errors.ts'
import { changelogTopic, repartitionTopic } from './names.ts'
import type { StoreSpec, Topology } from './node.ts'
import { hasOwnChangelog } from './source-changelogs.ts'
import { subTopologies } from './subtopology.ts'

export interface InternalTopic {
  readonly name: string
  readonly partitions: number
  /** Kafka topic configs. */
  readonly configs: TopicConfigs
}

/** Kafka topic configs: `min.insync.replicas`, ... */
export type TopicConfigs = Readonly<Record<string, string>>

/**
 * Repartition topics first, then changelogs, each in the order of the graph.
 * @param partitions counts of every repartition topic and of every changelog, by full name.
 * @param more configs of all of them, before those given here (Kafka Streams: the prefix `topic.`). Default none.
 */
export function internalTopics(
  topology: Topology,
  app: string,
  partitions: ReadonlyMap<string, number>,
  more: TopicConfigs = {},
): readonly InternalTopic[] {
  const topic = (name: string, configs: TopicConfigs): InternalTopic => {
    const count = partitions.get(name)
    if (count === undefined)
      throw new StreamError('INTERNAL', `no partition count for ${name}`, { where: { topic: name } })
    return Object.freeze({ name, partitions: count, configs: Object.freeze({ ...configs, ...more }) })
  }
  const repartitions = topology.nodes
    .filter((node) => node.kind === 'repartition')
    .map((node) => topic(repartitionTopic(app, node.topic), repartitionConfigs))
  const changelogs = subTopologies(topology)
    .flatMap((sub) => sub.stores.filter(hasOwnChangelog))
    .map((store) => topic(changelogTopic(app, store.name), changelogConfigs(store)))
  return [...repartitions, ...changelogs]
}

/** Without limit in time: the engine deletes what it has committed. Small segments, so that deleting frees space soon. */
const repartitionConfigs: TopicConfigs = Object.freeze({
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'segment.bytes': '52428800',
  'message.timestamp.type': 'CreateTime',
})

/**
 * The changelog of a store whose rows end has no limit in time either, unlike Kafka Streams': a broker deletes by record timestamp, so
 * it would delete the state of whoever processes old data. The engine deletes what stream time has closed.
 */
function changelogConfigs(store: StoreSpec): TopicConfigs {
  const type = { 'message.timestamp.type': 'CreateTime' }
  if (store.retentionMs === undefined) return Object.freeze({ 'cleanup.policy': 'compact', ...type })
  return Object.freeze({ 'cleanup.policy': 'compact,delete', 'retention.ms': '-1', ...type })
}

/** What the engine has to set itself, and what another value would do. */
const ownConfigs: TopicConfigs = Object.freeze({
  'cleanup.policy':
    'state would be deleted that is still needed, or repartition topics would lose records of equal keys',
  'retention.ms': 'records would be deleted by their age before they are processed or restored',
  'retention.bytes': 'records would be deleted by their number before they are processed or restored',
  'message.timestamp.type': 'records would lose their event time',
})

/**
 * That internal topics can have these configs.
 * @throws StreamError INVALID_ARGUMENT for one that the engine sets itself, one that has no name of a config, or a value that is no text.
 */
export function checkTopicConfigs(configs: TopicConfigs): void {
  for (const [name, value] of Object.entries(configs)) {
    const harm = Object.hasOwn(ownConfigs, name) ? ownConfigs[name] : undefined
    if (harm !== undefined) {
      throw new StreamError('INVALID_ARGUMENT', `topic config ${name} is not yours to set: ${harm}`, {
        hint: 'Leave it out: internal topics have the value they need.',
      })
    }
    if (!/^[a-z]+(\.[a-z]+)*$/.test(name)) {
      throw new StreamError('INVALID_ARGUMENT', `${JSON.stringify(name)} is no name of a topic config`, {
        hint: "Give one of Kafka's, such as min.insync.replicas.",
      })
    }
    if (typeof value !== 'string' || value === '') {
      throw new StreamError('INVALID_ARGUMENT', `topic config ${name} has no value`, {
        hint: `Give it as text: { '${name}': '2' }.`,
      })
    }
  }
}
