/** What the parts of the compiler share while one sub-topology is compiled for one task. */

import type { Output } from '../../broker/port.ts'
import type { Clock } from '../../common/time.ts'
import type { CurrentRecord, Process, ProcessorContext, Update, View } from '../../operators/processor.ts'
import type { Schedule } from '../../operators/punctuation.ts'
import type { NodeId, SinkNode, Topology, TopologyNode } from '../../topology/node.ts'
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
  readonly output: (topic: string) => Output
  readonly partitions: (topic: string) => number
  /** Of the task. */
  readonly current: CurrentRecord
  /** Of the task. */
  readonly schedule: Schedule
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
