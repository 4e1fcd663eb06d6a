/**
 * The rows of a join buffer as bytes: those of one commit together, on their way to the byte store, and after that for as long as the
 * cache has room, the oldest batch giving way first. Invariant: a batch that is let go of leaves no row pointing to it, but for one
 * that is to be written again: that one keeps it alive.
 */

import { ByteTarget } from '../common/bytes.ts'
import type { CacheLimits } from './clean-rows.ts'
import { type JoinRow, type RowBatch, rowBits } from './join-row.ts'

const { changed, loaded, stored } = rowBits

/** What a row weighs in memory besides its bytes. */
export const rowOverheadBytes = 64
/** Rows that were read from the byte store share a batch up to this size. */
const readBatchBytes = 64 * 1024
/** Targets that wait to be used again. */
const mostSpare = 4

export class RowBatches<V> {
  readonly #maxRows: number
  readonly #maxBytes: number
  /** Committed, and not in the byte store yet; in order. */
  #unflushed: RowBatch<V>[] = []
  /** In the byte store too. */
  #cached: RowBatch<V>[] = []
  #cachedRows = 0
  #cachedBytes = 0
  /** The last of the cached ones, while it takes rows that were read. */
  #reads: RowBatch<V> | undefined
  #spare: ByteTarget[] = []

  constructor({ cacheRows = Number.POSITIVE_INFINITY, cacheBytes = 16 * 1024 * 1024 }: CacheLimits) {
    this.#maxRows = cacheRows
    this.#maxBytes = cacheBytes
  }

  create(): RowBatch<V> {
    return { target: this.#spare.pop() ?? new ByteTarget(), rows: [], latest: -1, isFlushed: false }
  }

  get unflushed(): readonly RowBatch<V>[] {
    return this.#unflushed
  }

  get unflushedRows(): number {
    return this.#unflushed.reduce((sum, { rows }) => sum + rows.length, 0)
  }

  get unflushedBytes(): number {
    return this.#unflushed.reduce((sum, { target }) => sum + target.length, 0)
  }

  /** The batch is committed. */
  add(batch: RowBatch<V>): void {
    if (batch.rows.length > 0) this.#unflushed.push(batch)
    else this.#release(batch)
  }

  /** The byte store has what was unflushed. */
  flushed(): void {
    for (const batch of this.#unflushed) {
      batch.isFlushed = true
      this.#cached.push(batch)
      this.#cachedRows += batch.rows.length
      this.#cachedBytes += weight(batch)
    }
    if (this.#unflushed.length > 0) this.#reads = undefined
    this.#unflushed = []
    this.trim()
  }

  /** Keeps a row as it was read from the byte store: `held:1 value`. */
  keep(row: JoinRow<V>, bytes: Buffer): void {
    let batch = this.#reads
    if (batch === undefined || batch.target.length > readBatchBytes) {
      batch = this.create()
      batch.isFlushed = true
      this.#reads = batch
      this.#cached.push(batch)
    }
    const { target } = batch
    row.batch = batch
    row.at = target.length
    target.writeBytes(bytes)
    row.end = target.length
    batch.rows.push(row)
    if (row.timestamp > batch.latest) batch.latest = row.timestamp
    this.#cachedRows++
    this.#cachedBytes += bytes.length + rowOverheadBytes
  }

  /** Lets go of batches while there are too many. */
  trim(): void {
    let count = 0
    while (this.#cachedRows > this.#maxRows || this.#cachedBytes > this.#maxBytes) this.#uncache(count++)
    if (count > 0) this.#cached.splice(0, count)
  }

  /** Lets go of batches whose rows are all older than `time`, but for those that have a row of the byte store to delete. */
  expire(time: number): void {
    this.#unflushed = this.#unflushed.filter((batch) => {
      const stays = batch.latest >= time || batch.rows.some((row) => row.batch === batch && (row.bits & stored) !== 0)
      if (!stays) this.#release(batch)
      return stays
    })
    for (let at = this.#cached.length - 1; at >= 0; at--) {
      if ((this.#cached[at] as RowBatch<V>).latest >= time) continue
      this.#uncache(at)
      this.#cached.splice(at, 1)
    }
  }

  clear(): void {
    this.#unflushed = []
    this.#cached = []
    this.#cachedRows = 0
    this.#cachedBytes = 0
    this.#reads = undefined
  }

  #uncache(at: number): void {
    const batch = this.#cached[at] as RowBatch<V>
    this.#cachedRows -= batch.rows.length
    this.#cachedBytes -= weight(batch)
    if (batch === this.#reads) this.#reads = undefined
    this.#release(batch)
  }

  #release(batch: RowBatch<V>): void {
    let isFree = true
    for (const row of batch.rows) {
      if (row.batch !== batch) continue
      if ((row.bits & changed) !== 0) {
        isFree = false
        continue
      }
      row.batch = undefined
      row.value = undefined
      row.bits &= ~loaded
    }
    if (!isFree || this.#spare.length >= mostSpare) return
    batch.target.clear()
    this.#spare.push(batch.target)
  }
}

function weight<V>({ target, rows }: RowBatch<V>): number {
  return target.length + rows.length * rowOverheadBytes
}
