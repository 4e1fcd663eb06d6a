/** Lets rows end by event time: what a record's timestamp ends is deleted before the record itself does anything. */

import { noHeaders } from '../common/record.ts'
import type { ExpiringStore } from '../state/store.ts'
import type { Process, ProcessorContext, Update } from './processor.ts'

// biome-ignore lint/suspicious/noExplicitAny: stores of every type, of which only the times count.
type AnyExpiringStore = ExpiringStore<any, any>

export interface ExpireArgs<K, V> {
  readonly store: ExpiringStore<K, V>
  /** The row that a record makes of one that is there is at least as young as that (an aggregate); else it is as old as the record. */
  readonly keepsLatest: boolean
}

/**
 * Stands before an operator that keeps a table, and takes its records first. A row that ends is deleted downstream with the time at which it
 * ended and no headers, in the order of (end, key bytes). A record whose row would have ended already is dropped as late. A null key moves nothing.
 */
export function expireRows<K, V, In>(
  { store, keepsLatest }: ExpireArgs<K, V>,
  ctx: ProcessorContext,
  updates: Update<K, V>,
  process: Process<K | null, In>,
): Process<K | null, In> {
  const { forwarded } = ctx
  const ended = (key: K, value: V, end: number): void => {
    forwarded.count++
    updates(key, null, value, end, noHeaders)
  }
  return (key, value, timestamp, headers) => {
    if (key !== null) {
      if (timestamp > store.streamTime) store.advance(timestamp, ended)
      else if (store.isOver(timestamp) && !(keepsLatest && store.get(key) !== undefined)) {
        ctx.drop('late')
        return
      }
    }
    process(key, value, timestamp, headers)
  }
}

/** Lets the rows of stores end that nobody looks at but the function of the record, which finds them gone. */
export function expireStores(stores: readonly AnyExpiringStore[], timestamp: number): void {
  for (const store of stores) if (timestamp > store.streamTime) store.advance(timestamp, nobody)
}

function nobody(): void {
  // No table is kept there.
}
