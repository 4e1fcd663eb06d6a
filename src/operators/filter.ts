/** Passes on the records for which a predicate holds; with `negate`, those for which it does not (`filterNot`). */

import { type Process, type ProcessorContext, predicate2 } from './processor.ts'

export interface FilterArgs<K, V> {
  readonly predicate: (value: V, key: K) => boolean
  readonly negate: boolean
}

export function filter<K, V>(args: FilterArgs<K, V>, ctx: ProcessorContext, next: Process<K, V>): Process<K, V> {
  const predicate = predicate2(ctx.node, args.predicate)
  const { negate } = args
  const { forwarded } = ctx
  return (key, value, timestamp, headers) => {
    // The predicate may return anything truthy; negate compares what it means.
    if (predicate(value, key) !== negate) {
      forwarded.count++
      next(key, value, timestamp, headers)
    }
  }
}
