/** The rows of a store that its bytes hold too, from the oldest to the newest: the cache, which gives way when it is too large. */

import type { Entry } from './entry.ts'

export interface CacheLimits {
  /** Most clean rows kept; 0 keeps none, so that every read after a commit goes through bytes. Default: no limit. */
  readonly cacheRows?: number
  /** Most bytes of clean rows kept, by estimate. Default 16 MiB. */
  readonly cacheBytes?: number
}

export class CleanRows<V> {
  readonly #maxRows: number
  readonly #maxBytes: number
  #rows = 0
  #bytes = 0
  #oldest: Entry<V> | null = null
  #newest: Entry<V> | null = null

  constructor({ cacheRows = Number.POSITIVE_INFINITY, cacheBytes = 16 * 1024 * 1024 }: CacheLimits) {
    this.#maxRows = cacheRows
    this.#maxBytes = cacheBytes
  }

  add(entry: Entry<V>): void {
    entry.clean = true
    entry.older = this.#newest
    entry.newer = null
    if (this.#newest === null) this.#oldest = entry
    else this.#newest.newer = entry
    this.#newest = entry
    this.#rows++
    this.#bytes += entry.size
  }

  remove(entry: Entry<V>): void {
    entry.clean = false
    if (entry.older === null) this.#oldest = entry.newer
    else entry.older.newer = entry.newer
    if (entry.newer === null) this.#newest = entry.older
    else entry.newer.older = entry.older
    entry.older = null
    entry.newer = null
    this.#rows--
    this.#bytes -= entry.size
  }

  /** The row that has to go while there are too many; one that was read since it came is spared once. */
  evict(): Entry<V> | undefined {
    while (this.#rows > this.#maxRows || this.#bytes > this.#maxBytes) {
      const entry = this.#oldest
      if (entry === null) return undefined
      this.remove(entry)
      if (!entry.used) return entry
      entry.used = false
      this.add(entry)
    }
    return undefined
  }

  clear(): void {
    this.#rows = 0
    this.#bytes = 0
    this.#oldest = null
    this.#newest = null
  }
}
