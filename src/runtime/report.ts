/** The snapshot of a running application, put together from plain numbers when somebody asks. */

import type { AppState, InputSnapshot, Snapshot, StoreSnapshot, TaskSnapshot } from '../metrics/snapshot.ts'
import { storesOf } from '../topology/upstream.ts'
import { type Counters, recordsByNode } from './counters.ts'
import type { GlobalReader } from './global-reader.ts'
import type { GlobalTable } from './global-table.ts'
import { type Plan, topicOfNode } from './plan.ts'
import type { Task } from './task.ts'
import type { Worker } from './worker.ts'

export interface ReportParts {
  readonly plan: Plan
  readonly counters: Counters
  readonly worker: Worker
  readonly globalTables: ReadonlyMap<string, GlobalTable>
  readonly globals: GlobalReader
  readonly brokerAddress: string
  readonly startedAt: number
  readonly at: number
  readonly state: AppState
}

export function snapshotOf(parts: ReportParts): Snapshot {
  const { plan, counters, worker, at } = parts
  const tasks = worker.tasks.map((task) => taskSnapshot(task, worker))
  const records = recordsByNode(plan.topology, counters)
  const written = plan.topology.nodes.filter((node) => node.kind === 'sink')
  return {
    at,
    app: plan.appId,
    broker: parts.brokerAddress,
    state: parts.state,
    uptimeMs: at - parts.startedAt,
    recordsIn: plan.topology.nodes.reduce(
      (sum, node) => sum + (node.kind === 'source' ? (records[node.id] ?? 0) : 0),
      0,
    ),
    recordsOut: written.reduce((sum, node) => sum + (records[node.id] ?? 0), 0),
    lag: tasks.reduce((sum, task) => sum + task.inputs.reduce((lag, input) => lag + input.lag, 0), 0),
    processors: plan.topology.nodes.map((node) => ({
      id: node.id,
      name: node.name,
      kind: node.kind,
      subTopology: plan.subTopologies.find((sub) => sub.nodes.includes(node.id))?.id ?? 0,
      parents: node.parents,
      topic: topicOfNode(plan.appId, node) ?? null,
      store: storesOf(node).join(', ') || null,
      records: records[node.id] ?? 0,
    })),
    tasks,
    standbys: worker.standbys,
    stores: [...storeSnapshots(plan, worker.tasks, tasks), ...globalSnapshots(parts)],
    commits: {
      count: worker.commits.count,
      aborted: worker.aborted,
      lastMs: worker.commits.lastMs,
      rebalances: worker.rebalances,
    },
    errors: {
      deadLetters: counters.deadLetters.count,
      dropped: Object.fromEntries(counters.dropped),
      last: worker.lastError,
    },
  }
}

function taskSnapshot(task: Task, worker: Worker): TaskSnapshot {
  return {
    id: task.name,
    state: task.state,
    inputs: task.queues.map((queue, i): InputSnapshot => {
      const { topic, partition, position, stableEnd } = queue
      return {
        topic,
        partition,
        position,
        committed: task.committedPosition(i),
        stableEnd,
        lag: Math.max(0, stableEnd - position),
      }
    }),
    records: task.records,
    streamTime: task.streamTime,
    restore: worker.restoring(task),
    cachedRows: task.stores.sizes().reduce((sum, { rows }) => sum + rows, 0),
  }
}

/** Every engine holds all rows of its own. */
function globalSnapshots({ globalTables, globals }: ReportParts): readonly StoreSnapshot[] {
  return [...globalTables].map(([name, table]) => {
    const { done: restored, total: restoreTotal } = globals.progress(table)
    return { name, kind: 'global', tasks: 0, cachedRows: table.rows.size, diskBytes: null, restored, restoreTotal }
  })
}

function storeSnapshots(
  plan: Plan,
  tasks: readonly Task[],
  snapshots: readonly TaskSnapshot[],
): readonly StoreSnapshot[] {
  const restores = snapshots.flatMap((task) => task.restore)
  const sizes = tasks.flatMap((task) => task.stores.sizes())
  return plan.subTopologies
    .flatMap((sub) => sub.stores)
    .map(({ name, kind }) => {
      const restoring = restores.filter(({ store }) => store === name)
      const held = sizes.filter((size) => size.name === name)
      const measured = held.filter(({ diskBytes }) => diskBytes !== null)
      return {
        name,
        kind,
        tasks: held.length,
        cachedRows: held.reduce((sum, { rows }) => sum + rows, 0),
        diskBytes: measured.length === 0 ? null : measured.reduce((sum, { diskBytes }) => sum + (diskBytes ?? 0), 0),
        restored: restoring.reduce((sum, { done }) => sum + done, 0),
        restoreTotal: restoring.reduce((sum, { total }) => sum + total, 0),
      }
    })
}
