/** Tables that have no changelog of their own, as their topic is one: where that can be, and where it is refused. */

import type { SourceLocation, SourceNode, StoreSpec } from '../topology/node.ts'
import { invalid, placesOf } from './invalid.ts'
import type { StreamState } from './stream-state.ts'

interface Materializing {
  readonly method: 'table' | 'toTable'
  readonly kept: Pick<StoreSpec, 'historyMs' | 'ttlMs'>
  readonly store: string
  readonly call: string
  readonly site: SourceLocation | undefined
}

const ownInstead = "Or leave changelog: 'source' out: the table has a changelog of its own then."

/**
 * What a table's store says of its changelog: the topic it is made of, or nothing.
 * @throws StreamError INVALID_TOPOLOGY where reading the topic again could give other rows than processing it did.
 */
export function sourceTopicOf(
  { graph, node }: StreamState,
  given: unknown,
  { method, kept, store, call, site }: Materializing,
): Pick<StoreSpec, 'sourceTopic'> {
  if (given === undefined || given === 'own') return {}
  const refused = (why: string, hint: string) => invalid(`${call}: ${why}`, hint, call, site)
  if (given !== 'source') {
    throw refused(`changelog is ${JSON.stringify(given)}`, "Give 'own', the default, or 'source'.")
  }
  if (method === 'toTable') {
    throw refused(
      `changelog is 'source', and the table ${store} is made of a stream: no topic holds its rows`,
      "Leave it out. Only a table that is read from a topic has that for its changelog: b.table(topic, { store, changelog: 'source' }).",
    )
  }
  if (kept.historyMs !== undefined || kept.ttlMs !== undefined) {
    const what = kept.historyMs === undefined ? 'ttl' : 'history'
    const lacks = what === 'ttl' ? 'does not say which rows have ended' : 'keeps no more than last values'
    throw refused(
      `the table ${store} has a ${what}, and its changelog would be its topic, which ${lacks}`,
      `Leave the ${what} out. ${ownInstead}`,
    )
  }
  const { topic, onInvalidTimestamp } = graph.nodes[node] as SourceNode
  if (onInvalidTimestamp === 'partition-time' || onInvalidTimestamp === 'wall-clock') {
    throw refused(
      `onInvalidTimestamp is '${onInvalidTimestamp}', which gives a record another time when ${topic} is read again, as the changelog of the table ${store}`,
      `Give 'fail' or 'skip'. ${ownInstead}`,
    )
  }
  const other = graph.nodes.find((one) => one.kind === 'table' && one.store.sourceTopic === topic)
  if (other !== undefined) {
    throw refused(
      `the topic ${topic} is to be the changelog of two tables, ${other.name} and ${store}: ${placesOf(other.where, site)}`,
      `Use the first table in both places: what is derived from it by filter or mapValues takes no store. ${ownInstead}`,
    )
  }
  return { sourceTopic: topic }
}
