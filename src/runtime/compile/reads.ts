/** Who looks at what: which values, and which old ones, nobody reads, so that they need not be looked up or decoded. */

import { deserializeWith } from '../../common/bytes.ts'
import { StreamError } from '../../common/errors.ts'
import type { AnySerde } from '../../serde/serde.ts'
import type { NodeId, Topology, TopologyNode } from '../../topology/node.ts'

/** Old values are looked up only for these, and for what stands between. */
export function asksForOld(node: TopologyNode, parent: NodeId): boolean {
  switch (node.kind) {
    case 'table-filter':
    case 'suppress':
    case 'table-group-by':
    case 'foreign-key-subscribe':
    case 'foreign-key-join':
      return true
    // Whether a row that is deleted without a partner was there before.
    case 'table-table-join':
      return (node.left && node.parents[0] === parent) || (node.right && node.parents[1] === parent)
    default:
      return false
  }
}

export function passesOldOn(node: TopologyNode): boolean {
  return node.kind === 'table-map-values' || node.kind === 'table-table-join'
}

export function ignoresValue(node: TopologyNode): boolean {
  switch (node.kind) {
    case 'aggregate':
    case 'window-aggregate':
    case 'sliding-aggregate':
    case 'session-aggregate':
      return node.ignoresValue === true
    default:
      return false
  }
}

/** Stands for a value that nobody looks at; a null one is still null. */
export const unread: AnySerde = Object.freeze({
  format: 'unread',
  primitive: false,
  serialize: () => {
    throw new StreamError('INTERNAL', 'a value that was not read was to be written')
  },
  deserialize: deserializeWith(() => true),
})

/**
 * Whether every value that leaves `node` is one that a source has read with `serde`, so that its bytes can be passed on. Only
 * past operators that give values through: a mapper that changes a value in place, which it must not, would be found out late.
 */
export function givesAsRead(topology: Topology, id: NodeId, serde: AnySerde): boolean {
  const node = topology.nodes[id] as TopologyNode
  if (node.kind === 'source' || node.kind === 'repartition') return node.value === serde
  return givesThrough.has(node.kind) && node.parents.every((parent) => givesAsRead(topology, parent, serde))
}

const givesThrough: ReadonlySet<TopologyNode['kind']> = new Set([
  'filter',
  'select-key',
  'peek',
  'merge',
  'split',
  'branch',
  'choose-topic',
  'dedupe',
  'rate-limit',
])
