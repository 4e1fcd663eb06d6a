/** Global tables, and streams joined with them. */

import type { TopicDefinition } from '../serde/topic.ts'
import type { SourceLocation } from '../topology/node.ts'
import { callSite } from './call-site.ts'
import type { Graph } from './graph.ts'
import { invalid, requireSync } from './invalid.ts'
import { displayName, requireSameGraph, type UserFunction } from './stateless.ts'
import type { GlobalTableState, StreamState } from './stream-state.ts'

/** The node behind b.globalTable. */
export function globalTable(
  graph: Graph,
  { name: topic, key, value }: TopicDefinition<unknown, unknown>,
  options: { readonly store?: unknown; readonly startFrom?: unknown } | undefined,
  site: SourceLocation | undefined,
): GlobalTableState {
  if (options?.startFrom !== undefined && options.startFrom !== 'earliest') {
    const call = `${topic}.globalTable`
    throw invalid(`${call}: a global table is all rows of its topic`, 'Leave startFrom out.', call, site)
  }
  const table = graph.claimStore(options?.store, `${topic}.globalTable`, site)
  graph.claimGlobal(topic, site)
  return { graph, node: graph.add({ kind: 'global-table', parents: [], topic, key, value, table }, table, site), table }
}

export interface GlobalJoinArguments {
  readonly name?: unknown
}

/** Looks each record up under the key that the selector gives. The stream stays as it is partitioned: every engine has all rows. */
export function joinGlobalTable(
  state: StreamState,
  table: GlobalTableState,
  left: boolean,
  selector: UserFunction,
  joiner: UserFunction,
  options: GlobalJoinArguments | undefined,
): StreamState {
  const site = callSite()
  const { graph } = state
  const method = left ? 'leftJoin' : 'join'
  const call = `${graph.nameOf(state.node)}.${method}`
  requireSameGraph(state, table, call, site)
  requireSync(selector, 'key selector', call, site)
  requireSync(joiner, 'joiner', call, site)
  const name = displayName(state, method, options?.name, site)
  const body = { kind: 'stream-global-table-join', globalTable: table.table, left, selector, joiner } as const
  return { ...state, node: graph.add({ ...body, parents: [state.node] }, name, site), value: { lostBy: name } }
}
