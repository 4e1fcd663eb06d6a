/** Processors written by the user: their stores, the tables they read, their punctuators, checked and named. */

import { messageOf } from '../common/errors.ts'
import { type Duration, durationMs } from '../common/time.ts'
import type { ProcessNode, Punctuator, SourceLocation, StoreSpec } from '../topology/node.ts'
import { callSite } from './call-site.ts'
import type { Graph } from './graph.ts'
import { invalid, requireFunction, requireName, ttlOf } from './invalid.ts'
import { displayName, requireSameGraph, type UserFunction } from './stateless.ts'
import type { AnyStoreDefinition } from './store.ts'
import { type GivenSerdes, requireSerde, type StreamState, type TableState } from './stream-state.ts'
import { requireKeyed } from './tables.ts'

export interface SurroundingsArguments {
  readonly stores: Readonly<Record<string, AnyStoreDefinition>> | undefined
  readonly tables: Readonly<Record<string, TableState>>
  readonly punctuators: readonly PunctuatorArguments[] | undefined
}

export interface ProcessArguments extends SurroundingsArguments {
  readonly out: GivenSerdes | undefined
  readonly on: unknown
}

interface PunctuatorArguments {
  readonly type: unknown
  readonly every: unknown
  readonly punctuate: unknown
}

/** With `fixedKey` the records keep their key, and so their partition. */
export function process(state: StreamState, given: unknown, options: ProcessArguments, fixedKey: boolean): StreamState {
  const site = callSite()
  const { graph } = state
  const { out, on } = options
  const method = fixedKey ? 'processValues' : 'process'
  const call = `${graph.nameOf(state.node)}.${method}`
  const name = displayName(state, method, requireName(given, 'name', call, site), site)
  requireFunction(on, '`on`', name, site)
  const node = graph.add(
    {
      kind: 'process',
      ...surroundings(state, options, name, site),
      fixedKey,
      on: on as UserFunction,
    },
    name,
    site,
  )
  const fix = fixedKey ? 'out: { value: json<V>() }' : 'out: { key: string, value: json<V>() }'
  const serde = (part: 'key' | 'value') =>
    out === undefined
      ? { lostBy: name }
      : requireSerde(out[part] ?? { lostBy: name }, part, 'of what it forwards', fix, name, site)
  return {
    graph,
    node,
    key: fixedKey ? state.key : serde('key'),
    value: serde('value'),
    rekeyed: fixedKey ? state.rekeyed : true,
  }
}

/** What a function of the user's has around it; the tables it reads are parents of its node too. */
export function surroundings(
  state: StreamState | TableState,
  { stores, tables, punctuators }: SurroundingsArguments,
  name: string,
  site: SourceLocation | undefined,
): Pick<ProcessNode, 'parents' | 'stores' | 'tables' | 'punctuators'> {
  for (const table of Object.values(tables)) {
    requireSameGraph(state, table, name, site)
    requireKeyed(table, 'read', name, site)
  }
  return {
    parents: [state.node, ...Object.values(tables).map((table) => table.node)],
    stores: storesOf(state.graph, name, stores ?? {}, site),
    tables: Object.freeze(
      Object.fromEntries(
        Object.entries(tables).map(([key, { node, stores }]) => [
          key,
          { node, stores: stores.map((store) => store.name) },
        ]),
      ),
    ),
    punctuators: Object.freeze((punctuators ?? []).map((one) => punctuator(one, name, site))),
  }
}

/** A store is `<processor>-<key>`, or has a name of its own, by which processors share it. */
function storesOf(
  graph: Graph,
  node: string,
  stores: Readonly<Record<string, AnyStoreDefinition>>,
  site: SourceLocation | undefined,
): Readonly<Record<string, StoreSpec>> {
  return Object.freeze(
    Object.fromEntries(
      Object.entries(stores).map(([key, definition]) => {
        if (definition?.kind !== 'store') {
          const fix = 'Write stores: { tries: store({ key: string, value: json<number>() }) }.'
          throw invalid(`${node}: what is given as the store ${key} is none`, fix, node, site)
        }
        const make = () => {
          const name = graph.claimStore(definition.name ?? `${node}-${key}`, node, site)
          const fix = 'store({ key: string, value: json<V>() })'
          const serde = (part: 'key' | 'value') =>
            requireSerde(definition[part] ?? { lostBy: node }, part, `for the store ${key}`, fix, node, site)
          const ends = ttlOf(definition.ttl, name, site)
          const spec = { name, kind: 'key-value', key: serde('key'), value: serde('value'), ...ends } as const
          return graph.storeSpec(spec, definition.storage)
        }
        return [key, definition.name === undefined ? make() : graph.shared(definition, make)]
      }),
    ),
  )
}

function punctuator(
  given: PunctuatorArguments | undefined,
  node: string,
  site: SourceLocation | undefined,
): Punctuator {
  const { type, every, punctuate } = given ?? {}
  if (type !== 'stream-time' && type !== 'wall-clock-time') {
    const what = `${node}: a punctuator is of the type ${JSON.stringify(type)}`
    throw invalid(what, "Give type 'stream-time' or 'wall-clock-time'.", node, site)
  }
  requireFunction(punctuate, '`punctuate` of a punctuator', node, site)
  const everyMs = intervalMs(every, node, site)
  return Object.freeze({ type, everyMs, punctuate: punctuate as UserFunction })
}

function intervalMs(given: unknown, node: string, site: SourceLocation | undefined): number {
  const fix = "Give a time above 0, in ms or with a unit: every: '10s'."
  let ms: number
  try {
    ms = durationMs(given as Duration, 'every')
  } catch (thrown) {
    throw invalid(`${node}: ${messageOf(thrown)}`, fix, node, site)
  }
  if (ms === 0) throw invalid(`${node}: a punctuator is to come every 0 ms`, fix, node, site)
  return ms
}
