/**
 * From the logical graph to closures: the only file that knows both. A sub-topology is built backwards, each processor
 * holding the next, so that a record travels by plain calls.
 */

import type { Output } from '../broker/port.ts'
import { deserializeWith } from '../common/bytes.ts'
import { StreamError } from '../common/errors.ts'
import type { Windowed } from '../common/windows.ts'
import { aggregate } from '../operators/aggregate.ts'
import { fanOut, fanOutUpdates } from '../operators/fan-out.ts'
import { filter } from '../operators/filter.ts'
import { flatMap } from '../operators/flat-map.ts'
import { flatMapValues } from '../operators/flat-map-values.ts'
import { foreach } from '../operators/foreach.ts'
import { map } from '../operators/map.ts'
import { mapValues } from '../operators/map-values.ts'
import { peek } from '../operators/peek.ts'
import type { CurrentRecord, Process, ProcessorContext, Update, View } from '../operators/processor.ts'
import { selectKey } from '../operators/select-key.ts'
import { sessionAggregate } from '../operators/session-aggregate.ts'
import { sink } from '../operators/sink.ts'
import { split } from '../operators/split.ts'
import { streamTableJoin } from '../operators/stream-table-join.ts'
import { table } from '../operators/table.ts'
import { filteredView, tableFilter } from '../operators/table-filter.ts'
import { mappedView, tableMapValues } from '../operators/table-map-values.ts'
import { toStream } from '../operators/to-stream.ts'
import { windowAggregate } from '../operators/window-aggregate.ts'
import type { AnySerde } from '../serde/serde.ts'
import type { KeyValueStore, SessionStore, WindowStore } from '../state/store.ts'
import type {
  NodeId,
  RepartitionNode,
  SinkNode,
  SourceNode,
  SubTopology,
  Topology,
  TopologyNode,
} from '../topology/node.ts'
import type { Counters } from './counters.ts'
import { topicOfNode } from './plan.ts'

/** What the closures are wired to: a task's stores and the producer's outputs. */
export interface Wiring {
  readonly appId: string
  /** Of the task. */
  readonly partition: number
  readonly counters: Counters
  readonly store: (name: string) => unknown
  readonly output: (topic: string) => Output
  readonly partitions: (topic: string) => number
  /** Of the task. */
  readonly current: CurrentRecord
}

/** Where records of one topic enter. */
export interface CompiledSource {
  readonly node: SourceNode | RepartitionNode
  readonly topic: string
  readonly key: AnySerde
  /** `unread` where nobody looks at the value. */
  readonly value: AnySerde
  readonly process: Process
}

/** Stands for a value that nobody looks at; a null one is still null. */
const unread: AnySerde = Object.freeze({
  format: 'unread',
  primitive: false,
  serialize: () => {
    throw new StreamError('INTERNAL', 'a value that was not read was to be written')
  },
  deserialize: deserializeWith(() => true),
})

/** One entry per topic that the sub-topology reads. */
export function compile(topology: Topology, sub: SubTopology, wiring: Wiring): readonly CompiledSource[] {
  const processes = new Map<NodeId, Process>()
  const processOf = (node: TopologyNode): Process => {
    const known = processes.get(node.id)
    if (known !== undefined) return known
    const process = build(node)
    processes.set(node.id, process)
    return process
  }
  /** Children that a node's records, or updates, go to; a stream-table join is not driven by its table. */
  const children = (id: NodeId): readonly TopologyNode[] =>
    sub.nodes
      .map((child) => topology.nodes[child] as TopologyNode)
      .filter((node) => (node.kind === 'stream-table-join' ? node.parents[0] === id : node.parents.includes(id)))
  const next = (id: NodeId): Process => fanOut(children(id).map(processOf))
  const updates = (id: NodeId): Update => fanOutUpdates(children(id).map(buildUpdate))
  const contextOf = (node: TopologyNode) => processorContext(node, wiring.counters)
  /** Whether somebody downstream looks at the old values of a table's updates. */
  const sendsOld = (id: NodeId): boolean =>
    children(id).some((node) => asksForOld(node) || (passesOldOn(node) && sendsOld(node.id)))

  /** What takes the records of a stream. */
  const build = (node: TopologyNode): Process => {
    const ctx = contextOf(node)
    switch (node.kind) {
      case 'filter':
        return filter(node, ctx, next(node.id))
      case 'map':
        return map(node, ctx, next(node.id))
      case 'map-values':
        return mapValues(node, ctx, next(node.id))
      case 'flat-map':
        return flatMap(node, ctx, next(node.id))
      case 'flat-map-values':
        return flatMapValues(node, ctx, next(node.id))
      case 'select-key':
        return selectKey(node, ctx, next(node.id))
      case 'peek':
        return peek(node, ctx, next(node.id))
      case 'foreach':
        return foreach(node, ctx)
      case 'merge':
        return next(node.id)
      case 'split':
        return split(node, ctx, branches(node.id, node.predicates.length))
      case 'branch':
        return counted(ctx, next(node.id))
      case 'table':
        return table({ store: keyValue(node.store.name), sendsOld: sendsOld(node.id) }, ctx, updates(node.id))
      case 'aggregate':
        return aggregate({ ...node, store: keyValue(node.store.name) }, ctx, updates(node.id))
      case 'window-aggregate':
        return windowAggregate(
          { ...node, store: windowed(node.store.name), windows: node.store.windows },
          ctx,
          updates(node.id),
        )
      case 'session-aggregate':
        return sessionAggregate(
          { ...node, store: sessions(node.store.name), windows: node.store.session },
          ctx,
          updates(node.id),
        )
      case 'stream-table-join':
        return streamTableJoin({ ...node, view: view(node.parents[1] as NodeId) }, ctx, next(node.id))
      case 'sink':
        return sinkOf(node, ctx, wiring)
      case 'repartition':
        return sinkOf(node, ctx, wiring, keepsValue(topology, node, node.value) ? wiring.current : undefined)
      default:
        throw new StreamError('INTERNAL', `${node.kind} ${node.name} takes no stream`)
    }
  }

  /** What takes the updates of a table. */
  const buildUpdate = (node: TopologyNode): Update => {
    const ctx = contextOf(node)
    switch (node.kind) {
      case 'table-filter':
        return tableFilter(node, ctx, updates(node.id))
      case 'table-map-values':
        return tableMapValues({ ...node, sendsOld: sendsOld(node.id) }, ctx, updates(node.id))
      case 'to-stream':
        return toStream(next(node.id))
      default:
        throw new StreamError('INTERNAL', `${node.kind} ${node.name} takes no table`)
    }
  }

  /** A table as joins look at it: its store, or the store it is derived from. */
  const view = (id: NodeId): View => {
    const node = topology.nodes[id] as TopologyNode
    const parent = () => view(node.parents[0] as NodeId)
    switch (node.kind) {
      case 'table':
      case 'aggregate': {
        const store = keyValue(node.store.name)
        return (key) => store.get(key)
      }
      case 'window-aggregate': {
        const store = windowed(node.store.name)
        return ({ key, start }: Windowed<unknown>) => store.get(key, start)
      }
      case 'table-filter':
        return filteredView(node, contextOf(node), parent())
      case 'table-map-values':
        return mappedView(node, contextOf(node), parent())
      default:
        throw new StreamError('INTERNAL', `${node.kind} ${node.name} is no table`)
    }
  }

  const keyValue = (name: string) => wiring.store(name) as KeyValueStore<unknown, unknown>
  const windowed = (name: string) => wiring.store(name) as WindowStore<unknown, unknown>
  const sessions = (name: string) => wiring.store(name) as SessionStore<unknown, unknown>
  const branches = (id: NodeId, count: number): readonly (Process | undefined)[] => {
    const nodes = children(id)
    return Array.from({ length: count }, (_, index) => {
      const branch = nodes.filter((node) => node.kind === 'branch' && node.index === index)
      return branch.length === 0 ? undefined : fanOut(branch.map(processOf))
    })
  }
  return sub.sources.map((id) => {
    const node = topology.nodes[id] as SourceNode | RepartitionNode
    const topic = topicOfNode(wiring.appId, node) as string
    // Of a repartition topic only: a value of somebody else's may be damaged, and that must show.
    const value = node.kind === 'repartition' && children(id).every(ignoresValue) ? unread : node.value
    return { node, topic, key: node.key, value, process: next(id) }
  })
}

/** Old values are looked up only for these, and for what stands between. */
function asksForOld(node: TopologyNode): boolean {
  return node.kind === 'table-filter'
}

function passesOldOn(node: TopologyNode): boolean {
  return node.kind === 'table-map-values'
}

function ignoresValue(node: TopologyNode): boolean {
  switch (node.kind) {
    case 'aggregate':
    case 'window-aggregate':
    case 'session-aggregate':
      return node.ignoresValue === true
    default:
      return false
  }
}

/**
 * Whether every value that reaches `node` is one that a source has read with `serde`, so that its bytes can be passed on. Only
 * past operators that give values through: a mapper that changes a value in place, which it must not, would be found out late.
 */
function keepsValue(topology: Topology, node: TopologyNode, serde: AnySerde): boolean {
  return node.parents.every((id) => {
    const parent = topology.nodes[id] as TopologyNode
    if (parent.kind === 'source' || parent.kind === 'repartition') return parent.value === serde
    return givesThrough.has(parent.kind) && keepsValue(topology, parent, serde)
  })
}

const givesThrough: ReadonlySet<TopologyNode['kind']> = new Set([
  'filter',
  'select-key',
  'peek',
  'merge',
  'split',
  'branch',
])

function processorContext(node: TopologyNode, counters: Counters): ProcessorContext {
  const { dropped } = counters
  return {
    node: node.name,
    forwarded: counters.nodes[node.id] ?? { count: 0 },
    drop: (reason) => {
      dropped.set(reason, (dropped.get(reason) ?? 0) + 1)
    },
  }
}

function counted(ctx: ProcessorContext, next: Process): Process {
  const { forwarded } = ctx
  return (key, value, timestamp, headers) => {
    forwarded.count++
    next(key, value, timestamp, headers)
  }
}

function sinkOf(
  node: SinkNode | RepartitionNode,
  ctx: ProcessorContext,
  wiring: Wiring,
  unchanged?: CurrentRecord,
): Process {
  const topic = topicOfNode(wiring.appId, node) as string
  return sink(
    {
      topic,
      key: node.key,
      value: node.value,
      partitions: wiring.partitions(topic),
      output: wiring.output(topic),
      firstPartition: wiring.partition,
      unchanged,
    },
    ctx,
  )
}
