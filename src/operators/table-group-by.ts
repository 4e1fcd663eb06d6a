/** Sends each change of a table to where its row is grouped (Kafka Streams: KTableRepartitionMap). */

import type { Change } from '../common/change.ts'
import { checkedPair } from './map.ts'
import { guard2, type Process, type ProcessorContext, type Update } from './processor.ts'

export interface TableGroupByArgs<K, V, K2, V2> {
  /** `(value, key) => [key, value]` of the group; a null one on either side takes the row out of every group. */
  readonly mapper: (value: V, key: K) => readonly [K2 | null, V2 | null]
  /** Whether two keys are one group. */
  readonly sameKey: (a: K2, b: K2) => boolean
}

/**
 * A row that stays in its group travels as one record with both values, so that the group is never seen without it; one that moves is
 * taken out of the old group first.
 */
export function tableGroupBy<K, V, K2, V2>(
  args: TableGroupByArgs<K, V, K2, V2>,
  ctx: ProcessorContext,
  next: Process<K2, Change<V2>>,
): Update<K, V> {
  const { sameKey } = args
  const mapper = guard2(ctx.node, (value: V, key: K) => checkedPair(args.mapper(value, key)))
  const { forwarded } = ctx
  const pairOf = (value: V | null, key: K): readonly [K2, V2] | null => {
    if (value === null) return null
    const pair = mapper(value, key)
    return pair[0] === null || pair[1] === null ? null : (pair as readonly [K2, V2])
  }
  return (key, value, old, timestamp, headers) => {
    const to = pairOf(value, key)
    const from = pairOf(old, key)
    if (to !== null && from !== null && sameKey(to[0], from[0])) {
      forwarded.count++
      next(to[0], { value: to[1], old: from[1] }, timestamp, headers)
      return
    }
    if (from !== null) {
      forwarded.count++
      next(from[0], { value: null, old: from[1] }, timestamp, headers)
    }
    if (to !== null) {
      forwarded.count++
      next(to[0], { value: to[1], old: null }, timestamp, headers)
    }
  }
}
