/** From the nodes that take the records of a stream to closures. */

import { StreamError } from '../../common/errors.ts'
import type { Passes } from '../../common/passes.ts'
import { aggregate } from '../../operators/aggregate.ts'
import { chooseTopic } from '../../operators/choose-topic.ts'
import { dedupe } from '../../operators/dedupe.ts'
import { expireRows, expireStores } from '../../operators/expire.ts'
import { fanOut } from '../../operators/fan-out.ts'
import { filter } from '../../operators/filter.ts'
import { flatMap } from '../../operators/flat-map.ts'
import { flatMapValues } from '../../operators/flat-map-values.ts'
import { foreach } from '../../operators/foreach.ts'
import { foreignKeySubscribed } from '../../operators/foreign-key-join.ts'
import { foreignKeyResult } from '../../operators/foreign-key-result.ts'
import type { JoinProcesses } from '../../operators/join-sides.ts'
import { kafkaStreamsJoin } from '../../operators/kafka-streams-join.ts'
import { type Late, late } from '../../operators/late.ts'
import { map } from '../../operators/map.ts'
import { mapAsync } from '../../operators/map-async.ts'
import { mapValues } from '../../operators/map-values.ts'
import { peek } from '../../operators/peek.ts'
import { print } from '../../operators/print.ts'
import { process } from '../../operators/process.ts'
import type { CurrentRecord, Process, ProcessorContext } from '../../operators/processor.ts'
import { rateLimit, rateLimitBranches } from '../../operators/rate-limit.ts'
import { selectKey } from '../../operators/select-key.ts'
import { sessionAggregate } from '../../operators/session-aggregate.ts'
import { sink } from '../../operators/sink.ts'
import { slidingAggregate } from '../../operators/sliding-aggregate.ts'
import { split } from '../../operators/split.ts'
import { streamGlobalTableJoin } from '../../operators/stream-global-table-join.ts'
import { streamJoin } from '../../operators/stream-join.ts'
import { streamTableJoin } from '../../operators/stream-table-join.ts'
import { table } from '../../operators/table.ts'
import { tableAggregate } from '../../operators/table-aggregate.ts'
import { versionedTable } from '../../operators/versioned-table.ts'
import { waitForGrace } from '../../operators/wait-for-grace.ts'
import { windowAggregate } from '../../operators/window-aggregate.ts'
import { identifying } from '../../serde/identified.ts'
import { type AnySerde, isReadAlone } from '../../serde/serde.ts'
import type { Headed } from '../../state/headed-codec.ts'
import { slidingStore } from '../../state/sliding.ts'
import type {
  ExpiringStore,
  JoinBuffer,
  KeyValueStore,
  Pane,
  SessionStore,
  VersionedStore,
  WindowStore,
} from '../../state/store.ts'
import type {
  AggregateNode,
  DedupeNode,
  NodeId,
  ProcessNode,
  RateLimitNode,
  RepartitionNode,
  SinkNode,
  StreamStreamJoinNode,
  StreamTableJoinNode,
  TableNode,
  TopologyNode,
} from '../../topology/node.ts'
import { topicOfNode } from '../plan.ts'
import { digestOf, foreignKeyArgs } from './foreign-keys.ts'
import { givesAsRead } from './reads.ts'
import { onIdleOf, onIdleOfWindows, type Scope, storeOf } from './scope.ts'
import { expiringStores, surroundings } from './surroundings.ts'

export function buildProcess(node: TopologyNode, scope: Scope): Process {
  const ctx = scope.context(node)
  const next = () => scope.next(node.id)
  const updates = () => scope.updates(node.id)
  switch (node.kind) {
    case 'filter':
      return filter(node, ctx, next())
    case 'map':
      return map(node, ctx, next())
    case 'map-values':
      return mapValues(node, ctx, next())
    case 'map-async':
      return mapAsync({ ...node, ...scope.wiring }, ctx, next())
    case 'flat-map':
      return flatMap(node, ctx, next())
    case 'flat-map-values':
      return flatMapValues(node, ctx, next())
    case 'select-key':
      return selectKey(node, ctx, next())
    case 'peek':
      return peek(node, ctx, next())
    case 'foreach':
      return foreach(node, ctx)
    case 'print':
      return print({ ...node, write: (line) => console.error(line) })
    case 'merge':
      return next()
    case 'split':
      return split(node, ctx, branches(node.id, node.predicates.length, scope))
    case 'choose-topic':
      return chooseTopic({ ...node, current: scope.wiring.current }, ctx, branches(node.id, node.topics.length, scope))
    case 'dedupe':
      return dedupe(limitArgs(node, scope), ctx, next())
    case 'rate-limit':
      return rateLimit(
        { ...limitArgs(node, scope), limit: node.limit },
        ctx,
        branches(node.id, rateLimitBranches.length, scope),
      )
    case 'branch':
      return counted(ctx, next())
    case 'table': {
      if (node.store.kind === 'versioned') return versionedTableOf(node, ctx, scope)
      const store = storeOf<KeyValueStore<unknown, unknown>>(scope, node.store.name)
      const unchanged = storedUnchanged(node.parents, node.store.value, scope)
      return expiring(node, ctx, scope, table({ store, sendsOld: scope.sendsOld(node.id), unchanged }, ctx, updates()))
    }
    case 'aggregate': {
      const store = storeOf<KeyValueStore<unknown, unknown>>(scope, node.store.name)
      return expiring(node, ctx, scope, aggregate({ ...node, store }, ctx, updates()))
    }
    case 'table-aggregate': {
      const store = storeOf<KeyValueStore<unknown, unknown>>(scope, node.store.name)
      return tableAggregate({ ...node, store }, ctx, updates())
    }
    case 'foreign-key-join': {
      const args = foreignKeyArgs(node, scope)
      return foreignKeySubscribed({ ...args, view: scope.view(node.parents[1] as NodeId) }, ctx, next())
    }
    case 'foreign-key-result': {
      const store = node.store && storeOf<KeyValueStore<unknown, unknown>>(scope, node.store.name)
      const view = scope.view(node.parents[1] as NodeId)
      const sendsOld = scope.sendsOld(node.id)
      const digest = digestOf(node.parents[1] as NodeId, node.value, scope)
      return foreignKeyResult({ ...node, store, view, digest, sendsOld }, ctx, updates())
    }
    case 'window-aggregate': {
      const next = updates()
      const store = storeOf<WindowStore<unknown, unknown>>(scope, node.store.name)
      return windowAggregate(
        {
          ...node,
          store,
          windows: node.store.windows,
          late: lateOf(node, scope),
          onIdle: onIdleOfWindows(scope, node),
        },
        ctx,
        next,
      )
    }
    case 'sliding-aggregate': {
      const next = updates()
      const windows = node.store.sliding
      const store = slidingStore(storeOf<WindowStore<unknown, Pane<unknown>[]>>(scope, node.store.name), windows)
      return slidingAggregate(
        { ...node, store, windows, late: lateOf(node, scope), onIdle: onIdleOfWindows(scope, node) },
        ctx,
        next,
      )
    }
    case 'session-aggregate': {
      const next = updates()
      const store = storeOf<SessionStore<unknown, unknown>>(scope, node.store.name)
      return sessionAggregate(
        {
          ...node,
          store,
          windows: node.store.session,
          late: lateOf(node, scope),
          onIdle: onIdleOfWindows(scope, node),
        },
        ctx,
        next,
      )
    }
    case 'cogroup-input': {
      // The aggregate's closure with this aggregator; an error names the input, what is counted is the aggregate's.
      const { name, aggregator } = node
      const [aggregate] = scope.children(node.id)
      return buildProcess({ ...(aggregate as AggregateNode), name, aggregator }, scope)
    }
    case 'stream-table-join':
      return streamTableJoinOf(node, ctx, scope)
    case 'stream-global-table-join':
      return streamGlobalTableJoin({ ...node, view: scope.wiring.globalTable(node.globalTable) }, ctx, next())
    case 'process':
      return processOf(node, ctx, scope)
    case 'sink':
      return sinkOf(node, ctx, scope)
    case 'repartition':
      return sinkOf(node, ctx, scope, unchangedFrom(node.parents, node.value, scope))
    default:
      throw new StreamError('INTERNAL', `${node.kind} ${node.name} takes no stream`)
  }
}

/** What takes the records of the left stream of a join, and what takes those of the right one. */
export function buildJoin(node: StreamStreamJoinNode, scope: Scope): JoinProcesses {
  const [left, right] = node.stores.map(({ name }) => storeOf<JoinBuffer<unknown, unknown>>(scope, name))
  const args = { ...node, left: left as JoinBuffer<unknown, unknown>, right: right as JoinBuffer<unknown, unknown> }
  const [leftUnchanged, rightUnchanged] = node.stores.map(({ value }, side) =>
    storedUnchanged([node.parents[side] as NodeId], value, scope),
  )
  const join = node.compat === 'kafka-streams' ? kafkaStreamsJoin : streamJoin
  return join(
    { ...args, leftUnchanged, rightUnchanged, onIdle: onIdleOf(scope, node.id) },
    scope.context(node),
    scope.next(node.id),
  )
}

/** The record under way, if all values from there are as they were read, with that serde. */
function unchangedFrom(parents: readonly NodeId[], serde: AnySerde, { topology, wiring }: Scope) {
  return parents.every((parent) => givesAsRead(topology, parent, serde)) ? wiring.current : undefined
}

/** The same, for rows of a store. */
function storedUnchanged(parents: readonly NodeId[], serde: AnySerde, scope: Scope) {
  return isReadAlone(serde) ? unchangedFrom(parents, serde, scope) : undefined
}

function streamTableJoinOf(node: StreamTableJoinNode, ctx: ProcessorContext, scope: Scope): Process {
  const join = streamTableJoin({ ...node, view: scope.view(node.parents[1] as NodeId) }, ctx, scope.next(node.id))
  if (node.buffer === undefined) return join
  const buffer = storeOf<JoinBuffer<unknown, Headed<unknown>>>(scope, node.buffer.name)
  return waitForGrace({ buffer, graceMs: node.buffer.graceMs, onIdle: onIdleOf(scope, node.id) }, join)
}

function versionedTableOf(node: TableNode, ctx: ProcessorContext, scope: Scope): Process {
  const store = storeOf<VersionedStore<unknown, unknown>>(scope, node.store.name)
  const { id } = node
  return versionedTable({ store, sendsOld: scope.sendsOld(id) }, ctx, scope.updates(id), scope.olderUpdates(id))
}

function processOf(node: ProcessNode, ctx: ProcessorContext, scope: Scope): Process {
  const run = process({ ...node, ...surroundings(node, scope) }, ctx, scope.next(node.id))
  const expiring = expiringStores(node, scope)
  if (expiring.length === 0) return run
  return (key, value, timestamp, headers) => {
    expireStores(expiring, timestamp)
    run(key, value, timestamp, headers)
  }
}

/** Where the rows of a table end by event time, what ends them comes before it. */
function expiring(node: TableNode | AggregateNode, ctx: ProcessorContext, scope: Scope, process: Process): Process {
  if (node.store.ttlMs === undefined) return process
  const store = storeOf<ExpiringStore<unknown, unknown>>(scope, node.store.name)
  return expireRows({ store, keepsLatest: node.kind === 'aggregate' }, ctx, scope.updates(node.id), process)
}

function limitArgs({ store, key, by, periodMs, graceMs }: DedupeNode | RateLimitNode, scope: Scope) {
  const passed = storeOf<WindowStore<unknown, Passes>>(scope, store.name)
  return { store: passed, periodMs, graceMs, by, identify: identifying(key) }
}

function branches(id: NodeId, count: number, scope: Scope): readonly (Process | undefined)[] {
  const nodes = scope.children(id)
  return Array.from({ length: count }, (_, index) => {
    const branch = nodes.filter((node) => node.kind === 'branch' && node.index === index)
    return branch.length === 0 ? undefined : fanOut(branch.map((node) => scope.process(node)))
  })
}

/** Where the records go that come too late for the windows of a node. */
function lateOf(node: TopologyNode, scope: Scope): Late<unknown, unknown> | undefined {
  const sink = scope.late(node.id)
  if (sink === undefined) return undefined
  const ctx = scope.context(sink)
  return late(node.name, counted(ctx, sinkOf(sink, ctx, scope)))
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
  { wiring }: Scope,
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
      partitioner: node.partitioner,
      unchanged,
    },
    ctx,
  )
}
