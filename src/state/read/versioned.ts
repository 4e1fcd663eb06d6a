/** Reads a versioned store: the head of a key says what it holds now and in which chunks its older versions lie. */

import { type Codec, readInt64, rowKey, storePrefix, windowLayout } from '../codec.ts'
import { unreadable } from '../overlay.ts'
import type { Row } from '../store.ts'
import { type Head, headOrdinal, lastUpTo, type Version, versionCodec } from '../version-codec.ts'
import { firstFound, keyReader, type Partitions, rowReader, rows, scanAll } from './partitions.ts'
import type { KeyedRow, QueryableVersionedStore } from './queryable.ts'
import { checkTime } from './times.ts'
import type { StoreView } from './view.ts'

/** @param historyMs of stream time that older versions stay in reach. */
export function queryableVersioned<K, V>(
  store: Partitions<K>,
  value: Codec<V>,
  historyMs: number,
): QueryableVersionedStore<K, V> {
  const { name } = store
  const layout = windowLayout(storePrefix(name))
  const readKey = keyReader(store, layout.rowKeyBytes)
  const readRow = rowReader(name, versionCodec(value))

  const headOf = (stored: Buffer): Head<V> => ({
    ...(readRow(stored).value as Head<V>),
    timestamp: readInt64(stored, 0),
  })

  async function chunk(view: StoreView<K>, key: K, ordinal: number): Promise<readonly Version<V>[]> {
    const stored = await view.get(ordinal, key)
    if (stored === undefined) throw unreadable(name, new Error(`versions of a key are missing (chunk ${ordinal})`))
    return readRow(stored).value as readonly Version<V>[]
  }

  /** In the last chunk that begins at `asOf` or before. */
  async function older(
    view: StoreView<K>,
    key: K,
    { first, count }: Head<V>,
    asOf: number,
  ): Promise<Row<V> | undefined> {
    let low = first
    let high = first + count
    let found: readonly Version<V>[] = []
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const versions = await chunk(view, key, middle)
      if ((versions[0] as Version<V>).timestamp <= asOf) {
        found = versions
        low = middle + 1
      } else high = middle
    }
    return present(found[lastUpTo(found, asOf)])
  }

  return Object.freeze({
    kind: 'versioned',
    name,
    get: async (key: K, asOf = Number.POSITIVE_INFINITY): Promise<Row<V> | undefined> => {
      checkTime(name, 'the time', asOf)
      return firstFound(store, key, async (view) => {
        const stored = await view.get(headOrdinal, key)
        if (stored === undefined) return undefined
        const head = headOf(stored)
        if (asOf >= head.timestamp) return present(head)
        return asOf < view.streamTime - historyMs ? undefined : older(view, key, head, asOf)
      })
    },
    all: (): AsyncIterable<KeyedRow<K, V>> => {
      const range = { from: rowKey(layout, headOrdinal), to: rowKey(layout, headOrdinal + 1), backward: false }
      return rows(async function* () {
        for await (const stored of scanAll(store, () => range)) {
          const latest = present(headOf(stored.value))
          if (latest !== undefined) yield { key: readKey(stored.key), ...latest }
        }
      })
    },
  })
}

/** undefined when it says deleted. */
function present<V>(version: Version<V> | undefined): Row<V> | undefined {
  if (version === undefined || version.value === null) return undefined
  return { value: version.value, timestamp: version.timestamp }
}
