/** Tables grouped by another key, and the tables their rows are folded into. */

import type { Storage } from '../common/storage.ts'
import { changeOf } from '../serde/change.ts'
import type { AnySerde } from '../serde/serde.ts'
import { callSite } from './call-site.ts'
import { type Grouping, repartitioned } from './grouping.ts'
import { invalid, requireSync } from './invalid.ts'
import { displayName, type UserFunction } from './stateless.ts'
import { type GivenSerdes, requireRows, requireSerde, type TableState } from './stream-state.ts'

/** `value` is the serde of the group's values; on the topic they travel as changes. */
export interface TableGrouping extends Grouping {
  readonly value: AnySerde
}

/** Every change goes through the repartition topic of that name, which all aggregates of the grouped table share. */
export function groupTableBy(
  table: TableState,
  given: unknown,
  mapper: UserFunction,
  serdes: GivenSerdes | undefined,
): TableGrouping {
  const site = callSite()
  const { graph } = table
  const display = displayName(table, 'groupBy', undefined, site)
  requireSync(mapper, 'mapper', display, site)
  requireRows(table, display, site)
  if (given === undefined) {
    throw invalid(
      `${display} has no name`,
      "Name it: groupBy('by-city', (v, k) => [v.city, v], { key: string, value: json<V>() }).",
      display,
      site,
    )
  }
  const fix = `groupBy('${String(given)}', fn, { key: string, value: json<V>() })`
  const why = 'for its repartition topic'
  const lost = { lostBy: display }
  const key = requireSerde(serdes?.key ?? lost, 'key', why, fix, display, site)
  const value = requireSerde(serdes?.value ?? lost, 'value', why, fix, display, site)
  const node = graph.add({ kind: 'table-group-by', parents: [table.node], mapper, key }, display, site)
  const changes = { graph, node, key, value: changeOf(value), rekeyed: true }
  return { ...repartitioned(changes, given, display, fix, site), value }
}

export interface TableFold {
  readonly initializer?: (() => unknown) | undefined
  readonly aggregator: UserFunction
  readonly subtractor: UserFunction
  /** Serde of the aggregate; without one that of the group's values. */
  readonly value: AnySerde | undefined
  readonly storage: Storage | undefined
}

/** count, reduce and aggregate of a grouped table. */
export function foldTable(
  grouping: TableGrouping,
  method: 'count' | 'reduce' | 'aggregate',
  name: unknown,
  { initializer, aggregator, subtractor, value, storage }: TableFold,
): TableState {
  const site = callSite()
  const { graph, key } = grouping
  const store = graph.claimStore(name, method, site)
  requireSync(aggregator, 'adder', store, site)
  requireSync(subtractor, 'subtractor', store, site)
  if (method === 'aggregate') requireSync(initializer, 'initializer', store, site)
  const fix = `${method}('${store}', ..., { serde: json<V>() })`
  const serde = requireSerde(value ?? grouping.value, 'value', 'for its store', fix, store, site)
  const parents = grouping.inputs(store)
  const spec = graph.storeSpec({ name: store, kind: 'key-value', key, value: serde }, storage)
  const body = { kind: 'table-aggregate', parents, store: spec, aggregator, subtractor } as const
  const node = graph.add({ ...body, ...(initializer && { initializer }) }, store, site)
  return { graph, node, key, value: serde, stores: [spec] }
}
