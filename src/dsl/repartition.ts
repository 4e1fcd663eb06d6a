/** Puts a stream through a topic of its own, so that records of one key meet in one partition again. */

import type { NodeId, Partitioner, SourceLocation } from '../topology/node.ts'
import { invalid, requireSync } from './invalid.ts'
import { type GivenSerdes, requireSerde, type StreamState, withSerdes } from './stream-state.ts'

/** More is a slip of the keyboard: each partition is a task, and a log of its own on the broker. */
const mostPartitions = 10_000

export interface RepartitionArguments extends GivenSerdes {
  readonly partitions?: number | undefined
  readonly partitioner?: unknown
}

/**
 * The stream behind a repartition topic.
 * @param fix how the call looks with serdes, where `...` stands for them: `groupByKey({ ... })`.
 */
export function repartition(
  state: StreamState,
  base: unknown,
  given: RepartitionArguments | undefined,
  call: string,
  fix: string,
  site: SourceLocation | undefined,
): StreamState {
  const { graph } = state
  const { key, value } = requireSerdes(withSerdes(state, given), 'for its repartition topic', call, fix, site)
  const { partitions } = given ?? {}
  if (
    partitions !== undefined &&
    !(Number.isSafeInteger(partitions) && partitions > 0 && partitions <= mostPartitions)
  ) {
    throw invalid(
      `${call}: ${partitions} is no number of partitions`,
      `Give a whole number from 1 to ${mostPartitions}.`,
      call,
      site,
    )
  }
  const chosen = givenPartitioner(given?.partitioner, call, site)
  const topic = graph.claimRepartition(base, call, site)
  const fixed = partitions === undefined ? {} : { partitions }
  const node: NodeId = graph.add(
    { kind: 'repartition', parents: [state.node], topic, key, value, ...fixed, ...chosen },
    topic,
    site,
  )
  return { graph, node, key, value, rekeyed: false }
}

/** What a node of a topic has of it. */
export function givenPartitioner(
  partitioner: unknown,
  call: string,
  site: SourceLocation | undefined,
): { readonly partitioner?: Partitioner } {
  if (partitioner === undefined) return {}
  return { partitioner: requireSync(partitioner, 'partitioner', call, site) as Partitioner }
}

/** Both serdes; the error for a missing one shows the call with all that is missing. */
export function requireSerdes(
  state: StreamState,
  why: string,
  call: string,
  fix: string,
  site: SourceLocation | undefined,
): { readonly key: ReturnType<typeof requireSerde>; readonly value: ReturnType<typeof requireSerde> } {
  const missing: string[] = []
  if ('lostBy' in state.key) missing.push('key: string')
  if ('lostBy' in state.value) missing.push('value: json<V>()')
  const filled = fix.replace('...', missing.join(', '))
  return {
    key: requireSerde(state.key, 'key', why, filled, call, site),
    value: requireSerde(state.value, 'value', why, filled, call, site),
  }
}
