/** Materialises a stream as a table: the last value of each key, in order of arrival (Kafka Streams: KTableSource). */

import type { KeyValueStore } from '../state/store.ts'
import { type CurrentRecord, type Process, type ProcessorContext, recordOf, type Update } from './processor.ts'

export interface TableArgs<K, V> {
  readonly store: KeyValueStore<K, V>
  /** Whether somebody downstream looks at old values: they take a look-up each. */
  readonly sendsOld: boolean
  /** The record under way, where values come here as they were read and rows are written with the same serde. */
  readonly unchanged?: CurrentRecord | undefined
}

/** A null value deletes the key and is passed on; a null key is dropped. */
export function table<K, V>(
  args: TableArgs<K, V>,
  ctx: ProcessorContext,
  next: Update<K, V>,
): Process<K | null, V | null> {
  const { store, sendsOld, unchanged } = args
  const { forwarded } = ctx
  return (key, value, timestamp, headers) => {
    if (key === null) {
      ctx.drop('null-key')
      return
    }
    const old = sendsOld ? (store.get(key)?.value ?? null) : null
    store.put(key, value, timestamp, value === null ? undefined : recordOf(value, unchanged))
    forwarded.count++
    next(key, value, old, timestamp, headers)
  }
}
