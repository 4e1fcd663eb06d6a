/** What the parts of the compiler share while one sub-topology is compiled for one task. */

import type { Output } from '../../broker/port.ts'
import type { Clock } from '../../common/time.ts'
import type { Calls } from '../../operators/calls.ts'
import type { CloseIdle, OnIdle } from '../../operators/idle.ts'
import type { CurrentRecord, Process, ProcessorContext, Update, View } from '../../operators/processor.ts'
import type { Schedule } from '../../operators/punctuation.ts'
import type { NodeId, SinkNode, StoreSpec, SuppressNode, Topology, TopologyNode } from '../../topology/node.ts'
import type { Counters } from '../counters.ts'

/** What the closures are wired to: a task's stores and the producer's outputs. */
export interface Wiring {
  readonly appId: string
  /** Name of the task. */
  readonly task: string
  /** Of the task. */
  readonly partition: number
  readonly counters: Counters
  readonly store: (name: string) => unknown
  /** The rows of a global table, by the name of its store. */
  readonly globalTable: (name: string) => View
  readonly output: (topic: string) => Output
  readonly partitions: (topic: string) => number
  /** Of the task. */
  readonly current: CurrentRecord
  /** Of the task. */
  readonly schedule: Schedule
  /** Of the task. */
  readonly calls: Calls
  /** Of the task: takes what closes by the wall clock when its inputs are idle, where the topology asks for that. */
  readonly onIdle?: ((node: NodeId, close: CloseIdle) => void) | undefined
  /** Of the task, the record at hand included; -1 before the first. */
  readonly streamTime: () => number
  readonly clock: Clock
}

export interface Scope {
  readonly topology: Topology
  readonly wiring: Wiring
  /** Children that a node's records, or updates, go to; a stream-table join is not driven by its table. */
  children(id: NodeId): readonly TopologyNode[]
  /** The sink of the records that came too late for a node's windows. */
  late(id: NodeId): SinkNode | undefined
  /** What takes a node's records: one closure, however many children. */
  next(id: NodeId): Process
  /** The same closure for every call with the same node. */
  process(node: TopologyNode): Process
  /** What takes a table's updates. */
  updates(id: NodeId): Update
  /** What takes updates of versions that are not the latest of their key; most only follow the table as it is now. */
  olderUpdates(id: NodeId): Update
  /** A table as joins look at it. */
  view(id: NodeId): View
  context(node: TopologyNode): ProcessorContext
  /** Whether somebody downstream looks at the old values of a table's updates. */
  sendsOld(id: NodeId): boolean
}

/** A store of the task; the graph says of which kind it is. */
export function storeOf<S>(scope: Scope, name: string): S {
  return scope.wiring.store(name) as S
}

/** How an operator of the node asks to be told when the task is idle. */
export function onIdleOf({ wiring }: Scope, id: NodeId): OnIdle | undefined {
  const { onIdle } = wiring
  return onIdle === undefined ? undefined : (close) => onIdle(id, close)
}

/**
 * As `onIdleOf`, of windows: only where somebody waits for them to close; an aggregate that passes on every update would only lose late records
 * by it. Where a suppress below waits, the aggregate follows: what that has let go takes no more records. What is below must have been built, so
 * that its turn comes first.
 */
export function onIdleOfWindows(
  scope: Scope,
  node: { readonly id: NodeId; readonly store: StoreSpec },
): OnIdle | undefined {
  if (node.store.closes) return onIdleOf(scope, node.id)
  const store = storeOf<{ streamTime: number }>(scope, node.store.name)
  // The end of a window is a time within it, but for windows of the clock.
  const afterMs = node.store.kind === 'window' ? 0 : 1
  for (const { id, store: held } of awaiting(scope, node.id)) {
    const buffer = storeOf<{ readonly streamTime: number }>(scope, held.name)
    scope.wiring.onIdle?.(id, () => {
      const time = buffer.streamTime + afterMs
      if (time <= store.streamTime + afterMs) return false
      store.streamTime = time
      return true
    })
  }
  return undefined
}

/** Those that hold a table's windows back until they close. */
function awaiting(scope: Scope, id: NodeId): readonly SuppressNode[] {
  return scope.children(id).flatMap((node) => {
    if (node.kind === 'suppress') return node.until === 'window-close' ? [node] : []
    const passes =
      node.kind === 'table-filter' || node.kind === 'table-map-values' || node.kind === 'table-transform-values'
    return passes ? awaiting(scope, node.id) : []
  })
}
