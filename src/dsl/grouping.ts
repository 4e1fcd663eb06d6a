/** Streams grouped by key, and the tables they are folded into. A grouped stream that needs a topic gets it at its first aggregate. */

import type { StreamError } from '../common/errors.ts'
import type { Storage } from '../common/storage.ts'
import type { Duration } from '../common/time.ts'
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
import type { TopicDefinition } from '../serde/topic.ts'
import { windowed } from '../serde/windowed.ts'
import { sourceAbove } from '../topology/loops.ts'
import type { NodeId, SourceLocation, StoreSpec, WindowAggregateNode } from '../topology/node.ts'
import { callSite } from './call-site.ts'
import type { Graph } from './graph.ts'
import { invalid, requireSync, ttlOf } from './invalid.ts'
import { repartition, requireSerdes } from './repartition.ts'
import { requireTopic } from './sinks.ts'
import { displayName, type UserFunction } from './stateless.ts'
import {
  type GivenSerdes,
  type KnownSerde,
  requireSerde,
  type StreamState,
  type TableState,
  withSerdes,
} from './stream-state.ts'

export interface Grouping {
  readonly graph: Graph
  readonly key: AnySerde
  readonly value: KnownSerde
  /** The nodes that an aggregate with this store reads: its stream, repartitioned if the key may have changed. */
  readonly inputs: (store: string) => readonly NodeId[]
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
    return { graph: state.graph, key, value: fitted.value, inputs: () => [fitted.node] }
  }
  return repartitioned(fitted, options?.name, call, 'groupByKey({ ... })', site)
}

/** groupBy: a new key, then a topic shared by all aggregates of the grouped stream. */
export function groupBy(state: StreamState, name: unknown, selector: UserFunction, given: GivenSerdes): Grouping {
  const site = callSite()
  const { graph } = state
  const display = displayName(state, 'groupBy', undefined, site)
  requireSync(selector, 'key selector', display, site)
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
  const inputs = (store: string): readonly NodeId[] => {
    if (name === undefined) return [through(store).node]
    shared ??= through(name)
    return [shared.node]
  }
  return { graph, key, value, inputs }
}

export interface Fold {
  readonly initializer?: (() => unknown) | undefined
  readonly aggregator: UserFunction
  /** Of two sessions that become one. */
  readonly merger: UserFunction | undefined
  /** Serde of the aggregate; without one the grouped stream's value serde. */
  readonly value: AnySerde | undefined
  readonly storage: Storage | undefined
  /** Of an aggregate without windows: how long a row stays after its last record. */
  readonly ttl?: Duration | undefined
  readonly ignoresValue?: true
  /** Of windows: every update, or one when a window closes. Default `updates`. */
  readonly emit?: Emit | undefined
  /** Where records go that come too late for a window. */
  readonly late?: { readonly kind: 'topic'; readonly name: string } | undefined
}

export type Emit = 'updates' | 'final'

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
  windows: AnyWindows | undefined,
  method: 'count' | 'reduce' | 'aggregate',
  name: unknown,
  given: Fold,
): TableState {
  const { initializer, aggregator, merger, value, storage, ttl, ignoresValue, emit, late } = given
  const site = callSite()
  const { graph, key } = grouping
  const store = graph.claimStore(name, method, site)
  requireSync(aggregator, 'aggregator', store, site)
  if (method === 'aggregate') requireSync(initializer, 'initializer', store, site)
  if (windows?.kind === 'session') requireSync(merger, 'merger', store, site)
  checkEmit(emit, windows, store, site)
  if (ttl !== undefined && windows !== undefined) throw endsByItself(store, site)
  const lateTopic = late === undefined ? undefined : requireLate(late, windows, store, site)
  const serde = requireSerde(
    value ?? grouping.value,
    'value',
    'for its store',
    `${method}('${store}', ..., { serde: json<V>() })`,
    store,
    site,
  )
  const parents = grouping.inputs(store)
  if (lateTopic !== undefined) requireAway(lateTopic.name, parents, graph, store, site)
  // A late record is written with its value.
  const ignores = ignoresValue === true && lateTopic === undefined
  const more = {
    parents,
    aggregator,
    ...(initializer && { initializer }),
    ...(ignores && { ignoresValue: true as const }),
  }
  if (windows === undefined) {
    const ends = ttlOf(ttl, store, site)
    const spec = graph.storeSpec({ name: store, kind: 'key-value', key, value: serde, ...ends }, storage)
    const node = graph.add({ kind: 'aggregate', store: spec, ...more }, store, site)
    return { graph, node, key, value: serde, stores: [spec] }
  }
  const shape = { name: store, key, value: serde, ...(emit === 'final' && { closes: true as const }) }
  const table = windowedFold(graph, shape, windows, storage, more, merger, site)
  if (lateTopic !== undefined) {
    const { name: topic, key, value } = lateTopic
    const sink = { kind: 'sink', parents: [table.node], topic, key, value, late: true } as const
    graph.add(sink, graph.pathName(table.node, 'late'), site)
  }
  return table
}

function windowedFold(
  graph: Graph,
  shape: Pick<StoreSpec, 'name' | 'key' | 'value' | 'closes'>,
  windows: AnyWindows,
  storage: Storage | undefined,
  more: Pick<WindowAggregateNode, 'parents' | 'aggregator' | 'initializer' | 'ignoresValue'>,
  merger: UserFunction | undefined,
  site: SourceLocation | undefined,
): TableState {
  const { name, key, value } = shape
  if (windows.kind === 'session') {
    // What is passed on when it closes is kept for as long.
    const retentionMs = sessionRetentionMs(windows) + (shape.closes ? 1 : 0)
    const spec = graph.storeSpec({ ...shape, kind: 'session', session: windows, retentionMs }, storage)
    const store = spec as StoreSpec & { readonly session: SessionWindows }
    const node = graph.add({ kind: 'session-aggregate', store, ...more, merger: merger as UserFunction }, name, site)
    return { graph, node, key: sessionWindowed(key), value, stores: [store] }
  }
  if (windows.kind === 'sliding') {
    const retentionMs = windowRetentionMs(slidingStretches(windows))
    const spec = graph.storeSpec({ ...shape, kind: 'sliding', sliding: windows, retentionMs }, storage)
    const store = spec as StoreSpec & { readonly sliding: SlidingWindows }
    const node = graph.add({ kind: 'sliding-aggregate', store, ...more }, name, site)
    return { graph, node, key: windowed(key, windows.timeDifferenceMs), value, stores: [store] }
  }
  const spec = graph.storeSpec({ ...shape, kind: 'window', windows, retentionMs: windowRetentionMs(windows) }, storage)
  const store = spec as StoreSpec & { readonly windows: TimeWindows }
  const node = graph.add({ kind: 'window-aggregate', store, ...more }, name, site)
  return { graph, node, key: windowed(key, windows.sizeMs), value, stores: [store] }
}

function endsByItself(store: string, site: SourceLocation | undefined): StreamError {
  const fix = 'Leave ttl out: a window is kept until its end + grace.'
  return invalid(`${store}: an aggregate of windows has no ttl`, fix, store, site)
}

function checkEmit(
  emit: unknown,
  windows: AnyWindows | undefined,
  store: string,
  site: SourceLocation | undefined,
): void {
  if (emit === undefined || (windows !== undefined && (emit === 'final' || emit === 'updates'))) return
  throw windows === undefined
    ? invalid(
        `${store}: an aggregate without windows has no final result to emit`,
        "Leave emit out, or cut the stream into windows first: windowedBy(Windows.tumbling('1h', { grace: '5m' })).",
        store,
        site,
      )
    : invalid(
        `${store}: emit is ${JSON.stringify(emit)}`,
        "Give 'updates' for every update, or 'final' for one when a window closes.",
        store,
        site,
      )
}

function requireLate(
  late: { readonly kind: 'topic'; readonly name: string },
  windows: AnyWindows | undefined,
  store: string,
  site: SourceLocation | undefined,
): TopicDefinition<unknown, unknown> {
  if (windows !== undefined) return requireTopic(late, `${store}: late`, site)
  throw invalid(`${store}: no record is late for an aggregate without windows`, 'Leave late out.', store, site)
}

/** Where a late record came from it would come from again, and be late again. */
function requireAway(
  topic: string,
  parents: readonly NodeId[],
  graph: Graph,
  store: string,
  site: SourceLocation | undefined,
): void {
  const source = sourceAbove(graph.nodes, parents, topic)
  if (source === undefined) return
  throw invalid(
    `${store}: its late records go back to ${topic}, and would be late for ever`,
    source.kind === 'source'
      ? `Give them a topic of their own: late: topic('${topic}.late', { … }).`
      : `Give them a topic that the pattern ${source.name} does not match, as it does ${topic}.`,
    store,
    site,
  )
}

type AnyWindows = TimeWindows | SlidingWindows | SessionWindows

/** @throws StreamError INVALID_TOPOLOGY when it is no window definition. */
export function requireWindows<W extends AnyWindows>(windows: W): W {
  if (windows?.kind === 'time' || windows?.kind === 'sliding' || windows?.kind === 'session') return windows
  throw invalid(
    'windowedBy was not given windows',
    "Write windowedBy(Windows.tumbling('1h', { grace: '5m' })).",
    'windowedBy',
    callSite(),
  )
}
