/** Streams grouped by key, and the tables they are folded into. A grouped stream that needs a topic gets it at its first aggregate. */

import {
  type SessionWindows,
  type SlidingWindows,
  sessionRetentionMs,
  slidingStretches,
  type TimeWindows,
  windowRetentionMs,
} from '../common/windows.ts'
import { int64 } from '../serde/int64.ts'
import type { AnySerde } from '../serde/serde.ts'
import { sessionWindowed } from '../serde/session-windowed.ts'
import { windowed } from '../serde/windowed.ts'
import type { SourceLocation, StoreSpec } from '../topology/node.ts'
import { callSite } from './call-site.ts'
import { type Graph, storeSpec } from './graph.ts'
import { invalid, requireFunction } from './invalid.ts'
import { repartition, requireSerdes } from './repartition.ts'
import { displayName, type UserFunction } from './stateless.ts'
import {
  type GivenSerdes,
  type KnownSerde,
  requireSerde,
  type StreamState,
  type TableState,
  withSerdes,
} from './stream-state.ts'

export type Storage = 'disk' | 'memory'

export interface Grouping {
  readonly graph: Graph
  readonly key: AnySerde
  readonly value: KnownSerde
  /** The stream that an aggregate with this store reads, repartitioned if the key may have changed. */
  readonly input: (store: string) => StreamState
}

/**
 * groupByKey: a topic is needed only when the key may have changed. It has the given name and is shared; without one,
 * each aggregate makes its own, named as its store (Kafka Streams: GroupedStreamAggregateBuilder).
 */
export function groupByKey(
  state: StreamState,
  options: (GivenSerdes & { readonly name?: string | undefined }) | undefined,
): Grouping {
  const site = callSite()
  const call = `${state.graph.nameOf(state.node)}.groupByKey`
  const fitted = withSerdes(state, options)
  if (!state.rekeyed) {
    const key = requireSerde(fitted.key, 'key', 'for a store', 'groupByKey({ key: string })', call, site)
    return { graph: state.graph, key, value: fitted.value, input: () => fitted }
  }
  return repartitioned(fitted, options?.name, call, 'groupByKey({ ... })', site)
}

/** groupBy: a new key, then a topic shared by all aggregates of the grouped stream. */
export function groupBy(state: StreamState, name: unknown, selector: UserFunction, given: GivenSerdes): Grouping {
  const site = callSite()
  const { graph } = state
  const display = displayName(state, 'groupBy', undefined, site)
  requireFunction(selector, 'key selector', display, site)
  const node = graph.add({ kind: 'select-key', parents: [state.node], mapper: selector }, display, site)
  const keyed = withSerdes({ ...state, node, key: { lostBy: display }, rekeyed: true }, given)
  if (name === undefined) {
    throw invalid(
      `${display} has no name`,
      "Name it: groupBy('by-customer', v => v.customer, { key: string }).",
      display,
      site,
    )
  }
  return repartitioned(keyed, name, display, `groupBy('${String(name)}', fn, { key: string, ... })`, site)
}

export function repartitioned(
  state: StreamState,
  name: unknown,
  call: string,
  fix: string,
  site: SourceLocation | undefined,
): Grouping {
  const { graph } = state
  const { key, value } = requireSerdes(state, 'for its repartition topic', call, fix, site)
  const through = (base: unknown): StreamState => repartition(state, base, undefined, call, fix, site)
  let shared: StreamState | undefined
  const input = (store: string): StreamState => {
    if (name === undefined) return through(store)
    shared ??= through(name)
    return shared
  }
  return { graph, key, value, input }
}

export interface Fold {
  readonly initializer?: (() => unknown) | undefined
  readonly aggregator: UserFunction
  /** Of two sessions that become one. */
  readonly merger: UserFunction | undefined
  /** Serde of the aggregate; without one the grouped stream's value serde. */
  readonly value: AnySerde | undefined
  readonly storage: Storage | undefined
  readonly ignoresValue?: true
}

export const counting: Pick<Fold, 'initializer' | 'aggregator' | 'merger' | 'ignoresValue'> = {
  initializer: () => 0n,
  aggregator: (count) => count + 1n,
  merger: (count, other) => count + other,
  ignoresValue: true,
}

export const countSerde: AnySerde = int64

/** count, reduce and aggregate, windowed or not. */
export function fold(
  grouping: Grouping,
  windows: TimeWindows | SlidingWindows | SessionWindows | undefined,
  method: 'count' | 'reduce' | 'aggregate',
  name: unknown,
  { initializer, aggregator, merger, value, storage, ignoresValue }: Fold,
): TableState {
  const site = callSite()
  const { graph, key } = grouping
  const store = graph.claimStore(name, method, site)
  requireFunction(aggregator, 'aggregator', store, site)
  if (method === 'aggregate') requireFunction(initializer, 'initializer', store, site)
  if (windows?.kind === 'session') requireFunction(merger, 'merger', store, site)
  const serde = requireSerde(
    value ?? grouping.value,
    'value',
    'for its store',
    `${method}('${store}', ..., { serde: json<V>() })`,
    store,
    site,
  )
  const parents = [grouping.input(store).node]
  const more = { ...(initializer && { initializer }), ...(ignoresValue && { ignoresValue }) }
  if (windows === undefined) {
    const spec = storeSpec({ name: store, kind: 'key-value', key, value: serde }, storage)
    const node = graph.add({ kind: 'aggregate', parents, store: spec, aggregator, ...more }, store, site)
    return { graph, node, key, value: serde, stores: [spec] }
  }
  if (windows.kind === 'session') {
    const retentionMs = sessionRetentionMs(windows)
    const spec = storeSpec({ name: store, kind: 'session', key, value: serde, session: windows, retentionMs }, storage)
    const sessionStore = spec as StoreSpec & { readonly session: SessionWindows }
    const body = { kind: 'session-aggregate', parents, store: sessionStore, aggregator, ...more } as const
    const node = graph.add({ ...body, merger: merger as UserFunction }, store, site)
    return { graph, node, key: sessionWindowed(key), value: serde, stores: [spec] }
  }
  if (windows.kind === 'sliding') {
    const retentionMs = windowRetentionMs(slidingStretches(windows))
    const spec = storeSpec({ name: store, kind: 'sliding', key, value: serde, sliding: windows, retentionMs }, storage)
    const slidingStore = spec as StoreSpec & { readonly sliding: SlidingWindows }
    const body = { kind: 'sliding-aggregate', parents, store: slidingStore, aggregator, ...more } as const
    const node = graph.add(body, store, site)
    return { graph, node, key: windowed(key, windows.timeDifferenceMs), value: serde, stores: [spec] }
  }
  const retentionMs = windowRetentionMs(windows)
  const spec = storeSpec({ name: store, kind: 'window', key, value: serde, windows, retentionMs }, storage)
  const windowStore = spec as StoreSpec & { readonly windows: TimeWindows }
  const node = graph.add({ kind: 'window-aggregate', parents, store: windowStore, aggregator, ...more }, store, site)
  return { graph, node, key: windowed(key, windows.sizeMs), value: serde, stores: [spec] }
}

/** @throws StreamError INVALID_TOPOLOGY when it is no window definition. */
export function requireWindows<W extends TimeWindows | SlidingWindows | SessionWindows>(windows: W): W {
  if (windows?.kind === 'time' || windows?.kind === 'sliding' || windows?.kind === 'session') return windows
  throw invalid(
    'windowedBy was not given windows',
    "Write windowedBy(Windows.tumbling('1h', { grace: '5m' })).",
    'windowedBy',
    callSite(),
  )
}
