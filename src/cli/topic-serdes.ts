/** The serdes that a topology uses for a topic, wherever it names it. */

import type { Topology } from '../topology/node.ts'
import { topicOf } from '../topology/upstream.ts'
import { UsageError } from './errors.ts'
import type { Serdes } from './records.ts'

const readKinds: readonly string[] = ['source', 'pattern-source', 'global-table']

/** @throws UsageError naming the topics that there are. */
export function mustKnow(topology: Topology, topic: string, kind: 'source' | 'sink' | 'topic'): Serdes {
  const kinds = kind === 'sink' ? ['sink'] : kind === 'source' ? readKinds : [...readKinds, 'sink']
  const known = topology.nodes.filter((node) => kinds.includes(node.kind))
  for (const node of known) if ('topic' in node && 'key' in node && node.topic === topic) return node
  for (const node of known) if (node.kind === 'pattern-source' && node.pattern.test(topic)) return node
  const names = [...new Set(known.flatMap((node) => topicOf(node) ?? []))]
  const verb = kind === 'source' ? 'read' : kind === 'sink' ? 'write' : 'know'
  throw new UsageError(
    `the topology ${topology.name} does not ${verb} the topic ${JSON.stringify(topic)}`,
    names.length === 0 ? 'It names none.' : `It ${verb}s ${names.join(', ')}.`,
  )
}
