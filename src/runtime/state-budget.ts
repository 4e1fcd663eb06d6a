/** One process-wide memory budget for state, divided among the tasks that are open, so that many tasks cost what few do. */

/** When committed rows go to the byte store: as soon as one of these is reached. */
export interface FlushBudget {
  /** Bytes sealed since the last time, every version of a row. */
  readonly bytes: number
  /** Rows, which is what a flush keeps the event loop for. */
  readonly rows: number
  /** ms since the last time. What lies in between is replayed from the changelog after a crash. */
  readonly intervalMs: number
}

export interface StateBudget {
  /** LevelDB's write buffer; it keeps up to two. */
  readonly writeBufferBytes: number
  /** LevelDB's cache of uncompressed blocks. */
  readonly blockCacheBytes: number
  readonly flush: FlushBudget
  /** Limits of each store's cache of rows. */
  readonly cache: { readonly cacheRows?: number; readonly cacheBytes?: number }
}

const kib = 1 << 10
/** Some 30 ms of writing. */
const flushRows = 16_384

export interface StateBudgetOptions {
  /** Of the whole application: how many of them this process will hold is not known before, and changes. */
  readonly tasks: number
  readonly storesPerTask: number
  /** For all of them; a task has a least that it can work with, so that very many take more. */
  readonly totalBytes: number
  readonly flushIntervalMs: number
}

/**
 * A quarter for write buffers, an eighth for block caches, an eighth for rows on their way to bytes (twice: as sealed, and as
 * written), half for the cache of rows.
 */
export function stateBudget({ tasks, storesPerTask, totalBytes, flushIntervalMs }: StateBudgetOptions): StateBudget {
  const share = totalBytes / Math.max(1, tasks)
  const within = (bytes: number, least: number, most: number) => Math.round(Math.min(most, Math.max(least, bytes)))
  return {
    writeBufferBytes: within(share / 8, 64 * kib, 4 << 20),
    blockCacheBytes: within(share / 8, 64 * kib, 64 << 20),
    flush: { bytes: within(share / 16, 64 * kib, 4 << 20), rows: flushRows, intervalMs: flushIntervalMs },
    cache: { cacheBytes: within(share / 2 / Math.max(1, storesPerTask), 256 * kib, totalBytes) },
  }
}
