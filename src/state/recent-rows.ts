/** The rows of a join buffer whose values are in memory though the bytes hold them too; the oldest give way when they are too many. */

import type { CacheLimits } from './clean-rows.ts'
import { type JoinRow, rowBits } from './join-row.ts'

const { kept, loaded, used } = rowBits

/** Slots of the queue that are given up before it is made shorter. */
const mostSpent = 1024

export class RecentRows<V> {
  readonly #maxRows: number
  readonly #maxBytes: number
  /** In the order in which they came; one that was taken out meanwhile is skipped. */
  #queue: JoinRow<V>[] = []
  #spent = 0
  #rows = 0
  #bytes = 0

  constructor({ cacheRows = Number.POSITIVE_INFINITY, cacheBytes = 16 * 1024 * 1024 }: CacheLimits) {
    this.#maxRows = cacheRows
    this.#maxBytes = cacheBytes
  }

  add(row: JoinRow<V>): void {
    row.bits |= kept
    this.#queue.push(row)
    this.#rows++
    this.#bytes += row.size
  }

  /** The row goes, or its value is no longer that of the bytes. */
  remove(row: JoinRow<V>): void {
    if ((row.bits & kept) === 0) return
    row.bits &= ~kept
    this.#rows--
    this.#bytes -= row.size
  }

  /** Lets go of values while there are too many; one that was read since it came is spared once. */
  trim(): void {
    for (let row = this.#queue[this.#spent]; row !== undefined; row = this.#queue[this.#spent]) {
      const isKept = (row.bits & kept) !== 0
      if (isKept && this.#rows <= this.#maxRows && this.#bytes <= this.#maxBytes) break
      this.#spent++
      if (!isKept) continue
      this.remove(row)
      if ((row.bits & used) !== 0) {
        row.bits &= ~used
        this.add(row)
      } else {
        row.bits &= ~loaded
        row.value = undefined
      }
    }
    if (this.#spent >= mostSpent && this.#spent * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#spent)
      this.#spent = 0
    }
  }

  clear(): void {
    this.#queue = []
    this.#spent = 0
    this.#rows = 0
    this.#bytes = 0
  }
}
