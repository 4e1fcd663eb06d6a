/** The topics that belong to the user: they must exist, and the engine never creates or deletes them. */

import { StreamError } from '../common/errors.ts'
import { isInternal } from './names.ts'
import type { Topology, TopologyNode } from './node.ts'

/** Topics of the user's that the topology reads, writes, or dead-letters to, by their names; those that patterns match are not among them. */
export function externalTopics(topology: Topology): {
  readonly read: readonly string[]
  readonly written: readonly string[]
  /** Topics of global tables: read by every engine as a whole. */
  readonly global: readonly string[]
} {
  const read = new Set<string>()
  const written = new Set<string>()
  const global = new Set<string>()
  for (const node of topology.nodes) {
    if (node.kind === 'source') {
      read.add(node.topic)
      if (node.onDeserializationError.policy === 'dead-letter') written.add(node.onDeserializationError.topic)
    } else if (node.kind === 'pattern-source') {
      if (node.onDeserializationError.policy === 'dead-letter') written.add(node.onDeserializationError.topic)
    } else if (node.kind === 'sink') written.add(node.topic)
    else if (node.kind === 'global-table') global.add(node.topic)
  }
  return { read: [...read], written: [...written], global: [...global] }
}

/**
 * That no topic of the user's is one of the application's own: its records would be taken for state, and deleted with it.
 * @throws StreamError INVALID_TOPOLOGY
 */
export function checkTopicNames({ nodes }: Topology, app: string): void {
  for (const node of nodes) {
    const topic = namedBy(node).find((topic) => isInternal(app, topic))
    if (topic === undefined) continue
    throw new StreamError('INVALID_TOPOLOGY', `${node.name}: the topic ${topic} has a name that ${app} gives its own`, {
      hint: `Rename the topic: ${app}-…-changelog and ${app}-…-repartition are the application's. Or run under another --app-id: it starts from the beginning of its sources, with state of its own.`,
      where: { node: node.name, topic, ...node.where },
    })
  }
}

/** Topics of the user's that a node has by their names. */
function namedBy(node: TopologyNode): readonly string[] {
  switch (node.kind) {
    case 'sink':
    case 'global-table':
      return [node.topic]
    case 'source':
    case 'pattern-source': {
      const own = node.kind === 'source' ? [node.topic] : []
      const { onDeserializationError: letters } = node
      return letters.policy === 'dead-letter' ? [...own, letters.topic] : own
    }
    default:
      return []
  }
}
