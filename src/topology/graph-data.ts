/** A topology as plain JSON: what `graph --json` prints and every drawing is made from. Only additions within a version. */

import { storageName } from '../common/storage.ts'
import { changelogTopic, repartitionTopic } from './names.ts'
import type { StartFrom, StoreKind, Topology, TopologyNode } from './node.ts'
import { hasOwnChangelog } from './source-changelogs.ts'
import { subTopologies } from './subtopology.ts'
import { storesOf } from './upstream.ts'

export interface GraphNode {
  readonly id: number
  readonly name: string
  readonly kind: TopologyNode['kind']
  /** Full name of the topic it reads or writes; of a pattern that it reads, as it is written. */
  readonly topic?: string
  /** Of a source that says where it starts without a committed offset. */
  readonly startFrom?: StartFrom
  /** Set on a sink that takes what came too late for the windows of the node before it. */
  readonly late?: true
  readonly stores: readonly string[]
  /** Of a join: the global table that it looks up. */
  readonly globalTable?: string
  readonly file?: string
  readonly line?: number
}

export interface GraphSubTopology {
  readonly id: number
  readonly nodes: readonly GraphNode[]
  /** From id to id, within the sub-topology. */
  readonly edges: readonly (readonly [from: number, to: number])[]
  /** Full names of the topics that must have equal partition counts, in groups. */
  readonly copartitioned: readonly (readonly string[])[]
}

export interface GraphStore {
  readonly name: string
  readonly kind: StoreKind
  /** `disk`, `memory` or the name of a supplier. */
  readonly storage: string
  readonly key: string
  readonly value: string
  /** The topic that its rows are restored from. */
  readonly changelog: string
  /** Set on the store of a table whose changelog is the topic it is made of. */
  readonly sourceTopic?: string
  readonly subTopology: number
  readonly windows?: { readonly sizeMs: number; readonly advanceMs: number; readonly graceMs: number }
  readonly session?: { readonly gapMs: number; readonly graceMs: number }
  readonly sliding?: { readonly timeDifferenceMs: number; readonly graceMs: number }
  readonly join?: { readonly beforeMs: number; readonly afterMs: number; readonly graceMs: number }
  /** Set where windows are passed on when they close. */
  readonly emit?: 'final'
  readonly historyMs?: number
  readonly ttlMs?: number
}

/** The whole of a topic, held by every engine. */
export interface GraphGlobalTable {
  readonly id: number
  readonly name: string
  readonly topic: string
  readonly key: string
  readonly value: string
  readonly file?: string
  readonly line?: number
}

export interface GraphTopic {
  readonly name: string
  readonly kind: 'repartition' | 'changelog'
}

export interface GraphData {
  readonly name: string
  /** Set where windows are closed when inputs are idle. */
  readonly idleCloseMs?: number
  readonly subTopologies: readonly GraphSubTopology[]
  readonly stores: readonly GraphStore[]
  readonly internalTopics: readonly GraphTopic[]
  /** Where there are any. */
  readonly globalTables?: readonly GraphGlobalTable[]
}

/** @param app application id, the prefix of internal topics. */
export function graphData(topology: Topology, app: string = topology.name): GraphData {
  const { nodes } = topology
  const subs = subTopologies(topology)
  const nodeAt = (id: number): TopologyNode => nodes[id] as TopologyNode
  const stores = subs.flatMap((sub) =>
    sub.stores.map((store): GraphStore => {
      const { name, kind, storage, windows, session, sliding, join, historyMs, ttlMs, sourceTopic } = store
      const shape = { name, kind, storage: storageName(storage), key: store.key.format, value: store.value.format }
      const { sizeMs, advanceMs, graceMs } = windows ?? {}
      const window =
        windows === undefined ? {} : { windows: { sizeMs, advanceMs, graceMs } as GraphStore['windows'] & object }
      const gap = session === undefined ? {} : { session: { gapMs: session.gapMs, graceMs: session.graceMs } }
      const difference =
        sliding === undefined
          ? {}
          : { sliding: { timeDifferenceMs: sliding.timeDifferenceMs, graceMs: sliding.graceMs } }
      const { beforeMs, afterMs } = join ?? {}
      const joined =
        join === undefined ? {} : { join: { beforeMs, afterMs, graceMs: join.graceMs } as GraphStore['join'] & object }
      const history = historyMs === undefined ? {} : { historyMs }
      const of = {
        ...window,
        ...gap,
        ...difference,
        ...joined,
        ...history,
        ...(ttlMs !== undefined && { ttlMs }),
        ...(sourceTopic !== undefined && { sourceTopic }),
        ...(store.closes && { emit: 'final' as const }),
      }
      return { ...shape, changelog: sourceTopic ?? changelogTopic(app, name), subTopology: sub.id, ...of }
    }),
  )
  const globalTables = nodes
    .filter((node) => node.kind === 'global-table')
    .map(({ id, table: name, topic, key, value, where }): GraphGlobalTable => {
      return { id, name, topic, key: key.format, value: value.format, ...where }
    })
  return {
    name: topology.name,
    ...(topology.idleCloseMs !== undefined && { idleCloseMs: topology.idleCloseMs }),
    subTopologies: subs.map((sub) => {
      const inside = new Set(sub.nodes)
      return {
        id: sub.id,
        nodes: sub.nodes.map((id) => graphNode(nodeAt(id), app)),
        edges: sub.nodes.flatMap((id) =>
          // A repartition node that is read here has its parent elsewhere, unless the sub-topology feeds itself.
          nodeAt(id)
            .parents.filter((parent) => inside.has(parent))
            .map((parent) => [parent, id] as const),
        ),
        copartitioned: sub.copartitioned.map((group) => group.map((id) => graphNode(nodeAt(id), app).topic ?? '')),
      }
    }),
    stores,
    internalTopics: [
      ...nodes
        .filter((node) => node.kind === 'repartition')
        .map((node): GraphTopic => ({ name: repartitionTopic(app, node.topic), kind: 'repartition' })),
      ...stores.filter(hasOwnChangelog).map((store): GraphTopic => ({ name: store.changelog, kind: 'changelog' })),
    ],
    ...(globalTables.length > 0 && { globalTables }),
  }
}

function graphNode(node: TopologyNode, app: string): GraphNode {
  const topic =
    node.kind === 'repartition'
      ? { topic: repartitionTopic(app, node.topic) }
      : node.kind === 'pattern-source'
        ? { topic: node.name }
        : node.kind === 'source' || node.kind === 'sink'
          ? { topic: node.topic, ...(node.kind === 'sink' && node.late && { late: true as const }) }
          : {}
  const { id, name, kind, where } = node
  const start = 'startFrom' in node && node.startFrom !== undefined ? { startFrom: node.startFrom } : {}
  const looksUp = node.kind === 'stream-global-table-join' ? { globalTable: node.globalTable } : {}
  return { id, name, kind, ...topic, ...start, stores: storesOf(node), ...looksUp, ...where }
}
