/**
 * Reads a global table: all rows of its topic, as far as they have come. They are in memory, and a record's put is seen at once, as it is by joins; a
 * scan has the rows of its beginning.
 */

import { type Codec, firstAfter } from '../codec.ts'
import type { GlobalRows } from '../global-rows.ts'
import { pause, slices, sorted } from '../slices.ts'
import type { Row } from '../store.ts'
import { noKey, prefixBytes, rows } from './partitions.ts'
import type { KeyedRow, PrefixSerializer, QueryableKeyValueStore } from './queryable.ts'

export interface GlobalParts<K, V> {
  readonly name: string
  readonly key: Codec<K>
  readonly value: Codec<V>
  /** @throws StreamError REBALANCE while they are not whole. */
  readonly rows: () => GlobalRows<K, V>
}

/** Texts of keys in [from, to); undefined leaves an end open. */
interface TextRange {
  readonly from?: string | undefined
  readonly to?: string | undefined
}

export function queryableGlobal<K, V>(table: GlobalParts<K, V>): QueryableKeyValueStore<K, V> {
  const { name, key: keyCodec, value } = table
  /** Whoever reads a row may change what he is given. */
  const copied = (row: Row<V>): Row<V> => ({
    value: value.deserialize(value.serialize(row.value)),
    timestamp: row.timestamp,
  })

  async function find({ from, to }: TextRange): Promise<ReadonlyMap<string, Row<V>>> {
    const { rows, textOf } = table.rows().all()
    const found = new Map<string, Row<V>>()
    const isDue = slices()
    for (const [mapKey, row] of rows) {
      const text = textOf(mapKey)
      if ((from === undefined || text >= from) && (to === undefined || text < to)) found.set(text, row)
      if (isDue()) await pause()
    }
    return found
  }
  const scan = (range: TextRange, backward: boolean): AsyncIterable<KeyedRow<K, V>> =>
    rows(async function* () {
      const found = await find(range)
      const isDue = slices()
      for (const text of await sorted([...found.keys()], backward)) {
        yield { key: keyCodec.deserialize(Buffer.from(text, 'latin1')), ...copied(found.get(text) as Row<V>) }
        if (isDue()) await pause()
      }
    })
  const textOf = (key: K | undefined): string | undefined =>
    key === undefined ? undefined : keyCodec.serialize(key).toString('latin1')
  const between = (from: K | undefined, to: K | undefined, backward: boolean): AsyncIterable<KeyedRow<K, V>> => {
    const last = textOf(to)
    return scan({ from: textOf(from), to: last === undefined ? undefined : `${last}\0` }, backward)
  }

  return Object.freeze({
    kind: 'key-value',
    name,
    get: async (key: K): Promise<Row<V> | undefined> => {
      if (key === null || key === undefined) throw noKey(name)
      const row = table.rows().get(key)
      return row && copied(row)
    },
    all: () => scan({}, false),
    reverseAll: () => scan({}, true),
    range: (from?: K, to?: K) => between(from, to, false),
    reverseRange: (from?: K, to?: K) => between(from, to, true),
    prefixScan: <P>(prefix: P, serde: PrefixSerializer<P>) => {
      const from = prefixBytes(name, prefix, serde)
      const isOpen = from.every((byte) => byte === 0xff)
      return scan(
        { from: from.toString('latin1'), to: isOpen ? undefined : firstAfter(from).toString('latin1') },
        false,
      )
    },
    approximateNumEntries: async () => table.rows().size,
  })
}
