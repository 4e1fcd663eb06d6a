/** Passes each record to the first branch whose predicate holds, and to no other. */

import { type Process, type ProcessorContext, predicate2 } from './processor.ts'

export interface SplitArgs<K, V> {
  /** One per branch; null always holds (the default branch). */
  readonly predicates: readonly (((value: V, key: K) => boolean) | null)[]
}

/** `nexts[i]` takes the records of `predicates[i]`; a branch nobody reads has undefined there. */
export function split<K, V>(
  args: SplitArgs<K, V>,
  ctx: ProcessorContext,
  nexts: readonly (Process<K, V> | undefined)[],
): Process<K, V> {
  const predicates = args.predicates.map((predicate) => (predicate === null ? null : predicate2(ctx.node, predicate)))
  const { forwarded } = ctx
  return (key, value, timestamp, headers) => {
    for (let i = 0; i < predicates.length; i++) {
      const predicate = predicates[i]
      if (predicate === null || predicate?.(value, key)) {
        const next = nexts[i]
        if (next === undefined) return
        forwarded.count++
        next(key, value, timestamp, headers)
        return
      }
    }
    ctx.drop('no-match')
  }
}
