/** Stores of `process`, as values: a kind and the serdes of its rows. The types of `context.stores` start here. */

import type { Storage } from '../common/storage.ts'
import type { Duration } from '../common/time.ts'
import type { Serde } from '../serde/serde.ts'

export interface StoreOptions<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
  /**
   * The store's own name, and with it that of its changelog. Processors that are given the same named store share it, and run in one
   * task. Default: `<name of the processor>-<key in stores>`, a store of its own for each.
   */
  readonly name?: string
  /**
   * How long a row stays, in event time: it is gone when a record of the processor moves stream time to the timestamp of the record that put it + ttl, so that of a record
   * later than that with the next one that does. In a punctuation its time counts as the timestamp. Ms, or `'1d'`. Default: until it is deleted.
   */
  readonly ttl?: Duration
  /** `memory` keeps no file: the whole changelog is read again at every start; or a supplier of yours. Default that of the topology, `disk`. */
  readonly storage?: Storage
}

export interface StoreDefinition<in out K, in out V> extends StoreOptions<K, V> {
  readonly kind: 'store'
}

// biome-ignore lint/suspicious/noExplicitAny: each store of a processor has types of its own.
export type AnyStoreDefinition = StoreDefinition<any, any>

/**
 * Declares a key-value store for `process` and `processValues` (Kafka Streams: Stores.keyValueStoreBuilder). It is kept on disk and
 * in a changelog topic, and changes with the transaction of the record that changed it.
 * @example stream.process('attempts', { stores: { tries: store({ key: string, value: json<number>() }) }, ... })
 */
export function store<K, V>(options: StoreOptions<K, V>): StoreDefinition<K, V> {
  const { key, value, name, ttl, storage } = options ?? {}
  return Object.freeze({
    kind: 'store',
    key,
    value,
    ...(name !== undefined && { name }),
    ...(ttl !== undefined && { ttl }),
    ...(storage !== undefined && { storage }),
  })
}
