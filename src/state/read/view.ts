/**
 * What is committed of a store at one moment (read committed): the rows of the sealed log that are settled, over those of the bytes. What an open
 * transaction has written is never seen, sealed or not. The rows stay those of the moment for as long as the view is open, whatever is
 * sealed, flushed, discarded or expired meanwhile: the log is shown, not copied, and the bytes keep a snapshot.
 *
 * Invariant: log and snapshot are taken in one turn. What a flush is writing just then is in the log, so it does not matter whether the
 * snapshot has it already.
 */

import { ByteTarget, writerOf } from '../../common/bytes.ts'
import { type Codec, type RowLayout, rowKey, stampedValue } from '../codec.ts'
import type { Bucket } from '../entry.ts'
import { canonical } from '../map-keys.ts'
import type { Overlay } from '../overlay.ts'
import { keyEndOf, keyStartOf, noRow, type SealedRows, timestampOf, valueEndOf } from '../sealed-log.ts'
import { pause, slices, sorted } from '../slices.ts'
import type { ByteRow, ByteSnapshot, ByteStore } from '../store.ts'

export interface ViewParts<K> {
  // biome-ignore lint/suspicious/noExplicitAny: rows are read as bytes, whatever they hold.
  readonly overlay: Overlay<K, any>
  readonly bytes: ByteStore
  readonly key: Codec<K>
  readonly layout: RowLayout
  /** Those that are in memory, by the start of their rows. */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly bucket: (start: number) => Bucket<any> | undefined
  /** Settled stream time, ms; -1 where the store has none. */
  readonly streamTime: number
}

/** A row in bytes. */
export interface StoredRow {
  /** The stored key as a latin1 text: such texts compare as the bytes do. */
  readonly text: string
  readonly key: Buffer
  /** `timestamp:8 value` */
  readonly value: Buffer
}

export interface RowRange {
  /** Stored keys in [from, to). */
  readonly from: Buffer
  readonly to: Buffer
  readonly backward: boolean
}

export class StoreView<K> {
  readonly streamTime: number
  readonly #parts: ViewParts<K>
  readonly #rows: SealedRows
  readonly #changes: number
  readonly #snapshot: ByteSnapshot

  /** @throws StreamError REBALANCE when the bytes are closed. */
  constructor(parts: ViewParts<K>) {
    this.#parts = parts
    this.streamTime = parts.streamTime
    this.#snapshot = parts.bytes.snapshot()
    this.#rows = parts.overlay.settledRows()
    this.#changes = parts.overlay.changes
  }

  /** `timestamp:8 value` of a row. */
  async get(start: number, key: K): Promise<Buffer | undefined> {
    const row = this.#find(start, key)
    if (row !== noRow) return storedValue(this.#rows, row)
    const { layout } = this.#parts
    return this.#snapshot.get(rowKey(layout, start, this.#parts.key.serialize(canonical(key))))
  }

  /** Rows in the order of their stored keys, or the other way round. */
  async *scan(range: RowRange): AsyncGenerator<StoredRow> {
    const places = await this.#placesIn(range)
    const recent = (await sorted([...places.keys()], range.backward))[Symbol.iterator]()
    const sealed = this.#rows
    const isBefore = (a: string, b: string): boolean => (range.backward ? a > b : a < b)
    let next = recent.next()
    const isDue = slices()
    /** Those of the log up to `end`; the last of them takes the place of a row of the same key. */
    function* recentUpTo(end: string | undefined): Generator<StoredRow> {
      for (; next.done !== true && (end === undefined || !isBefore(end, next.value)); next = recent.next()) {
        const value = storedValue(sealed, places.get(next.value) as number)
        if (value !== undefined) yield { text: next.value, key: Buffer.from(next.value, 'latin1'), value }
      }
    }
    for await (const [key, value] of this.#storedRows(range)) {
      const text = key.toString('latin1')
      for (const row of recentUpTo(text)) {
        yield row
        if (isDue()) await pause()
      }
      if (places.has(text)) continue
      yield { text, key, value }
      if (isDue()) await pause()
    }
    for (const row of recentUpTo(undefined)) {
      yield row
      if (isDue()) await pause()
    }
  }

  close(): Promise<void> {
    return this.#snapshot.close()
  }

  #storedRows({ from, to, backward }: RowRange): AsyncIterable<ByteRow> {
    return this.#snapshot.scan(from, to, backward)
  }

  /** While nothing has moved the overlay knows where a row is; later the log is gone through. */
  #find(start: number, key: K): number {
    const { overlay, layout, bucket } = this.#parts
    if (overlay.changes === this.#changes) return overlay.settledRow(bucket(start), key)
    const sealed = this.#rows
    const wanted = new ByteTarget()
    writerOf(this.#parts.key)(canonical(key), wanted)
    layout.endChangelogKey(start, wanted)
    for (let row = sealed.count - 1; row >= 0; row--) {
      const keyStart = keyStartOf(sealed, row)
      const keyEnd = keyEndOf(sealed, row)
      if (keyEnd - keyStart !== wanted.length) continue
      if (sealed.source.compare(wanted.buffer, 0, wanted.length, keyStart, keyEnd) === 0) return row
    }
    return noRow
  }

  /** By stored key, the last version that the log has of each row. */
  async #placesIn(range: RowRange): Promise<ReadonlyMap<string, number>> {
    const { layout } = this.#parts
    const sealed = this.#rows
    const from = range.from.toString('latin1')
    const to = range.to.toString('latin1')
    const places = new Map<string, number>()
    const target = new ByteTarget()
    const isDue = slices()
    for (let row = 0; row < sealed.count; row++) {
      const keyEnd = keyEndOf(sealed, row)
      target.clear()
      layout.writeRowKey(
        layout.startIn(sealed.source, keyEnd),
        sealed.source,
        keyStartOf(sealed, row),
        keyEnd - layout.changelogKeyBytes,
        target,
      )
      const text = target.buffer.toString('latin1', 0, target.length)
      if (text >= from && text < to) places.set(text, row)
      if (isDue()) await pause()
    }
    return places
  }
}

/** undefined when the row says deleted. */
function storedValue(sealed: SealedRows, row: number): Buffer | undefined {
  const end = valueEndOf(sealed, row)
  if (end < 0) return undefined
  return stampedValue(sealed.source.subarray(keyEndOf(sealed, row), end), timestampOf(sealed, row))
}
