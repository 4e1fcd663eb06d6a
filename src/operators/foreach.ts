/** Shows each record to a function; the record ends here. */

import { guard2, type Process, type ProcessorContext } from './processor.ts'

export interface ForeachArgs<K, V> {
  readonly action: (value: V, key: K) => void
}

export function foreach<K, V>(args: ForeachArgs<K, V>, ctx: ProcessorContext): Process<K, V> {
  const action = guard2(ctx.node, args.action)
  return (key, value) => {
    action(value, key)
  }
}
