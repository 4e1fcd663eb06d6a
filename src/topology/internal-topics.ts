/** The topics the engine owns, with the configs Kafka Streams gives them (its *TopicConfig classes). */

import { StreamError } from '../common/errors.ts'
import { changelogTopic, repartitionTopic } from './names.ts'
import type { StoreSpec, Topology } from './node.ts'
import { subTopologies } from './subtopology.ts'

export interface InternalTopic {
  readonly name: string
  readonly partitions: number
  /** Kafka topic configs. */
  readonly configs: Readonly<Record<string, string>>
}

/**
 * Repartition topics first, then changelogs, each in the order of the graph.
 * @param partitions counts of every repartition topic and of every changelog, by full name.
 */
export function internalTopics(
  topology: Topology,
  app: string,
  partitions: ReadonlyMap<string, number>,
): readonly InternalTopic[] {
  const topic = (name: string, configs: Readonly<Record<string, string>>): InternalTopic => {
    const count = partitions.get(name)
    if (count === undefined)
      throw new StreamError('INTERNAL', `no partition count for ${name}`, { where: { topic: name } })
    return Object.freeze({ name, partitions: count, configs })
  }
  const repartitions = topology.nodes
    .filter((node) => node.kind === 'repartition')
    .map((node) => topic(repartitionTopic(app, node.topic), repartitionConfigs))
  const changelogs = subTopologies(topology)
    .flatMap((sub) => sub.stores)
    .map((store) => topic(changelogTopic(app, store.name), changelogConfigs(store)))
  return [...repartitions, ...changelogs]
}

/** Without limit in time: the engine deletes what it has committed. Small segments, so that deleting frees space soon. */
const repartitionConfigs: Readonly<Record<string, string>> = Object.freeze({
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'segment.bytes': '52428800',
  'message.timestamp.type': 'CreateTime',
})

/**
 * The changelog of a store whose rows end has no limit in time either, unlike Kafka Streams': a broker deletes by record timestamp, so
 * it would delete the state of whoever processes old data. The engine deletes what stream time has closed.
 */
function changelogConfigs(store: StoreSpec): Readonly<Record<string, string>> {
  const type = { 'message.timestamp.type': 'CreateTime' }
  if (store.retentionMs === undefined) return Object.freeze({ 'cleanup.policy': 'compact', ...type })
  return Object.freeze({ 'cleanup.policy': 'compact,delete', 'retention.ms': '-1', ...type })
}
