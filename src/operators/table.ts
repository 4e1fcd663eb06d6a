/** Materialises a stream as a table: the last value of each key, in order of arrival (Kafka Streams: KTableSource). */

import type { KeyValueStore } from '../state/store.ts'
import type { Process, ProcessorContext } from './processor.ts'

export interface TableArgs<K, V> {
  readonly store: KeyValueStore<K, V>
}

/** A null value deletes the key and is passed on; a null key is dropped. */
export function table<K, V>(
  args: TableArgs<K, V>,
  ctx: ProcessorContext,
  next: Process<K, V | null>,
): Process<K | null, V | null> {
  const { store } = args
  const { forwarded } = ctx
  return (key, value, timestamp, headers) => {
    if (key === null) {
      ctx.drop('null-key')
      return
    }
    store.put(key, value, timestamp)
    forwarded.count++
    next(key, value, timestamp, headers)
  }
}
