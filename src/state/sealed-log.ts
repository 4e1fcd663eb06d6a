/**
 * The rows of a store as they were sealed, one after the other, since the last flush: each as the changelog takes it, with where it lies, its
 * timestamp, and which row is the version before it. They are numbered from 0.
 *
 * What is there is never changed, only added to, so that whoever was shown a part of the log can read it for as long as need be: after that,
 * a flush leaves it to the reader and takes a new one.
 */

import { ByteTarget } from '../common/bytes.ts'

export const noRow = -1
const deleted = -1

/** What is committed of a log at one moment: its first rows. */
export interface SealedRows {
  readonly count: number
  readonly source: Buffer
  /** Per row: start of its key, end of its key, end of its value or `deleted`, the row of the version before or `noRow`. */
  readonly places: Int32Array
  /** ms, per row. */
  readonly timestamps: Float64Array
}

const perRow = 4
const firstRows = 64
/** A log that has grown beyond this gives its memory back when it is cleared. */
const mostKept = 65_536

export class SealedLog {
  /** Where a row's key and value are appended before `add`. */
  target = new ByteTarget()
  #count = 0
  #places = new Int32Array(firstRows * perRow)
  #timestamps = new Float64Array(firstRows)
  /** Up to here the rows are committed. */
  #settled = 0
  #isShown = false

  /** The row that was appended from `start` on. @param before the version before it, or `noRow`. @returns its number. */
  add(start: number, keyEnd: number, isDeleted: boolean, timestamp: number, before: number): number {
    const row = this.#count++
    if (row === this.#timestamps.length) this.#grow()
    const places = this.#places
    const at = row * perRow
    places[at] = start
    places[at + 1] = keyEnd
    places[at + 2] = isDeleted ? deleted : this.target.length
    places[at + 3] = before
    this.#timestamps[row] = timestamp
    return row
  }

  /** All that is there is committed. */
  settle(): void {
    this.#settled = this.#count
  }

  /** What is committed, to be read whenever. */
  show(): SealedRows {
    this.#isShown = true
    return this.#rows(this.#settled)
  }

  /** All that is there, to be read before it is added to. */
  all(): SealedRows {
    return this.#rows(this.#count)
  }

  /** Of a row that may be under way, the version that is committed; `noRow` for none. */
  settled(row: number): number {
    return row < this.#settled ? row : (this.#places[row * perRow + 3] as number)
  }

  clear(): void {
    if (this.#isShown) this.target = new ByteTarget()
    else this.target.clear()
    if (this.#isShown || this.#timestamps.length > mostKept) {
      this.#places = new Int32Array(firstRows * perRow)
      this.#timestamps = new Float64Array(firstRows)
    }
    this.#isShown = false
    this.#count = 0
    this.#settled = 0
  }

  #rows(count: number): SealedRows {
    return { count, source: this.target.buffer, places: this.#places, timestamps: this.#timestamps }
  }

  #grow(): void {
    const places = new Int32Array(this.#places.length * 2)
    places.set(this.#places)
    this.#places = places
    const timestamps = new Float64Array(this.#timestamps.length * 2)
    timestamps.set(this.#timestamps)
    this.#timestamps = timestamps
  }
}

export function keyStartOf({ places }: SealedRows, row: number): number {
  return places[row * perRow] as number
}

export function keyEndOf({ places }: SealedRows, row: number): number {
  return places[row * perRow + 1] as number
}

/** The value begins where the key ends. Below 0: the row says deleted. */
export function valueEndOf({ places }: SealedRows, row: number): number {
  return places[row * perRow + 2] as number
}

export function timestampOf({ timestamps }: SealedRows, row: number): number {
  return timestamps[row] as number
}
