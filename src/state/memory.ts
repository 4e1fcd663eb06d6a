/** A byte store in memory: for stores without files, and for the test driver. It keeps no buffer it was given. */

import { closedWhileRead } from './closed.ts'
import { pause, slices, sorted } from './slices.ts'
import type { ByteRow, ByteSnapshot, ByteStore, ByteWrite } from './store.ts'

export class MemoryByteStore implements ByteStore {
  /**
   * Keys and values as latin1 strings: their order by code unit is that of the bytes, and they are compact, where a kept buffer
   * would pin the whole pool slab it was cut from.
   */
  readonly #rows = new Map<string, string>()
  readonly #snapshots = new Set<MemorySnapshot>()
  #isClosed = false

  get(key: Buffer): Buffer | undefined {
    const value = this.#rows.get(key.toString('latin1'))
    return value === undefined ? undefined : Buffer.from(value, 'latin1')
  }

  async write(writes: readonly ByteWrite[]): Promise<void> {
    for (const { key, value } of writes) {
      const text = key.toString('latin1')
      this.#keep(text)
      if (value === null) this.#rows.delete(text)
      else this.#rows.set(text, value.toString('latin1'))
    }
  }

  async deleteRange(from: Buffer, to: Buffer): Promise<void> {
    const first = from.toString('latin1')
    const end = to.toString('latin1')
    for (const key of this.#rows.keys()) {
      if (key < first || key >= end) continue
      this.#keep(key)
      this.#rows.delete(key)
    }
  }

  async *scan(from: Buffer, to: Buffer): AsyncIterable<ByteRow> {
    const snapshot = this.snapshot()
    try {
      yield* snapshot.scan(from, to)
    } finally {
      await snapshot.close()
    }
  }

  snapshot(): ByteSnapshot {
    if (this.#isClosed) throw closedWhileRead()
    const snapshot = new MemorySnapshot(this.#rows, () => this.#snapshots.delete(snapshot))
    this.#snapshots.add(snapshot)
    return snapshot
  }

  async diskBytes(): Promise<null> {
    return null
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const snapshot of this.#snapshots) snapshot.end()
    this.#snapshots.clear()
    this.#rows.clear()
  }

  /** A row is about to change. */
  #keep(key: string): void {
    for (const snapshot of this.#snapshots) snapshot.keep(key, this.#rows.get(key))
  }
}

/** The rows as they are, but for those that have changed since, which it keeps as they were. */
class MemorySnapshot implements ByteSnapshot {
  readonly #rows: ReadonlyMap<string, string>
  /** undefined: there was none. */
  readonly #before = new Map<string, string | undefined>()
  readonly #closed: () => void
  #isEnded = false

  constructor(rows: ReadonlyMap<string, string>, closed: () => void) {
    this.#rows = rows
    this.#closed = closed
  }

  keep(key: string, value: string | undefined): void {
    if (!this.#before.has(key)) this.#before.set(key, value)
  }

  end(): void {
    this.#isEnded = true
  }

  async get(key: Buffer): Promise<Buffer | undefined> {
    const value = this.#valueOf(key.toString('latin1'))
    return value === undefined ? undefined : Buffer.from(value, 'latin1')
  }

  async *scan(from: Buffer, to: Buffer, backward = false): AsyncIterable<ByteRow> {
    const keys = await this.#keysIn(from.toString('latin1'), to.toString('latin1'))
    for (const key of await sorted(keys, backward)) {
      yield [Buffer.from(key, 'latin1'), Buffer.from(this.#valueOf(key) as string, 'latin1')]
    }
  }

  async close(): Promise<void> {
    this.#before.clear()
    this.#closed()
  }

  /** What changes while the keys are gone through is found among what is kept of it. */
  async #keysIn(from: string, to: string): Promise<readonly string[]> {
    const found = new Set<string>()
    const isIn = (key: string): boolean => key >= from && key < to
    const isDue = slices()
    for (const key of this.#rows.keys()) {
      if (isIn(key)) found.add(key)
      if (isDue()) await pause()
    }
    this.#check()
    for (const [key, value] of this.#before) {
      if (value === undefined) found.delete(key)
      else if (isIn(key)) found.add(key)
    }
    return [...found]
  }

  #valueOf(key: string): string | undefined {
    this.#check()
    return this.#before.has(key) ? this.#before.get(key) : this.#rows.get(key)
  }

  #check(): void {
    if (this.#isEnded) throw closedWhileRead()
  }
}
