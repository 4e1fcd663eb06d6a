/**
 * The rows of one key in a join buffer, by timestamp, then by arrival. Their times lie in an array of numbers, so that a search touches no row; a
 * row that is taken out leaves a gap until there are many, so that none costs more where a key has more. One that has become
 * empty is made that of another key: with its arrays it is worth more than its memory.
 */

/** Gaps that are left alone. */
const fewGaps = 16
/** Arrays that are longer are not kept for another key. */
const mostKept = 64

export interface TimedRow {
  readonly timestamp: number
  /** Tells the rows of one timestamp apart, in order of arrival. */
  readonly seq: number
}

export class KeyRows<R extends TimedRow> {
  /** The key itself when primitive, else its bytes as a latin1 string. */
  mapKey: unknown
  /** The key's bytes as a latin1 string, made when somebody asks for the order of two keys. */
  bytes: string | undefined = undefined
  #times: number[] = []
  /** undefined is a gap. */
  #rows: (R | undefined)[] = []
  #first = 0
  /** Index after the last row or gap: the arrays are longer. */
  #end = 0
  #count = 0

  constructor(mapKey: unknown) {
    this.mapKey = mapKey
  }

  /** Begins anew, empty as it is, with another key. */
  reuse(mapKey: unknown): void {
    this.mapKey = mapKey
    this.bytes = undefined
    this.#first = 0
    this.#end = 0
    if (this.#times.length <= mostKept) return
    this.#times = []
    this.#rows = []
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** What tells a new row of that time from those that are there. */
  nextSeq(timestamp: number): number {
    const times = this.#times
    for (let at = this.#after(timestamp) - 1; at >= this.#first && times[at] === timestamp; at--) {
      const row = this.#rows[at]
      if (row !== undefined) return row.seq + 1
    }
    return 0
  }

  /** Adds a row after those of its timestamp: they come in order. */
  add(row: R): void {
    const { timestamp } = row
    const at = this.#after(timestamp)
    this.#count++
    if (this.#times.length === 0) {
      // Most keys have few rows: an array that grows takes room for 17.
      this.#times = [timestamp]
      this.#rows = [row]
    } else {
      const times = this.#times
      const rows = this.#rows
      for (let to = this.#end; to > at; to--) {
        times[to] = times[to - 1] as number
        rows[to] = rows[to - 1]
      }
      times[at] = timestamp
      rows[at] = row
    }
    this.#end++
  }

  remove(row: R): void {
    const rows = this.#rows
    // Most are the first.
    let at = rows[this.#first] === row ? this.#first : this.#from(row.timestamp)
    while (rows[at] !== row) at++
    rows[at] = undefined
    this.#count--
    while (this.#first < this.#end && rows[this.#first] === undefined) this.#first++
    const gaps = this.#end - this.#count
    if (gaps > fewGaps && gaps * 2 > this.#end) this.#close()
  }

  /** Shows the rows with timestamps of `from` or later, in order, for as long as `visit` says true. */
  visitFrom(from: number, visit: (row: R) => boolean): void {
    const rows = this.#rows
    for (let at = this.#from(from); at < this.#end; at++) {
      const row = rows[at]
      if (row !== undefined && !visit(row)) return
    }
  }

  /** Moves what is left to the front. */
  #close(): void {
    const times = this.#times
    const rows = this.#rows
    let to = 0
    for (let at = this.#first; at < this.#end; at++) {
      const row = rows[at]
      if (row === undefined) continue
      times[to] = times[at] as number
      rows[to] = row
      to++
    }
    times.length = to
    rows.length = to
    this.#first = 0
    this.#end = to
  }

  /** Index of the first row or gap of that time or a later one. */
  #from(timestamp: number): number {
    const times = this.#times
    let low = this.#first
    let high = this.#end
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((times[middle] as number) < timestamp) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Index after the last row or gap of that time or an earlier one. */
  #after(timestamp: number): number {
    const times = this.#times
    let high = this.#end
    // Most come last.
    if (high === this.#first || (times[high - 1] as number) <= timestamp) return high
    let low = this.#first
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((times[middle] as number) <= timestamp) low = middle + 1
      else high = middle
    }
    return high
  }
}
