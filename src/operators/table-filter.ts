/** The rows of a table for which a predicate holds; with `negate`, those for which it does not (Kafka Streams: KTableFilter). */

import { type ProcessorContext, predicate2, type Update, type View } from './processor.ts'

export interface TableFilterArgs<K, V> {
  readonly predicate: (value: V, key: K) => boolean
  readonly negate: boolean
  /** The table is versioned: each of its versions says something about a time, and is passed on. */
  readonly isVersioned?: boolean
}

/**
 * A row that passed and no longer does is deleted downstream. Where neither the old nor the new row passes nothing is said
 * (KAFKA-10077), unless the table is versioned (KIP-914): a version that does not pass may end one that does.
 */
export function tableFilter<K, V>(
  args: TableFilterArgs<K, V>,
  ctx: ProcessorContext,
  next: Update<K, V>,
): Update<K, V> {
  const passes = passing(args, ctx)
  const { forwarded } = ctx
  const { isVersioned = false } = args
  return (key, value, old, timestamp, headers) => {
    const kept = value !== null && passes(value, key) ? value : null
    const before = old !== null && passes(old, key) ? old : null
    if (kept === null && before === null && !isVersioned) return
    forwarded.count++
    next(key, kept, before, timestamp, headers)
  }
}

export function filteredView<K, V>(args: TableFilterArgs<K, V>, ctx: ProcessorContext, view: View<K, V>): View<K, V> {
  const passes = passing(args, ctx)
  return (key, asOf) => {
    const row = view(key, asOf)
    return row !== undefined && passes(row.value, key) ? row : undefined
  }
}

function passing<K, V>({ predicate, negate }: TableFilterArgs<K, V>, ctx: ProcessorContext) {
  const guarded = predicate2(ctx.node, predicate)
  return (value: V, key: K): boolean => guarded(value, key) !== negate
}
