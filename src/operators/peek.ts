/** Shows each record to a function and passes it on as it was. */

import { guard2, type Process, type ProcessorContext } from './processor.ts'

export interface PeekArgs<K, V> {
  readonly action: (value: V, key: K) => void
}

export function peek<K, V>(args: PeekArgs<K, V>, ctx: ProcessorContext, next: Process<K, V>): Process<K, V> {
  const action = guard2(ctx.node, args.action)
  return (key, value, timestamp, headers) => {
    action(value, key)
    next(key, value, timestamp, headers)
  }
}
