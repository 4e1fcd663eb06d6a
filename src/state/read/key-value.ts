/** Reads a key-value store: one row per key, with a ttl or without. */

import { type Codec, firstAfter, storePrefix } from '../codec.ts'
import type { Row } from '../store.ts'
import {
  firstFound,
  keyRange,
  keyReader,
  type Partitions,
  prefixBytes,
  rowReader,
  rows,
  scanAll,
} from './partitions.ts'
import type { KeyedRow, QueryableKeyValueStore } from './queryable.ts'
import type { RowRange } from './view.ts'

export function queryableKeyValue<K, V>(store: Partitions<K>, value: Codec<V>): QueryableKeyValueStore<K, V> {
  const { name, key } = store
  const prefix = storePrefix(name)
  const readKey = keyReader(store, prefix.length)
  const readRow = rowReader(name, value)

  async function* scan(range: RowRange): AsyncGenerator<KeyedRow<K, V>> {
    for await (const stored of scanAll(store, () => range)) {
      yield { key: readKey(stored.key), ...readRow(stored.value) }
    }
  }
  const bytesOf = (end: K | undefined): Buffer | undefined => (end === undefined ? undefined : key.serialize(end))
  const between = (from: K | undefined, to: K | undefined, backward: boolean): AsyncIterable<KeyedRow<K, V>> => {
    const bounds = keyRange(prefix, bytesOf(from), bytesOf(to))
    return rows(() => scan({ ...bounds, backward }))
  }

  return Object.freeze({
    kind: 'key-value',
    name,
    get: (key: K): Promise<Row<V> | undefined> =>
      firstFound(store, key, async (view) => {
        const stored = await view.get(0, key)
        return stored && readRow(stored)
      }),
    all: () => between(undefined, undefined, false),
    reverseAll: () => between(undefined, undefined, true),
    range: (from?: K, to?: K) => between(from, to, false),
    reverseRange: (from?: K, to?: K) => between(from, to, true),
    prefixScan: <P>(start: P, serde: { readonly serialize: (prefix: P) => Buffer }) => {
      const from = Buffer.concat([prefix, prefixBytes(name, start, serde)])
      return rows(() => scan({ from, to: firstAfter(from), backward: false }))
    },
    approximateNumEntries: async () => {
      const range = { ...keyRange(prefix, undefined, undefined), backward: false }
      let count = 0
      for await (const _ of scanAll(store, () => range)) count++
      return count
    },
  })
}
