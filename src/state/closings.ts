/**
 * Which windows of a store are open, by time: a list of keys for each. It is in memory alone, for the record path can ask bytes for one key and not
 * for a range; a store reads it from its rows before records run. A key may stand in a list that its window has left since: whoever takes it
 * out looks at the row.
 */

import { ByteTarget, writerOf } from '../common/bytes.ts'
import { Heap } from '../common/heap.ts'
import type { Codec } from './codec.ts'

/** Keys whose windows are due at one time, each once, in the order of their bytes. */
export interface Due<K> {
  readonly time: number
  readonly keys: readonly K[]
}

export class Closings<K> {
  readonly #writeKey: (key: K, target: ByteTarget) => void
  readonly #target = new ByteTarget()
  readonly #keys = new Map<number, K[]>()
  readonly #times = new Heap<number>((a, b) => a < b)

  constructor(key: Codec<K>) {
    this.#writeKey = writerOf(key)
  }

  /** The earliest time of all, ms; Infinity when there is none. */
  get first(): number {
    return this.#times.first ?? Number.POSITIVE_INFINITY
  }

  add(time: number, key: K): void {
    const keys = this.#keys.get(time)
    if (keys !== undefined) {
      keys.push(key)
      return
    }
    this.#keys.set(time, [key])
    this.#times.push(time)
  }

  /** Takes out the earliest time, when it is not after `until`. */
  take(until: number): Due<K> | undefined {
    const time = this.#times.first
    if (time === undefined || time > until) return undefined
    this.#times.pop()
    const keys = this.#keys.get(time) as K[]
    this.#keys.delete(time)
    return { time, keys: keys.length === 1 ? keys : this.#inOrder(keys) }
  }

  clear(): void {
    this.#keys.clear()
    this.#times.clear()
  }

  #inOrder(keys: readonly K[]): readonly K[] {
    const texts = new Map(keys.map((key) => [this.#textOf(key), key]))
    // As latin1 the texts compare as the bytes do.
    const order = [...texts.keys()].sort((a, b) => (a < b ? -1 : 1))
    return order.map((text) => texts.get(text) as K)
  }

  #textOf(key: K): string {
    const target = this.#target
    target.clear()
    this.#writeKey(key, target)
    return target.buffer.toString('latin1', 0, target.length)
  }
}
