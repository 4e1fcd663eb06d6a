/** Materialises a stream as a table that remembers what was valid when: the newest value of each key by time (Kafka Streams: KTableSource). */

import type { VersionedStore } from '../state/store.ts'
import type { Process, ProcessorContext, Update } from './processor.ts'

export interface VersionedTableArgs<K, V> {
  readonly store: VersionedStore<K, V>
  /** Whether somebody downstream looks at old values: they take a look-up each. */
  readonly sendsOld: boolean
}

/**
 * A null value deletes from its time on; a null key is dropped, and so is, as late, what is older than the history.
 * @param next takes updates of a key's latest version.
 * @param older takes those of versions that have newer ones after them: they change no row as it is now. The old value is the latest's.
 */
export function versionedTable<K, V>(
  args: VersionedTableArgs<K, V>,
  ctx: ProcessorContext,
  next: Update<K, V>,
  older: Update<K, V>,
): Process<K | null, V | null> {
  const { store, sendsOld } = args
  const { forwarded } = ctx
  return (key, value, timestamp, headers) => {
    if (key === null) {
      ctx.drop('null-key')
      return
    }
    const old = sendsOld ? (store.get(key)?.value ?? null) : null
    const placement = store.put(key, value, timestamp)
    if (placement === 'refused') {
      ctx.drop('late')
      return
    }
    forwarded.count++
    if (placement === 'latest') next(key, value, old, timestamp, headers)
    else older(key, value, old, timestamp, headers)
  }
}
