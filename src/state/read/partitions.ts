/** The partitions of a store as one: a key is looked for where it belongs, rows of all of them come in one order. */

import { type ReadFrom, readerOf } from '../../common/bytes.ts'
import { StreamError } from '../../common/errors.ts'
import { type Codec, firstAfter, readInt64 } from '../codec.ts'
import { unreadable } from '../overlay.ts'
import type { Row } from '../store.ts'
import type { RowRange, StoredRow, StoreView } from './view.ts'

/** A store that can be read beside the records. */
export interface Viewable<K> {
  readonly name: string
  /** What is committed now; whoever takes it closes it. */
  view(): StoreView<K>
}

export interface Partitions<K> {
  readonly name: string
  readonly key: Codec<K>
  /**
   * The partitions that are here, those where the key belongs first.
   * @throws StreamError REBALANCE when one is not ready.
   */
  readonly stores: (key?: K) => readonly Viewable<K>[]
}

const timestampBytes = 8
const lowestByte = Buffer.alloc(1)

/** What the first partition has that has something. */
export async function firstFound<K, T>(
  { name, stores }: Partitions<K>,
  key: K,
  look: (view: StoreView<K>) => Promise<T | undefined>,
): Promise<T | undefined> {
  if (key === null || key === undefined) throw noKey(name)
  for (const store of stores(key)) {
    const view = store.view()
    try {
      const found = await look(view)
      if (found !== undefined) return found
    } finally {
      await view.close()
    }
  }
  return undefined
}

/** As `firstFound`, with rows. */
export async function* firstRows<K, T>(
  { name, stores }: Partitions<K>,
  key: K,
  look: (view: StoreView<K>) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  if (key === null || key === undefined) throw noKey(name)
  // All at once: one that is looked at later must not have changed.
  const views: StoreView<K>[] = []
  try {
    for (const store of stores(key)) views.push(store.view())
    for (const view of views) {
      let isFound = false
      for await (const row of look(view)) {
        isFound = true
        yield row
      }
      if (isFound) return
    }
  } finally {
    for (const view of views) await view.close()
  }
}

/** The rows of a query; each loop over it asks anew, and sees what is committed when it begins. */
export function rows<T>(ask: () => AsyncGenerator<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: ask }
}

export interface FoundRow extends StoredRow {
  /** Of its partition, ms. */
  readonly streamTime: number
}

/** What all partitions have in a range, in the order of stored keys. @param rangeOf undefined: there is nothing. */
export async function* scanAll<K>(
  { stores }: Partitions<K>,
  rangeOf: (view: StoreView<K>) => RowRange | undefined,
): AsyncGenerator<FoundRow> {
  const views: StoreView<K>[] = []
  try {
    for (const store of stores()) views.push(store.view())
    const heads: Head[] = []
    for (const view of views) {
      const range = rangeOf(view)
      if (range === undefined) continue
      const { streamTime } = view
      heads.push({ streamTime, backward: range.backward, rows: view.scan(range), row: undefined })
    }
    yield* merged(heads)
  } finally {
    for (const view of views) await view.close()
  }
}

interface Head {
  readonly streamTime: number
  readonly backward: boolean
  readonly rows: AsyncGenerator<StoredRow>
  row: StoredRow | undefined
}

async function* merged(heads: readonly Head[]): AsyncGenerator<FoundRow> {
  try {
    for (const head of heads) await advance(head)
    for (let head = firstOf(heads); head !== undefined; head = firstOf(heads)) {
      const { text, key, value } = head.row as StoredRow
      yield { text, key, value, streamTime: head.streamTime }
      await advance(head)
    }
  } finally {
    for (const { rows } of heads) await rows.return(undefined)
  }
}

async function advance(head: Head): Promise<void> {
  const next = await head.rows.next()
  head.row = next.done === true ? undefined : next.value
}

/** Of equal keys that of the lower partition. */
function firstOf(heads: readonly Head[]): Head | undefined {
  let first: Head | undefined
  for (const head of heads) {
    if (head.row === undefined) continue
    if (first?.row === undefined) first = head
    else if (head.backward ? head.row.text > first.row.text : head.row.text < first.row.text) first = head
  }
  return first
}

/** Stored keys of the keys from `from` to `to`, both included, after a prefix; undefined leaves an end open. */
export function keyRange(prefix: Buffer, from: Buffer | undefined, to: Buffer | undefined): Omit<RowRange, 'backward'> {
  return {
    from: from === undefined ? prefix : Buffer.concat([prefix, from]),
    to: to === undefined ? firstAfter(prefix) : Buffer.concat([prefix, to, lowestByte]),
  }
}

/** Decodes `timestamp:8 value`. */
export function rowReader<V>(name: string, value: Codec<V>): (stored: Buffer) => Row<V> {
  const read: ReadFrom<V> = readerOf(value)
  return (stored) => {
    try {
      return { value: read(stored, timestampBytes, stored.length), timestamp: readInt64(stored, 0) }
    } catch (thrown) {
      throw unreadable(name, thrown)
    }
  }
}

/** Decodes the key that begins there in a stored key. */
export function keyReader<K>({ name, key }: Partitions<K>, from: number): (stored: Buffer) => K {
  const read: ReadFrom<K> = readerOf(key)
  return (stored) => {
    try {
      return read(stored, from, stored.length)
    } catch (thrown) {
      throw unreadable(name, thrown)
    }
  }
}

/** What the keys of a prefix begin with. */
export function prefixBytes<P>(store: string, prefix: P, serde: { readonly serialize: (prefix: P) => Buffer }): Buffer {
  if (typeof serde?.serialize === 'function') return serde.serialize(prefix)
  throw new StreamError('INVALID_ARGUMENT', `store ${store} was asked for the keys of a prefix without its serde`, {
    where: { node: store },
    hint: "Give the serde that writes the prefix: prefixScan('a', string).",
  })
}

export function noKey(store: string): StreamError {
  return new StreamError('INVALID_ARGUMENT', `store ${store} was asked for a row without a key`, {
    where: { node: store },
    hint: 'Give the key of the row: keys are never null or undefined.',
  })
}
