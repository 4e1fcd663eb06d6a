/** What the engine counts: one plain number per processor, bumped only where records become more or fewer. */

import type { Counter } from '../common/counter.ts'
import type { DropReason } from '../operators/processor.ts'
import type { NodeId, Topology } from '../topology/node.ts'

export interface Counters {
  /** Records received by each source and passed on by each processor that changes their number, by node id. */
  readonly nodes: readonly Counter[]
  readonly recordsIn: Counter
  readonly deadLetters: Counter
  /** Dropped records by reason. */
  readonly dropped: Map<string, number>
}

export function makeCounters(topology: Topology): Counters {
  return {
    nodes: topology.nodes.map(() => ({ count: 0 })),
    recordsIn: { count: 0 },
    deadLetters: { count: 0 },
    dropped: new Map(),
  }
}

/** Counts a record that is left out. */
export function drop({ dropped }: Counters, reason: DropReason): void {
  dropped.set(reason, (dropped.get(reason) ?? 0) + 1)
}

/** Kinds that pass on exactly what they receive: their numbers are their parents', so the record path does not count them. */
const passing: ReadonlySet<string> = new Set([
  'map',
  'map-values',
  'map-async',
  'table-map-values',
  'select-key',
  'peek',
  'foreach',
  'print',
  'merge',
  'cogroup-input',
  'to-stream',
  'repartition',
  'sink',
])

/** Records passed on by every node, by id; for sinks, records written. */
export function recordsByNode(topology: Topology, counters: Counters): readonly number[] {
  const records: number[] = []
  const of = (id: NodeId) => records[id] ?? 0
  for (const node of topology.nodes) {
    const counted = counters.nodes[node.id]?.count ?? 0
    const passes = passing.has(node.kind) && !('late' in node)
    records.push(passes ? node.parents.reduce((sum, parent) => sum + of(parent), 0) : counted)
  }
  return records
}
