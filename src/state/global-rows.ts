/**
 * The rows of a global table, in memory: the last value of each key. Rows that are read anew gather beside those that are looked up,
 * and take their place as a whole.
 */

import type { Codec } from './codec.ts'
import { type MapKeys, mapKeys } from './map-keys.ts'
import type { Row } from './store.ts'

export class GlobalRows<K, V> {
  readonly #keys: MapKeys<K>
  #rows = new Map<unknown, Row<V>>()
  #gathering: Map<unknown, Row<V>> | undefined
  #isWhole = false

  constructor(key: Codec<K>) {
    this.#keys = mapKeys(key)
  }

  get size(): number {
    return this.#rows.size
  }

  /** Whether all there was has been read once. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** All rows as they are now, by the text of their keys' bytes (latin1). */
  all(): { readonly rows: readonly (readonly [unknown, Row<V>])[]; readonly textOf: MapKeys<K>['textOf'] } {
    return { rows: [...this.#rows], textOf: this.#keys.textOf }
  }

  get(key: K): Row<V> | undefined {
    return this.#rows.get(this.#keys.of(key))
  }

  /** A null value deletes. */
  put(key: K, value: V | null, timestamp: number): void {
    const rows = this.#gathering ?? this.#rows
    if (value === null) rows.delete(this.#keys.of(key))
    else rows.set(this.#keys.of(key), { value, timestamp })
  }

  /** What is put from now on is not seen before `swap`. */
  gather(): void {
    this.#gathering = new Map()
  }

  /** What was gathered is all there is. */
  swap(): void {
    this.#isWhole = true
    if (this.#gathering === undefined) return
    this.#rows = this.#gathering
    this.#gathering = undefined
  }
}
