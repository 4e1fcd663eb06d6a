/**
 * The side of the other table in a foreign-key join: keeps who refers to which of its rows, and answers with the row, at once and
 * whenever it changes (Kafka Streams: SubscriptionReceiveProcessorSupplier, SubscriptionJoinProcessorSupplier, ForeignTableJoinProcessorSupplier).
 */

import type { Subscription, SubscriptionResponse } from '../common/subscription.ts'
import type { Subscriptions } from '../state/subscriptions.ts'
import type { Process, ProcessorContext, Update, View } from './processor.ts'

export interface ForeignKeyJoinArgs<F> {
  readonly subscriptions: Subscriptions
  /** Bytes of a foreign key, as text. */
  readonly keyText: (key: F) => string
}

/** Takes subscriptions. An answer carries the later timestamp of the subscription and of the row. */
export function foreignKeySubscribed<F, V>(
  args: ForeignKeyJoinArgs<F> & { readonly view: View<F, V> },
  ctx: ProcessorContext,
  next: Process<string, SubscriptionResponse<V>>,
): Process<F | null, Subscription> {
  const { subscriptions, keyText, view } = args
  const { forwarded } = ctx
  return (foreignKey, { instruction, hash, key, partition }, timestamp, headers) => {
    const answer = (value: V | null, at: number): void => {
      forwarded.count++
      const isQuiet = value === null && instruction === 'subscribe'
      next(key, isQuiet ? { hash, value, quiet: true, partition } : { hash, value, partition }, at, headers)
    }
    // A left row without a foreign key, or without a row any more.
    if (foreignKey === null) {
      if (instruction === 'subscribe' || instruction === 'resubscribe') answer(null, timestamp)
      return
    }
    const text = keyText(foreignKey)
    if (instruction === 'subscribe' || instruction === 'resubscribe') {
      subscriptions.put(text, { key, hash: hash as string, partition }, timestamp)
    } else {
      subscriptions.remove(text, key, timestamp)
      if (instruction === 'unsubscribe') return
    }
    const row = view(foreignKey)
    const at = row === undefined ? timestamp : Math.max(row.timestamp, timestamp)
    answer(row === undefined || instruction === 'unsubscribe-and-answer' ? null : row.value, at)
  }
}

/** Takes updates of the other table: each is an answer to all who refer to the row. */
export function foreignKeyUpdated<F, V>(
  args: ForeignKeyJoinArgs<F>,
  ctx: ProcessorContext,
  next: Process<string, SubscriptionResponse<V>>,
): Update<F, V> {
  const { subscriptions, keyText } = args
  const { forwarded } = ctx
  return (foreignKey, value, _old, timestamp, headers) => {
    if (foreignKey === null) {
      ctx.drop('null-key')
      return
    }
    subscriptions.each(keyText(foreignKey), (key, hash, partition) => {
      forwarded.count++
      next(key, { hash, value, partition }, timestamp, headers)
    })
  }
}
