/** From the nodes that take the updates of a table to closures. */

import { StreamError } from '../../common/errors.ts'
import { expireStores } from '../../operators/expire.ts'
import { foreignKeyUpdated } from '../../operators/foreign-key-join.ts'
import { foreignKeySubscribe } from '../../operators/foreign-key-subscribe.ts'
import type { Update } from '../../operators/processor.ts'
import { suppress } from '../../operators/suppress.ts'
import { tableFilter } from '../../operators/table-filter.ts'
import { tableGroupBy } from '../../operators/table-group-by.ts'
import { tableMapValues } from '../../operators/table-map-values.ts'
import { joinLeft, joinRight } from '../../operators/table-table-join.ts'
import { tableTransformValues } from '../../operators/table-transform-values.ts'
import { toStream } from '../../operators/to-stream.ts'
import type { AnySerde } from '../../serde/serde.ts'
import type { BufferStore, KeyValueStore } from '../../state/store.ts'
import type { NodeId, TopologyNode } from '../../topology/node.ts'
import { isVersioned } from '../../topology/versioned.ts'
import { digestOf, foreignKeyArgs, textOf } from './foreign-keys.ts'
import { onIdleOf, type Scope, storeOf } from './scope.ts'
import { expiringStores, surroundings } from './surroundings.ts'

/** Operators that look at rows one by one take every version; the others take what changes a row as it is now. */
export function buildOlderUpdates(node: TopologyNode, parent: NodeId, scope: Scope): readonly Update[] {
  const ctx = scope.context(node)
  switch (node.kind) {
    case 'table-filter':
      return [tableFilter({ ...node, isVersioned: true }, ctx, scope.olderUpdates(node.id))]
    case 'table-map-values':
      return [tableMapValues({ ...node, sendsOld: scope.sendsOld(node.id) }, ctx, scope.olderUpdates(node.id))]
    case 'to-stream':
      return buildUpdates(node, parent, scope)
    default:
      return []
  }
}

/** What takes the updates that `parent` sends to the node: one for each side of a join that it is. */
export function buildUpdates(node: TopologyNode, parent: NodeId, scope: Scope): readonly Update[] {
  const ctx = scope.context(node)
  switch (node.kind) {
    case 'table-filter':
      return [
        tableFilter({ ...node, isVersioned: isVersioned(scope.topology.nodes, node.id) }, ctx, scope.updates(node.id)),
      ]
    case 'table-map-values':
      return [tableMapValues({ ...node, sendsOld: scope.sendsOld(node.id) }, ctx, scope.updates(node.id))]
    case 'table-transform-values': {
      const store = storeOf<KeyValueStore<unknown, unknown>>(scope, node.store.name)
      const args = { ...node, ...surroundings(node, scope), store, sendsOld: scope.sendsOld(node.id) }
      const transform = tableTransformValues(args, ctx, scope.updates(node.id))
      const expiring = expiringStores(node, scope)
      if (expiring.length === 0) return [transform]
      return [
        (key, value, old, timestamp, headers) => {
          expireStores(expiring, timestamp)
          transform(key, value, old, timestamp, headers)
        },
      ]
    }
    case 'suppress': {
      const buffer = storeOf<BufferStore<unknown, unknown>>(scope, node.store.name)
      return [suppress({ ...node, buffer, onIdle: onIdleOf(scope, node.id) }, ctx, scope.updates(node.id))]
    }
    case 'table-group-by':
      return [tableGroupBy({ ...node, sameKey: sameKeyOf(node.key) }, ctx, scope.next(node.id))]
    case 'foreign-key-subscribe':
      return [
        foreignKeySubscribe(
          {
            ...node,
            sameForeignKey: sameKeyOf(node.otherKey),
            keyText: textOf(node.key),
            digest: digestOf(parent, node.value, scope),
            partition: scope.wiring.partition,
          },
          ctx,
          scope.next(node.id),
        ),
      ]
    case 'foreign-key-join':
      return [foreignKeyUpdated(foreignKeyArgs(node, scope), ctx, scope.next(node.id))]
    case 'to-stream':
      return [toStream(scope.next(node.id))]
    case 'table-table-join': {
      const [left, right] = node.parents as readonly [NodeId, NodeId]
      const args = { ...node, sendsOld: scope.sendsOld(node.id) }
      const next = scope.updates(node.id)
      const sides = []
      if (left === parent) sides.push(joinLeft({ ...args, view: scope.view(right) }, ctx, next))
      if (right === parent) sides.push(joinRight({ ...args, view: scope.view(left) }, ctx, next))
      return sides
    }
    default:
      throw new StreamError('INTERNAL', `${node.kind} ${node.name} takes no table`)
  }
}

/** Keys that have the same bytes are the same. */
function sameKeyOf({ primitive, serialize }: AnySerde): (a: unknown, b: unknown) => boolean {
  if (primitive) return (a, b) => a === b
  return (a, b) => a === b || serialize(a).equals(serialize(b))
}
