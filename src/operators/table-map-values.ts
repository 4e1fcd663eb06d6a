/** A table with another value for each row (Kafka Streams: KTableMapValues). A deleted row stays deleted, without a call of the mapper. */

import { type ProcessorContext, type Update, type View, value2 } from './processor.ts'

export interface TableMapValuesArgs<K, V, R> {
  readonly mapper: (value: V, key: K) => R
}

export function tableMapValues<K, V, R>(
  args: TableMapValuesArgs<K, V, R> & { readonly sendsOld: boolean },
  ctx: ProcessorContext,
  next: Update<K, R>,
): Update<K, V> {
  const { sendsOld } = args
  const mapper = value2(ctx.node, 'mapper', args.mapper)
  return (key, value, old, timestamp, headers) => {
    next(
      key,
      value === null ? null : mapper(value, key),
      sendsOld && old !== null ? mapper(old, key) : null,
      timestamp,
      headers,
    )
  }
}

/** A row that is mapped to null is none. */
export function mappedView<K, V, R>(
  args: TableMapValuesArgs<K, V, R>,
  ctx: ProcessorContext,
  view: View<K, V>,
): View<K, R> {
  const mapper = value2(ctx.node, 'mapper', args.mapper)
  return (key, asOf) => {
    const row = view(key, asOf)
    if (row === undefined) return undefined
    const value = mapper(row.value, key)
    return value === null ? undefined : { value, timestamp: row.timestamp }
  }
}
