/**
 * When each row of a store ends, in memory: a key stands at one time, which is its row's end or an earlier one, so that a row that is put again and
 * again costs a look-up and no list grows by it. Whoever takes a key out looks at the row, and puts it back where it ends later.
 */

import { Closings } from './closings.ts'
import type { Codec } from './codec.ts'
import { type MapKeys, mapKeys } from './map-keys.ts'

export class RowEnds<K> {
  readonly #nameOf: MapKeys<K>['of']
  readonly #queue: Closings<K>
  /** By key: the time that counts of those it may stand at in the queue, ms. */
  readonly #times = new Map<unknown, number>()

  constructor(key: Codec<K>) {
    this.#nameOf = mapKeys(key).of
    this.#queue = new Closings(key)
  }

  /** Nothing ends earlier, ms; Infinity without rows. */
  get first(): number {
    return this.#queue.first
  }

  /** The row of the key ends then; one that is known to end earlier is looked at then. */
  put(key: K, end: number): void {
    const name = this.#nameOf(key)
    const known = this.#times.get(name)
    if (known !== undefined && known <= end) return
    this.#times.set(name, end)
    this.#queue.add(end, key)
  }

  /**
   * Takes out what ends by `until`, in the order of (end, key bytes).
   * @param endOf when the row ends as it is now; undefined when there is none.
   * @param ended is told of each; it may put rows of other keys.
   */
  take(until: number, endOf: (key: K) => number | undefined, ended: (key: K, end: number) => void): void {
    for (let due = this.#queue.take(until); due !== undefined; due = this.#queue.take(until)) {
      const { time } = due
      for (const key of due.keys) {
        const name = this.#nameOf(key)
        if (this.#times.get(name) !== time) continue
        this.#times.delete(name)
        const end = endOf(key)
        if (end === undefined) continue
        if (end > time) this.put(key, end)
        else ended(key, time)
      }
    }
  }

  clear(): void {
    this.#times.clear()
    this.#queue.clear()
  }
}
