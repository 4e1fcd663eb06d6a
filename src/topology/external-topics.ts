/** The topics that belong to the user: they must exist, and the engine never creates or deletes them. */

import type { Topology } from './node.ts'

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
