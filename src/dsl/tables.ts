/** Tables made of streams, and streams joined with them. */

import type { Storage } from '../common/storage.ts'
import type { Duration } from '../common/time.ts'
import type { SourceLocation, StoreSpec } from '../topology/node.ts'
import { isVersioned } from '../topology/versioned.ts'
import { callSite } from './call-site.ts'
import { invalid, requireDuration, requireSync, ttlOf } from './invalid.ts'
import { repartition, requireSerdes } from './repartition.ts'
import { sourceTopicOf } from './source-changelog.ts'
import { displayName, requireSameGraph, type UserFunction } from './stateless.ts'
import { type GivenSerdes, requireRows, type StreamState, type TableState, withSerdes } from './stream-state.ts'

export interface ToTableArguments extends GivenSerdes {
  readonly storage?: Storage | undefined
  readonly history?: Duration | undefined
  readonly ttl?: Duration | undefined
  readonly changelog?: unknown
}

/** The table of a stream's last values; a re-keyed stream goes through a topic named as the store first. */
export function toTable(state: StreamState, name: unknown, options: ToTableArguments | undefined): TableState {
  return materialized(state, name, 'toTable', options, callSite())
}

/** The node and store behind b.table and toTable. */
export function materialized(
  state: StreamState,
  name: unknown,
  method: 'table' | 'toTable',
  options: ToTableArguments | undefined,
  site: SourceLocation | undefined,
): TableState {
  const { graph } = state
  const call = `${graph.nameOf(state.node)}.${method}`
  const store = graph.claimStore(name, call, site)
  const fix = `toTable('${store}', { ... })`
  const given = withSerdes(state, options)
  const { key, value } = requireSerdes(given, 'for its store', call, fix, site)
  const input = state.rekeyed ? repartition(given, store, undefined, call, fix, site) : given
  const kept = keptAs(options, store, call, site)
  const source = sourceTopicOf(state, options?.changelog, { method, kept, store, call, site })
  const spec = graph.storeSpec({ name: store, ...kept, ...source, key, value }, options?.storage)
  return {
    graph,
    node: graph.add({ kind: 'table', parents: [input.node], store: spec }, store, site),
    key,
    value,
    stores: [spec],
  }
}

function keptAs(
  { history, ttl }: ToTableArguments = {},
  store: string,
  call: string,
  site: SourceLocation | undefined,
): Pick<StoreSpec, 'kind' | 'historyMs' | 'ttlMs'> {
  if (history === undefined) return { kind: 'key-value', ...ttlOf(ttl, store, site) }
  if (ttl === undefined) return { kind: 'versioned', historyMs: requireDuration(history, 'history', call, site) }
  throw invalid(
    `${call}: the table ${store} has a history and a ttl`,
    'Give it one of them: of a versioned table the latest version of a row never ends.',
    call,
    site,
  )
}

/** Every update of the table as a record. */
export function toStream(table: TableState, given: unknown): StreamState {
  const { graph, key, value } = table
  const site = callSite()
  const name = displayName(table, 'toStream', given, site)
  const node = graph.add({ kind: 'to-stream', parents: [table.node] }, name, site)
  return { graph, node, key, value, rekeyed: false }
}

/** A table made of another one row by row; it has no store of its own. */
export function derived(
  table: TableState,
  method: 'filter' | 'filterNot' | 'mapValues',
  [first, second]: readonly [string | UserFunction, UserFunction?],
): TableState {
  const site = callSite()
  const { graph } = table
  const [given, fn] = typeof first === 'string' ? [first, second] : [undefined, first]
  const name = displayName(table, method, given, site)
  requireSync(fn, method === 'mapValues' ? 'mapper' : 'predicate', name, site)
  const parents = [table.node]
  if (method === 'mapValues') {
    const node = graph.add({ kind: 'table-map-values', parents, mapper: fn as UserFunction }, name, site)
    return { ...table, node, value: { lostBy: name } }
  }
  // What a row was before says whether it was there.
  requireRows(table, name, site)
  const body = { kind: 'table-filter', parents, predicate: fn as UserFunction, negate: method === 'filterNot' } as const
  return { ...table, node: graph.add(body, name, site) }
}

export interface JoinArguments extends GivenSerdes {
  readonly name?: string | undefined
  readonly grace?: Duration | undefined
}

/** Looks each record's key up in the table. A re-keyed stream goes through a topic first, which the join's name names. */
export function joinTable(
  state: StreamState,
  table: TableState,
  left: boolean,
  joiner: UserFunction,
  options: JoinArguments | undefined,
): StreamState {
  const site = callSite()
  const { graph } = state
  const method = left ? 'leftJoin' : 'join'
  const call = options?.name ?? `${graph.nameOf(state.node)}.${method}`
  requireSameGraph(state, table, call, site)
  requireSync(joiner, 'joiner', call, site)
  requireKeyed(table, 'joined', call, site)
  if (state.rekeyed && options?.name === undefined) {
    throw invalid(
      `${call} joins a stream whose key was changed, so it needs a repartition topic, and that needs a name`,
      `Name the join: ${method}(table, joiner, { name: 'enriched' }). The name becomes part of the topic's name, so keep it stable.`,
      call,
      site,
    )
  }
  const fix = `${method}(table, joiner, { name: '${options?.name}', ... })`
  const input = state.rekeyed ? repartition(state, options?.name, options, call, fix, site) : withSerdes(state, options)
  const waits = options?.grace === undefined ? {} : { buffer: bufferOf(input, table, method, options, call, site) }
  const name = displayName(state, method, options?.name, site)
  const parents = [input.node, table.node]
  const body = { kind: 'stream-table-join', parents, stores: storeNames(table), left, joiner, ...waits } as const
  const node = graph.add(body, name, site)
  return { graph, node, key: input.key, value: { lostBy: name }, rekeyed: false }
}

/** What is looked up by a key alone: any table but a windowed one, of a versioned table the latest version, or that of a time. */
export function requireKeyed(
  table: TableState,
  what: 'joined' | 'read',
  node: string,
  site: SourceLocation | undefined,
): void {
  requireRows(table, node, site)
  const windowed = table.stores.find(({ kind }) => kind !== 'key-value' && kind !== 'versioned')
  if (windowed === undefined) return
  throw invalid(
    `${node}: the windowed table ${windowed.name} cannot be ${what}, as its rows are found by key and window`,
    'Turn it into a keyed table first: table.toStream().map(...).toTable(name, serdes).',
    node,
    site,
  )
}

/** The store `<name>-buffer`, where records wait for late updates of a versioned table. */
function bufferOf(
  input: StreamState,
  table: TableState,
  method: string,
  { name, grace }: JoinArguments,
  call: string,
  site: SourceLocation | undefined,
): StoreSpec & { readonly graceMs: number } {
  const graceMs = requireDuration(grace, 'grace', call, site)
  const [store] = table.stores
  if (store === undefined || !isVersioned(table.graph.nodes, table.node)) {
    throw invalid(
      `${call}: a join waits for late updates of versioned tables only, and this one knows no more than its last updates`,
      "Give the table a history of at least the grace: { history: '1h' }. Or leave the grace out.",
      call,
      site,
    )
  }
  if (graceMs > (store.historyMs ?? 0)) {
    throw invalid(
      `${call}: the grace of ${graceMs} ms is longer than the history of ${store.historyMs} ms of the table ${store.name}`,
      'What the table held then would be forgotten when the records look it up: give it a longer history.',
      call,
      site,
    )
  }
  if (name === undefined) {
    throw invalid(
      `${call} keeps records back in a store, and that needs a name`,
      `Name the join: ${method}(table, joiner, { name: 'enriched', grace: '10s' }). The name becomes part of the store's name, so keep it stable.`,
      call,
      site,
    )
  }
  const buffer = input.graph.claimStore(`${name}-buffer`, call, site)
  const fix = `${method}(table, joiner, { name: '${name}', ... })`
  const { key, value } = requireSerdes(input, 'for its store', call, fix, site)
  const spec = { name: buffer, kind: 'join', key, value, retentionMs: graceMs + 1 } as const
  return { ...input.graph.storeSpec(spec, undefined), graceMs }
}

export type TableJoin = 'join' | 'leftJoin' | 'outerJoin'

/** Both tables drive; the result has no store of its own. */
export function joinTables(
  left: TableState,
  right: TableState,
  method: TableJoin,
  joiner: UserFunction,
  options: { readonly name?: string | undefined } | undefined,
): TableState {
  const site = callSite()
  const { graph } = left
  const name = displayName(left, method, options?.name, site)
  requireSameGraph(left, right, name, site)
  requireRows(left, name, site)
  requireRows(right, name, site)
  requireSync(joiner, 'joiner', name, site)
  const node = graph.add(
    {
      kind: 'table-table-join',
      parents: [left.node, right.node],
      stores: [...new Set([...storeNames(left), ...storeNames(right)])],
      left: method !== 'join',
      right: method === 'outerJoin',
      joiner,
    },
    name,
    site,
  )
  const stores = [...new Set([...left.stores, ...right.stores])]
  return { graph, node, key: left.key, value: { lostBy: name }, stores }
}

function storeNames({ stores }: TableState): readonly string[] {
  return stores.map(({ name }) => name)
}
