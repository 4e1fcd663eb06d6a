/** Streams joined with streams: each side keeps its records for as long as the other one may look for them. */

import type { Storage } from '../common/storage.ts'
import { type JoinWindows, joinReachMs } from '../common/windows.ts'
import type { AnySerde } from '../serde/serde.ts'
import type { SourceLocation, StoreSpec, StreamStreamJoinNode } from '../topology/node.ts'
import { callSite } from './call-site.ts'
import { invalid, requireName, requireSync } from './invalid.ts'
import { repartition } from './repartition.ts'
import { displayName, requireSameGraph, type UserFunction } from './stateless.ts'
import { type GivenSerdes, isLost, requireSerde, type StreamState, withSerdes } from './stream-state.ts'

export interface StreamJoinArguments extends GivenSerdes {
  readonly name?: unknown
  readonly otherValue?: AnySerde | undefined
  readonly storage?: Storage | undefined
  readonly compat?: unknown
}

export type StreamJoinMethod = 'join' | 'leftJoin' | 'outerJoin'

const outerSides: Readonly<Record<StreamJoinMethod, StreamStreamJoinNode['outer']>> = {
  join: 'none',
  leftJoin: 'left',
  outerJoin: 'both',
}

/**
 * Joins two streams of one key. The stores are `<name>-this-join-store` and `<name>-other-join-store`, whichever of the three joins it
 * is; a re-keyed side goes through `<app>-<name>-left-repartition` or `-right-repartition` first.
 */
export function joinStreams(
  left: StreamState,
  right: StreamState,
  method: StreamJoinMethod,
  joiner: UserFunction,
  windows: JoinWindows,
  options: StreamJoinArguments | undefined,
): StreamState {
  const site = callSite()
  const { graph } = left
  const path = `${graph.nameOf(left.node)}.${method}`
  if (options?.name === undefined) {
    throw invalid(
      `${path} joins two streams, so it keeps the records of both in stores, and these need a name`,
      `Name the join: ${method}(other, joiner, windows, { name: 'matched' }). The name becomes part of the names of its stores, so keep it stable.`,
      path,
      site,
    )
  }
  const name = requireName(options.name, 'name of the join', path, site)
  requireSameGraph(left, right, name, site)
  requireSync(joiner, 'joiner', name, site)
  requireJoinWindows(windows, name, method, site)
  const compat = requireCompat(options.compat, name, site)
  const input = { name, method, windows, storage: options.storage, compat, site }
  const { key, value, otherValue } = options
  const one = sideOf(withSerdes(left, { key, value }), 'left', input)
  const other = sideOf(withSerdes(right, { key, value: otherValue }), 'right', input)
  const node = graph.add(
    {
      kind: 'stream-stream-join',
      parents: [one.stream.node, other.stream.node],
      stores: [one.store, other.store],
      windows,
      outer: outerSides[method],
      joiner,
      ...(compat && { compat }),
    },
    displayName(left, method, name, site),
    site,
  )
  return { graph, node, key: one.stream.key, value: { lostBy: name }, rekeyed: false }
}

interface JoinInput {
  readonly name: string
  readonly method: StreamJoinMethod
  readonly windows: JoinWindows
  readonly storage: Storage | undefined
  readonly compat: 'kafka-streams' | undefined
  readonly site: SourceLocation | undefined
}

/** One side: its stream, through a topic if the key may have changed, and the store that keeps its records. */
function sideOf(
  state: StreamState,
  side: 'left' | 'right',
  { name, method, windows, storage, compat, site }: JoinInput,
): { readonly stream: StreamState; readonly store: StoreSpec } {
  const { graph } = state
  const call = `${name}, ${side} side,`
  const given = [
    `name: '${name}'`,
    ...(isLost(state.key) ? ['key: string'] : []),
    ...(isLost(state.value) ? [side === 'left' ? 'value: json<V>()' : 'otherValue: json<V>()'] : []),
  ]
  const fix = `${method}(other, joiner, windows, { ${given.join(', ')} })`
  const key = requireSerde(state.key, 'key', 'for its store', fix, call, site)
  const value = requireSerde(state.value, 'value', 'for its store', fix, call, site)
  const stream = state.rekeyed ? repartition(state, `${name}-${side}`, undefined, call, fix, site) : state
  const store = graph.claimStore(`${name}-${side === 'left' ? 'this' : 'other'}-join-store`, call, site)
  // A row can be matched up to its reach, inclusive.
  const reachMs =
    compat === undefined ? joinReachMs(windows, side) : windows.beforeMs + windows.afterMs + windows.graceMs
  const spec = { name: store, kind: 'join', key, value, join: windows, retentionMs: reachMs + 1 } as const
  return { stream, store: graph.storeSpec({ ...spec, ...(compat && { ownTime: true }) }, storage) }
}

function requireJoinWindows(
  windows: JoinWindows,
  name: string,
  method: StreamJoinMethod,
  site: SourceLocation | undefined,
): void {
  if (windows?.kind === 'join') return
  throw invalid(
    `${name} was not given the windows of a join`,
    `Write ${method}(other, joiner, Windows.join('10m', { grace: '1m' }), { name: '${name}' }).`,
    name,
    site,
  )
}

function requireCompat(given: unknown, name: string, site: SourceLocation | undefined): 'kafka-streams' | undefined {
  if (given === undefined || given === 'kafka-streams') return given
  throw invalid(
    `${name}: there is no compat ${JSON.stringify(given)}`,
    "It is 'kafka-streams', or left out.",
    name,
    site,
  )
}
