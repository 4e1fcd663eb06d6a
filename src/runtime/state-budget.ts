/** One process-wide memory budget for state, divided among the tasks that are open, so that many tasks cost what few do. */

export interface StateBudget {
  /** LevelDB's write buffer; it keeps up to two. */
  readonly writeBufferBytes: number
  /** LevelDB's cache of uncompressed blocks. */
  readonly blockCacheBytes: number
  /** Limits of each store's cache of rows. */
  readonly cache: { readonly cacheRows?: number; readonly cacheBytes?: number }
}

const defaultBytes = 256 << 20
const kib = 1 << 10

/**
 * A quarter for write buffers, a quarter for block caches, half for rows.
 * @param totalBytes default 256 MiB.
 */
export function stateBudget(tasks: number, storesPerTask: number, totalBytes = defaultBytes): StateBudget {
  const share = totalBytes / Math.max(1, tasks)
  const within = (bytes: number, least: number, most: number) => Math.round(Math.min(most, Math.max(least, bytes)))
  return {
    writeBufferBytes: within(share / 8, 64 * kib, 8 << 20),
    blockCacheBytes: within(share / 4, 64 * kib, 64 << 20),
    cache: { cacheBytes: within(share / 2 / Math.max(1, storesPerTask), 256 * kib, totalBytes) },
  }
}
