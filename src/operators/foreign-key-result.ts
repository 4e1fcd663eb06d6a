/** The last step of a foreign-key join, beside the left table: joins an answer with the row that asked (Kafka Streams: ResponseJoinProcessorSupplier). */

import type { SubscriptionResponse } from '../common/subscription.ts'
import type { KeyValueStore } from '../state/store.ts'
import { type Process, type ProcessorContext, type Update, type View, value3 } from './processor.ts'

/** Hash of the bytes of a row that the left table has now; null of none. */
export type RowDigest<K, V> = (key: K, value: V | null) => string | null

export interface ForeignKeyResultArgs<K, V, O, R> {
  /** Of the left table. */
  readonly view: View<K, V>
  readonly left: boolean
  readonly joiner: (value: V, other: O | null, key: K) => R
  readonly digest: RowDigest<K, V>
  /** Without it no results are kept. */
  readonly store: KeyValueStore<K, R> | undefined
  /** Whether somebody downstream looks at old values: they take a look-up each. */
  readonly sendsOld: boolean
}

/**
 * An answer to a row that has changed meanwhile is stale: the one to the new row is on its way. Where no results are kept it is not known whether
 * a quiet answer has one to take back, so that it is passed on.
 */
export function foreignKeyResult<K, V, O, R>(
  args: ForeignKeyResultArgs<K, V, O, R>,
  ctx: ProcessorContext,
  next: Update<K, R>,
): Process<K, SubscriptionResponse<O>> {
  const { view, left, digest, store, sendsOld } = args
  const joiner = value3(ctx.node, 'joiner', args.joiner)
  const { forwarded } = ctx
  return (key, response, timestamp, headers) => {
    const value = view(key)?.value ?? null
    if (response.hash !== digest(key, value)) return
    if (response.quiet && store !== undefined && store.get(key) === undefined) return
    const other = response.value
    const result = value === null || (other === null && !left) ? null : joiner(value, other, key)
    const old = sendsOld ? (store?.get(key)?.value ?? null) : null
    store?.put(key, result, timestamp)
    forwarded.count++
    next(key, result, old, timestamp, headers)
  }
}
