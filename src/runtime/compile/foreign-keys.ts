/** What the parts of a foreign-key join are wired to. */

import { ByteTarget, writerOf } from '../../common/bytes.ts'
import { hash64 } from '../../common/hash.ts'
import type { SubscriptionRow } from '../../common/subscription.ts'
import type { ForeignKeyJoinArgs } from '../../operators/foreign-key-join.ts'
import type { AnySerde } from '../../serde/serde.ts'
import type { KeyValueStore } from '../../state/store.ts'
import { subscriptions } from '../../state/subscriptions.ts'
import type { ForeignKeyJoinNode } from '../../topology/node.ts'
import { type Scope, storeOf } from './scope.ts'

export function foreignKeyArgs(node: ForeignKeyJoinNode, scope: Scope): ForeignKeyJoinArgs<unknown> {
  const store = storeOf<KeyValueStore<string, SubscriptionRow>>(scope, node.store.name)
  return { subscriptions: subscriptions(store), keyText: textOf(node.key) }
}

/** The bytes of a key, a character each. */
export function textOf(serde: AnySerde): (key: unknown) => string {
  const write = writerOf(serde)
  const target = new ByteTarget()
  return (key) => {
    target.clear()
    write(key, target)
    return target.buffer.toString('latin1', 0, target.length)
  }
}

/** The hash of a value's bytes. */
export function hashOf(serde: AnySerde): (value: unknown) => string {
  const write = writerOf(serde)
  const target = new ByteTarget()
  return (value) => {
    target.clear()
    write(value, target)
    return hash64(target.buffer, 0, target.length)
  }
}
