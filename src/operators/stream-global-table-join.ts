/** Looks each stream record up in a global table, under a key made of it (Kafka Streams: KStreamKTableJoinProcessor, KIP-99). */

import { type Process, type ProcessorContext, type View, value2, value3 } from './processor.ts'

export interface StreamGlobalTableJoinArgs<K, V, G, T, R> {
  readonly view: View<G, T>
  readonly left: boolean
  /** Null gives no key to look up. */
  readonly selector: (value: V, key: K) => G | null
  readonly joiner: (value: V, tableValue: T | null, key: K) => R
}

/**
 * The result carries the stream record's key and timestamp. A null value is dropped. Without a row, or a key to look up, an inner join
 * drops the record, and a left join passes it on with a null table value (KIP-962).
 */
export function streamGlobalTableJoin<K, V, G, T, R>(
  args: StreamGlobalTableJoinArgs<K, V, G, T, R>,
  ctx: ProcessorContext,
  next: Process<K, R>,
): Process<K, V | null> {
  const { view, left } = args
  const select = value2(ctx.node, 'key selector', args.selector)
  const joiner = value3(ctx.node, 'joiner', args.joiner)
  const { forwarded } = ctx
  return (key, value, timestamp, headers) => {
    if (value === null) {
      ctx.drop('null-value')
      return
    }
    const selected = select(value, key)
    const row = selected === null ? undefined : view(selected)
    if (row === undefined && !left) {
      ctx.drop(selected === null ? 'null-key' : 'no-match')
      return
    }
    const result = joiner(value, row === undefined ? null : row.value, key)
    forwarded.count++
    next(key, result, timestamp, headers)
  }
}
