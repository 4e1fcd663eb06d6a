/**
 * From the logical graph to closures: the only folder that knows both. A sub-topology is built backwards, each processor
 * holding the next, so that a record travels by plain calls.
 */

import { fanOut, fanOutUpdates } from '../../operators/fan-out.ts'
import type { JoinProcesses } from '../../operators/join-sides.ts'
import type { Process, ProcessorContext, Update } from '../../operators/processor.ts'
import type { AnySerde } from '../../serde/serde.ts'
import type {
  NodeId,
  RepartitionNode,
  SinkNode,
  SourceNode,
  StreamStreamJoinNode,
  SubTopology,
  Topology,
  TopologyNode,
} from '../../topology/node.ts'
import { type Counters, drop } from '../counters.ts'
import { topicOfNode } from '../plan.ts'
import { asksForOld, ignoresValue, passesOldOn, unread } from './reads.ts'
import type { Scope, Wiring } from './scope.ts'
import { buildJoin, buildProcess } from './streams.ts'
import { buildOlderUpdates, buildUpdates } from './updates.ts'
import { viewOf } from './views.ts'

/** Where records of one topic enter. */
export interface CompiledSource {
  readonly node: SourceNode | RepartitionNode
  readonly topic: string
  readonly key: AnySerde
  /** `unread` where nobody looks at the value. */
  readonly value: AnySerde
  readonly process: Process
}

/** One entry per topic that the sub-topology reads. */
export function compile(topology: Topology, sub: SubTopology, wiring: Wiring): readonly CompiledSource[] {
  const scope = scopeOf(topology, sub, wiring)
  return sub.sources.map((id) => {
    const node = topology.nodes[id] as SourceNode | RepartitionNode
    const topic = topicOfNode(wiring.appId, node) as string
    // Of a repartition topic only: a value of somebody else's may be damaged, and that must show.
    const value = node.kind === 'repartition' && scope.children(id).every(ignoresValue) ? unread : node.value
    return { node, topic, key: node.key, value, process: scope.next(id) }
  })
}

function scopeOf(topology: Topology, sub: SubTopology, wiring: Wiring): Scope {
  const processes = new Map<NodeId, Process>()
  const updates = new Map<NodeId, Update>()
  const joins = new Map<NodeId, JoinProcesses>()
  const joinOf = (node: StreamStreamJoinNode): JoinProcesses => {
    const join = joins.get(node.id) ?? buildJoin(node, scope)
    joins.set(node.id, join)
    return join
  }
  const scope: Scope = {
    topology,
    wiring,
    children: (id) =>
      sub.nodes
        .map((child) => topology.nodes[child] as TopologyNode)
        .filter(
          (node) => !isLate(node) && (isDrivenByFirst(node) ? node.parents[0] === id : node.parents.includes(id)),
        ),
    late: (id) =>
      sub.nodes
        .map((child) => topology.nodes[child] as TopologyNode)
        .filter(isLate)
        .find((node) => node.parents.includes(id)),
    next: (id) =>
      fanOut(
        scope.children(id).flatMap((node) => {
          if (node.kind !== 'stream-stream-join') return [scope.process(node)]
          // Both, of a stream that is joined with itself.
          return joinOf(node).filter((_, side) => node.parents[side] === id)
        }),
      ),
    process: (node) => {
      const known = processes.get(node.id)
      if (known !== undefined) return known
      const process = buildProcess(node, scope)
      processes.set(node.id, process)
      return process
    },
    updates: (id) => {
      const known = updates.get(id)
      if (known !== undefined) return known
      const made = fanOutUpdates(scope.children(id).flatMap((node) => buildUpdates(node, id, scope)))
      updates.set(id, made)
      return made
    },
    olderUpdates: (id) => fanOutUpdates(scope.children(id).flatMap((node) => buildOlderUpdates(node, id, scope))),
    view: (id) => viewOf(topology.nodes[id] as TopologyNode, scope),
    context: (node) => processorContext(node, wiring.counters),
    sendsOld: (id) =>
      scope.children(id).some((node) => asksForOld(node, id) || (passesOldOn(node) && scope.sendsOld(node.id))),
  }
  return scope
}

/** It takes what its parent drops, not what it passes on. */
function isLate(node: TopologyNode): node is SinkNode {
  return node.kind === 'sink' && node.late === true
}

/** The other parents are tables that it looks at. */
function isDrivenByFirst({ kind }: TopologyNode): boolean {
  switch (kind) {
    case 'stream-table-join':
    case 'foreign-key-result':
    case 'process':
    case 'table-transform-values':
      return true
    default:
      return false
  }
}

function processorContext(node: TopologyNode, counters: Counters): ProcessorContext {
  return {
    node: node.name,
    forwarded: counters.nodes[node.id] ?? { count: 0 },
    drop: (reason) => drop(counters, reason),
  }
}
