/** The life of a store's writes, step by step, as a task walks it. */

import type { ByteStore, ByteWrite, ChangelogRow, StateStore } from '../../src/state/store.ts'

/** Seals; what would go to the changelog. */
export function seal(store: StateStore): ChangelogRow[] {
  const rows: ChangelogRow[] = []
  store.seal((source, start, keyLength, valueLength, timestamp) => {
    const keyEnd = start + keyLength
    const value = valueLength < 0 ? null : Buffer.from(source.subarray(keyEnd, keyEnd + valueLength))
    rows.push({ key: Buffer.from(source.subarray(start, keyEnd)), value, timestamp })
  })
  return rows
}

/** What a flush writes; nothing is written yet. */
export function collect(store: StateStore): ByteWrite[] {
  const writes: ByteWrite[] = []
  store.flush(writes)
  return writes
}

export async function flush(store: StateStore, bytes: ByteStore): Promise<void> {
  await bytes.write(collect(store))
  store.flushed()
}

/** Seals, settles and flushes. */
export async function commit(store: StateStore, bytes: ByteStore): Promise<ChangelogRow[]> {
  const rows = seal(store)
  store.settle()
  await flush(store, bytes)
  return rows
}
