/**
 * The rows of the left table that refer to each foreign key, on a key-value store: a ring of links per foreign key, in order of arrival. A
 * subscription comes and goes with a write of its own link and its neighbours', and an update of the foreign row walks the ring: neither needs an
 * index in memory, nor an ordered scan, which LevelDB does not give synchronously.
 */

import type { Link } from '../common/subscription.ts'
import type { KeyValueStore } from './store.ts'

export interface Subscriptions {
  /** A subscription that is there keeps its place. */
  put(foreignKey: string, key: string, hash: string, partition: number, timestamp: number): void
  remove(foreignKey: string, key: string, timestamp: number): void
  /** In order of arrival. Nothing may be put or removed meanwhile. */
  each(foreignKey: string, visit: (key: string, hash: string, partition: number) => void): void
}

export function subscriptions(store: KeyValueStore<string, Link>): Subscriptions {
  const change = (row: string, timestamp: number, part: Partial<Link>): void => {
    const link = store.get(row)?.value ?? noLink
    store.put(row, { ...link, ...part }, timestamp)
  }
  return {
    put(foreignKey, key, hash, partition, timestamp) {
      const row = rowOf(foreignKey, key)
      const known = store.get(row)?.value
      if (known !== undefined) {
        store.put(row, { ...known, hash, partition }, timestamp)
        return
      }
      const ring = rowOf(foreignKey, null)
      const last = store.get(ring)?.value.previous ?? null
      store.put(row, { hash, partition, previous: last, next: null }, timestamp)
      if (last === null) change(ring, timestamp, { previous: key, next: key })
      else {
        change(rowOf(foreignKey, last), timestamp, { next: key })
        change(ring, timestamp, { previous: key })
      }
    },
    remove(foreignKey, key, timestamp) {
      const row = rowOf(foreignKey, key)
      const known = store.get(row)?.value
      if (known === undefined) return
      const { previous, next } = known
      store.put(row, null, timestamp)
      const ring = rowOf(foreignKey, null)
      if (previous === null && next === null) store.put(ring, null, timestamp)
      else {
        change(previous === null ? ring : rowOf(foreignKey, previous), timestamp, { next })
        change(next === null ? ring : rowOf(foreignKey, next), timestamp, { previous })
      }
    },
    each(foreignKey, visit) {
      let key = store.get(rowOf(foreignKey, null))?.value.next ?? null
      while (key !== null) {
        const { hash, partition, next } = (store.get(rowOf(foreignKey, key)) as { value: Link }).value
        visit(key, hash, partition)
        key = next
      }
    },
  }
}

const noLink: Link = Object.freeze({ hash: '', partition: 0, previous: null, next: null })

/** `00 length:3 foreign-key key`, and for the ring itself `01 foreign-key`. */
function rowOf(foreignKey: string, key: string | null): string {
  if (key === null) return `\x01${foreignKey}`
  const { length } = foreignKey
  return `\x00${String.fromCharCode((length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff)}${foreignKey}${key}`
}
