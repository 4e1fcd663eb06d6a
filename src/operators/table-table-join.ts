/**
 * Joins two tables by key: an update of either side meets the other side's row as it is now (Kafka Streams: KTableKTableInnerJoin,
 * KTableKTableLeftJoin, KTableKTableRightJoin, KTableKTableOuterJoin). The old result is made with the other side's row of now too.
 */

import { type ProcessorContext, type Update, type View, value3 } from './processor.ts'

export interface TableTableJoinArgs<K, L, R, Q> {
  /** Rows of the left side that have no partner are joined with null. */
  readonly left: boolean
  /** Rows of the right side that have no partner are joined with null. */
  readonly right: boolean
  readonly joiner: (left: L | null, right: R | null, key: K) => Q
}

export interface TableTableJoinWiring {
  readonly sendsOld: boolean
}

/** What takes the updates of the left side. A result carries the later of the two timestamps. */
export function joinLeft<K, L, R, Q>(
  args: TableTableJoinArgs<K, L, R, Q> & TableTableJoinWiring & { readonly view: View<K, R> },
  ctx: ProcessorContext,
  next: Update<K, Q>,
): Update<K, L> {
  const { left, right, view, sendsOld } = args
  const joiner = value3(ctx.node, 'joiner', args.joiner)
  return side({ outer: left, otherOuter: right, view, sendsOld, join: joiner }, ctx, next)
}

/** What takes the updates of the right side. */
export function joinRight<K, L, R, Q>(
  args: TableTableJoinArgs<K, L, R, Q> & TableTableJoinWiring & { readonly view: View<K, L> },
  ctx: ProcessorContext,
  next: Update<K, Q>,
): Update<K, R> {
  const { left, right, view, sendsOld } = args
  const joiner = value3(ctx.node, 'joiner', args.joiner)
  const join = (row: R | null, other: L | null, key: K): Q => joiner(other, row, key)
  return side({ outer: right, otherOuter: left, view, sendsOld, join }, ctx, next)
}

interface Side<K, A, B, Q> {
  /** A row of this side is joined without a partner. */
  readonly outer: boolean
  /** A row of the other side is. */
  readonly otherOuter: boolean
  readonly view: View<K, B>
  readonly sendsOld: boolean
  readonly join: (row: A | null, other: B | null, key: K) => Q
}

function side<K, A, B, Q>(
  { outer, otherOuter, view, sendsOld, join }: Side<K, A, B, Q>,
  ctx: ProcessorContext,
  next: Update<K, Q>,
): Update<K, A> {
  const { forwarded } = ctx
  return (key, value, old, timestamp, headers) => {
    if (key === null) {
      ctx.drop('null-key')
      return
    }
    const row = view(key)
    if (row === undefined) {
      // Without a partner there was no result before, and is none now, unless rows of this side stand alone.
      if (!outer || (value === null && old === null)) return
      forwarded.count++
      const result = value === null ? null : join(value, null, key)
      next(key, result, sendsOld && old !== null ? join(old, null, key) : null, timestamp, headers)
      return
    }
    const other = row.value
    const joined = Math.max(row.timestamp, timestamp)
    const result = value !== null || otherOuter ? join(value, other, key) : null
    const before = sendsOld && (old !== null || otherOuter) ? join(old, other, key) : null
    forwarded.count++
    next(key, result, before, joined, headers)
  }
}

/** The result of a key as it is now; a null result is no row. */
export function joinedView<K, L, R, Q>(
  args: TableTableJoinArgs<K, L, R, Q> & { readonly leftView: View<K, L>; readonly rightView: View<K, R> },
  ctx: ProcessorContext,
): View<K, Q> {
  const { leftView, rightView, left, right } = args
  const joiner = value3(ctx.node, 'joiner', args.joiner)
  return (key) => {
    const mine = leftView(key)
    if (mine === undefined && !right) return undefined
    // The row is live: what the other look-up does must not change what is read of it.
    const value = mine === undefined ? null : mine.value
    const timestamp = mine === undefined ? -1 : mine.timestamp
    const other = rightView(key)
    if (other === undefined) {
      if (mine === undefined || !left) return undefined
      const alone = joiner(value, null, key)
      return alone === null ? undefined : { value: alone, timestamp }
    }
    const result = joiner(value, other.value, key)
    return result === null ? undefined : { value: result, timestamp: Math.max(other.timestamp, timestamp) }
  }
}
