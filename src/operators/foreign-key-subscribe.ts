/** The left side of a foreign-key join: tells the side of the other table which row refers to which (Kafka Streams: SubscriptionSendProcessorSupplier). */

import type { Instruction, Subscription } from '../common/subscription.ts'
import type { RowDigest } from './foreign-key-result.ts'
import { type Process, type ProcessorContext, type Update, value2 } from './processor.ts'

export interface ForeignKeySubscribeArgs<K, V, F> {
  /** null refers to no row. */
  readonly foreignKey: (value: V, key: K) => F | null
  readonly left: boolean
  readonly sameForeignKey: (a: F, b: F) => boolean
  /** Bytes of a key, as text. */
  readonly keyText: (key: K) => string
  readonly digest: RowDigest<K, V>
  /** Of the task. */
  readonly partition: number
}

/**
 * Which subscription each update makes, moves or ends. Every row asks for an answer, also one that has no result: the answer that would have taken
 * back the result of the row before may be on its way, and is stale when it comes, as this row has taken that one's place. Where Kafka
 * Streams asks for none the answer is quiet.
 */
export function foreignKeySubscribe<K, V, F>(
  args: ForeignKeySubscribeArgs<K, V, F>,
  ctx: ProcessorContext,
  next: Process<F | null, Subscription>,
): Update<K, V> {
  const { left, sameForeignKey, keyText, digest, partition } = args
  const foreignKeyOf = value2(ctx.node, 'foreignKey', args.foreignKey)
  const { forwarded } = ctx
  return (key, value, old, timestamp, headers) => {
    if (key === null) {
      ctx.drop('null-key')
      return
    }
    if (value === null && old === null) return
    const before = old === null ? null : foreignKeyOf(old, key)
    const now = value === null ? null : foreignKeyOf(value, key)
    const text = keyText(key)
    const hash = digest(key, value)
    const send = (foreignKey: F | null, instruction: Instruction): void => {
      forwarded.count++
      next(foreignKey, { instruction, hash, key: text, partition }, timestamp, headers)
    }
    if (!left && now === null) {
      if (value !== null) ctx.drop('null-foreign-key')
      if (before !== null) send(before, 'unsubscribe-and-answer')
      else send(null, 'subscribe')
      return
    }
    const moved = before !== null && (now === null || !sameForeignKey(before, now))
    if (moved) send(before, 'unsubscribe')
    // What the old row had to do with its foreign key is not known: the answer takes the result back.
    send(now, left || moved ? 'resubscribe' : 'subscribe')
  }
}
