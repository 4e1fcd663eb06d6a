/** What the parts of a foreign-key join are wired to. */

import { ByteTarget, writerOf } from '../../common/bytes.ts'
import { hash64 } from '../../common/hash.ts'
import type { SubscriptionRow } from '../../common/subscription.ts'
import type { ForeignKeyJoinArgs } from '../../operators/foreign-key-join.ts'
import type { RowDigest } from '../../operators/foreign-key-result.ts'
import type { AnySerde } from '../../serde/serde.ts'
import { canonical } from '../../state/map-keys.ts'
import type { KeyValueStore } from '../../state/store.ts'
import { subscriptions } from '../../state/subscriptions.ts'
import type { ForeignKeyJoinNode, NodeId, TopologyNode } from '../../topology/node.ts'
import { type Scope, storeOf } from './scope.ts'

export function foreignKeyArgs(node: ForeignKeyJoinNode, scope: Scope): ForeignKeyJoinArgs<unknown> {
  const store = storeOf<KeyValueStore<string, SubscriptionRow>>(scope, node.store.name)
  return { subscriptions: subscriptions(store), keyText: textOf(node.key) }
}

/** The bytes of a key, a character each: the same for keys that are one to a store. */
export function textOf(serde: AnySerde): (key: unknown) => string {
  const write = writerOf(serde)
  const target = new ByteTarget()
  return (key) => {
    target.clear()
    write(canonical(key), target)
    return target.buffer.toString('latin1', 0, target.length)
  }
}

/** The hash of the bytes of a table's row; where the rows are in a store, of those that it has. */
export function digestOf(table: NodeId, serde: AnySerde, scope: Scope): RowDigest<unknown, unknown> {
  const node = scope.topology.nodes[table] as TopologyNode
  if ('store' in node && node.store?.kind === 'key-value') {
    const store = storeOf<KeyValueStore<unknown, unknown>>(scope, node.store.name)
    return (key) => store.digest(key)
  }
  const write = writerOf(serde)
  const target = new ByteTarget()
  return (_key, value) => {
    if (value === null) return null
    target.clear()
    write(value, target)
    return hash64(target.buffer, 0, target.length)
  }
}
