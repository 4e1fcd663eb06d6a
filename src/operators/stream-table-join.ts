/** Looks each stream record up in a table as it is now, in a versioned one as it was at the record's time; the table's updates emit nothing (Kafka Streams: KStreamKTableJoinProcessor). */

import { type Process, type ProcessorContext, type View, value3 } from './processor.ts'

export interface StreamTableJoinArgs<K, V, T, R> {
  readonly view: View<K, T>
  readonly left: boolean
  readonly joiner: (value: V, tableValue: T | null, key: K) => R
}

/**
 * The result carries the stream record's timestamp. A null value is dropped; a null key too by an inner join, while a left join passes
 * it on with a null table value (KIP-962).
 */
export function streamTableJoin<K, V, T, R>(
  args: StreamTableJoinArgs<K, V, T, R>,
  ctx: ProcessorContext,
  next: Process<K, R>,
): Process<K, V | null> {
  const { view, left } = args
  const joiner = value3(ctx.node, 'joiner', args.joiner)
  const { forwarded } = ctx
  return (key, value, timestamp, headers) => {
    if (key === null && !left) {
      ctx.drop('null-key')
      return
    }
    if (value === null) {
      ctx.drop('null-value')
      return
    }
    const row = key === null ? undefined : view(key, timestamp)
    if (row === undefined && !left) {
      ctx.drop('no-match')
      return
    }
    const result = joiner(value, row === undefined ? null : row.value, key)
    forwarded.count++
    next(key, result, timestamp, headers)
  }
}
