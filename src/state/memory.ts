/** A byte store in memory: for stores without files, and for the test driver. It keeps no buffer it was given. */

import type { ByteStore, ByteWrite } from './store.ts'

export class MemoryByteStore implements ByteStore {
  /**
   * Keys and values as latin1 strings: their order by code unit is that of the bytes, and they are compact, where a kept buffer
   * would pin the whole pool slab it was cut from.
   */
  readonly #rows = new Map<string, string>()

  get(key: Buffer): Buffer | undefined {
    const value = this.#rows.get(key.toString('latin1'))
    return value === undefined ? undefined : Buffer.from(value, 'latin1')
  }

  async write(writes: readonly ByteWrite[]): Promise<void> {
    for (const { key, value } of writes) {
      if (value === null) this.#rows.delete(key.toString('latin1'))
      else this.#rows.set(key.toString('latin1'), value.toString('latin1'))
    }
  }

  async deleteRange(from: Buffer, to: Buffer): Promise<void> {
    const first = from.toString('latin1')
    const end = to.toString('latin1')
    for (const key of this.#rows.keys()) {
      if (key >= first && key < end) this.#rows.delete(key)
    }
  }

  /** The rows of the moment the scan begins, whatever is written meanwhile, as LevelDB's iterators. */
  async *scan(from: Buffer, to: Buffer): AsyncIterable<readonly [key: Buffer, value: Buffer]> {
    const first = from.toString('latin1')
    const end = to.toString('latin1')
    const rows = [...this.#rows].filter(([key]) => key >= first && key < end)
    rows.sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [key, value] of rows) yield [Buffer.from(key, 'latin1'), Buffer.from(value, 'latin1')]
  }

  async diskBytes(): Promise<null> {
    return null
  }

  async close(): Promise<void> {
    this.#rows.clear()
  }
}
