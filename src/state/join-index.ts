/**
 * Which rows a join buffer has: by key for those that look for a match, by time for expiry, and those that wait for one in the order
 * in which they are given out. Every row of the buffer is here, wherever its value is, so that no look-up goes through a window.
 */

import { JoinRow, rowBits } from './join-row.ts'
import { KeyRows } from './key-rows.ts'
import { OrderedList } from './ordered-list.ts'

const { changed, held, removed, sealed, stored } = rowBits

/** Rows expire in so many steps per retention. */
const slotsPerRetention = 32

/** Where a waiting row is among those of all keys. */
interface HeldPlace {
  readonly owner: { readonly mapKey: unknown; bytes: string | undefined }
  readonly timestamp: number
  readonly seq: number
}

export class JoinIndex<V> {
  readonly #keys = new Map<unknown, KeyRows<JoinRow<V>>>()
  /** Rows by their time in steps of `slotMs`; in a slot as they came. */
  readonly #slots = new Map<number, JoinRow<V>[]>()
  readonly #held: OrderedList<JoinRow<V>, HeldPlace>
  /**
   * Rows and keys to be used again: as many come as go, each lives as long as the window, and so each would be moved twice by
   * the garbage collector.
   */
  readonly #spareRows: JoinRow<V>[] = []
  readonly #spareKeys: KeyRows<JoinRow<V>>[] = []
  /** Keys without rows, though one that was taken out may not be sealed yet. */
  #emptied: KeyRows<JoinRow<V>>[] = []
  readonly slotMs: number
  count = 0
  /** Highest timestamp of a row since the index was cleared, -1 before the first. */
  latest = -1

  /** @param bytesOf a key's bytes as a latin1 string. */
  constructor(retentionMs: number, bytesOf: (mapKey: unknown) => string) {
    this.slotMs = Math.max(1, Math.floor(retentionMs / slotsPerRetention))
    const bytes = (owner: { readonly mapKey: unknown; bytes: string | undefined }) =>
      (owner.bytes ??= bytesOf(owner.mapKey))
    this.#held = new OrderedList((a, b) => {
      if (a.timestamp !== b.timestamp) return a.timestamp - b.timestamp
      if (a.owner !== b.owner) {
        const [one, other] = [bytes(a.owner), bytes(b.owner)]
        if (one !== other) return one < other ? -1 : 1
      }
      return a.seq - b.seq
    })
  }

  /** Adds a row after those of its key and timestamp. */
  append(mapKey: unknown, timestamp: number, isHeld: boolean): JoinRow<V> {
    const owner = this.#ownerOf(mapKey)
    return this.#add(owner, timestamp, owner.nextSeq(timestamp), isHeld)
  }

  /** Adds a row of the bytes, which has its place. */
  load(mapKey: unknown, timestamp: number, seq: number, isHeld: boolean): void {
    this.#add(this.#ownerOf(mapKey), timestamp, seq, isHeld).bits |= sealed | stored
  }

  /** Shows the rows of a key with timestamps of `from` or later, in their order, for as long as `visit` says true. */
  visit(mapKey: unknown, from: number, visit: (row: JoinRow<V>) => boolean): void {
    this.#keys.get(mapKey)?.visitFrom(from, visit)
  }

  /** The waiting row that is first by timestamp, then by the bytes of its key, then by arrival. */
  get firstHeld(): JoinRow<V> | undefined {
    return this.#held.first
  }

  get lastHeld(): JoinRow<V> | undefined {
    return this.#held.last
  }

  /** The waiting row after this one. */
  heldAfter({ owner, timestamp, seq }: JoinRow<V>): JoinRow<V> | undefined {
    return this.#held.from({ owner, timestamp, seq: seq + 1 })
  }

  /** The first waiting row with that timestamp or a later one. */
  heldFrom(timestamp: number): JoinRow<V> | undefined {
    return this.#held.from({ owner: lowestKey, timestamp, seq: -1 })
  }

  /** The row waits no longer. */
  release(row: JoinRow<V>): void {
    this.#held.remove(row)
    row.bits &= ~held
  }

  /** Takes a row out; its slot forgets it in its turn. */
  remove(row: JoinRow<V>): void {
    if ((row.bits & held) !== 0) this.release(row)
    row.bits |= removed
    this.count--
    const { owner } = row
    owner.remove(row)
    if (!owner.isEmpty) return
    this.#keys.delete(owner.mapKey)
    this.#emptied.push(owner)
  }

  /**
   * Takes out the rows of each slot that lies wholly before `time`, but for those that are on their way to a seal.
   * @returns the time at which the first of the slots begins that had a row of the byte store; Infinity when none had.
   */
  expire(time: number): number {
    const end = Math.floor(time / this.slotMs)
    let first = Number.POSITIVE_INFINITY
    for (const [slot, rows] of this.#slots) {
      if (slot >= end) continue
      const left: JoinRow<V>[] = []
      for (const row of rows) {
        if ((row.bits & stored) !== 0 && slot < first) first = slot
        if ((row.bits & changed) !== 0) {
          if ((row.bits & removed) === 0) left.push(row)
          continue
        }
        if ((row.bits & removed) === 0) this.remove(row)
        this.#recycle(row)
      }
      if (left.length === 0) this.#slots.delete(slot)
      else this.#slots.set(slot, left)
    }
    return first * this.slotMs
  }

  /** No row that was taken out is to be sealed any more. */
  sealed(): void {
    for (const owner of this.#emptied) if (this.#spareKeys.length < this.#keys.size) this.#spareKeys.push(owner)
    this.#emptied = []
  }

  /** Where the first slot begins that does not lie wholly before `time`. */
  slotStart(time: number): number {
    return Math.floor(time / this.slotMs) * this.slotMs
  }

  clear(): void {
    this.#keys.clear()
    this.#slots.clear()
    this.#held.clear()
    this.count = 0
    this.latest = -1
  }

  /** Nobody knows the row any more, unless a batch that goes to the byte store has to delete it there. */
  #recycle(row: JoinRow<V>): void {
    if ((row.bits & stored) !== 0 && row.batch?.isFlushed === false) return
    if (this.#spareRows.length < this.count) this.#spareRows.push(row)
  }

  #ownerOf(mapKey: unknown): KeyRows<JoinRow<V>> {
    let owner = this.#keys.get(mapKey)
    if (owner === undefined) {
      owner = this.#spareKeys.pop()
      if (owner === undefined) owner = new KeyRows(mapKey)
      else owner.reuse(mapKey)
      this.#keys.set(mapKey, owner)
    }
    return owner
  }

  #add(owner: KeyRows<JoinRow<V>>, timestamp: number, seq: number, isHeld: boolean): JoinRow<V> {
    const bits = isHeld ? held : 0
    let row = this.#spareRows.pop()
    if (row === undefined) row = new JoinRow<V>(owner, timestamp, seq, bits)
    else row.reuse(owner, timestamp, seq, bits)
    owner.add(row)
    if (isHeld) this.#held.add(row)
    const slot = Math.floor(timestamp / this.slotMs)
    const rows = this.#slots.get(slot)
    if (rows === undefined) this.#slots.set(slot, [row])
    else rows.push(row)
    if (timestamp > this.latest) this.latest = timestamp
    this.count++
    return row
  }
}

const lowestKey = { mapKey: undefined, bytes: '' }
