/** A topology is a value: defining it draws the graph, checks it and freezes it, and does nothing else. */

import type { Topology } from '../topology/node.ts'
import { StreamsBuilder } from './builder.ts'
import { callSite } from './call-site.ts'
import { Graph } from './graph.ts'
import { invalid, requireFunction, requireName } from './invalid.ts'

/**
 * Defines a topology. Its name is the default application id: consumer group, prefix of internal topics and of the state
 * directory.
 * @example
 * export default defineTopology('word-count', b => {
 *   b.stream(lines)
 *     .flatMapValues(line => line.toLowerCase().split(' '))
 *     .groupBy('by-word', word => word, { key: string, value: string })
 *     .count('word-counts')
 *     .toStream()
 *     .to(counts)
 * })
 * @throws StreamError INVALID_TOPOLOGY with the user's file and line: a missing, illegal or duplicate name, a missing
 * serde, no source.
 */
export function defineTopology(name: string, build: (b: StreamsBuilder) => void): Topology {
  const site = callSite()
  const graph = new Graph(requireName(name, 'topology name', 'defineTopology', site))
  const result: unknown = requireFunction(build, 'second argument', 'defineTopology', site)(new StreamsBuilder(graph))
  if (typeof result === 'object' && result !== null && 'then' in result && typeof result.then === 'function') {
    result.then(undefined, () => undefined)
    throw invalid(
      `the function of the topology ${name} is async`,
      'Fetch what it needs before defineTopology (top-level await works in a topology file).',
      name,
      site,
    )
  }
  return graph.seal(site)
}
