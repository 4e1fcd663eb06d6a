/**
 * Which rows a join buffer has: by key for those that look for a match, by time for expiry, and those that wait for one in the order
 * in which they are given out. Every row of the buffer is here, wherever its value is, so that no look-up goes through a window.
 */

import { byArrival, JoinRow, type KeyRows, type Place, rowBits } from './join-row.ts'
import { OrderedList } from './ordered-list.ts'

const { held, removed, sealed, stored } = rowBits

/** Rows expire in so many steps per retention. */
const slotsPerRetention = 32

/** Where a waiting row is among those of all keys. */
type HeldPlace = Place & { readonly owner: { readonly mapKey: unknown; bytes: string | undefined } }

export class JoinIndex<V> {
  readonly #keys = new Map<unknown, KeyRows<V>>()
  /** Rows by their time in steps of `slotMs`; in a slot as they came. */
  readonly #slots = new Map<number, JoinRow<V>[]>()
  readonly #held: OrderedList<JoinRow<V>, HeldPlace>
  readonly slotMs: number
  /** Used for each search by key. */
  readonly #bound = { timestamp: 0, seq: 0 }
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
    const owner = this.#keys.get(mapKey)
    const bound = this.#bound
    bound.timestamp = timestamp
    bound.seq = Number.POSITIVE_INFINITY
    const previous = owner?.rows.before(bound)
    const seq = previous !== undefined && previous.timestamp === timestamp ? previous.seq + 1 : 0
    return this.#add(owner, mapKey, timestamp, seq, isHeld)
  }

  /** Adds a row of the bytes, which has its place. */
  load(mapKey: unknown, timestamp: number, seq: number, isHeld: boolean): void {
    this.#add(this.#keys.get(mapKey), mapKey, timestamp, seq, isHeld).bits |= sealed | stored
  }

  /** Shows the rows of a key with timestamps of `from` or later, in their order, for as long as `visit` says true. */
  visit(mapKey: unknown, from: number, visit: (row: JoinRow<V>) => boolean): void {
    const owner = this.#keys.get(mapKey)
    if (owner === undefined) return
    const bound = this.#bound
    bound.timestamp = from
    bound.seq = -1
    owner.rows.visitFrom(bound, visit)
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
    owner.rows.remove(row)
    if (owner.rows.isEmpty) this.#keys.delete(owner.mapKey)
  }

  /**
   * Takes out the rows of a slot that lies wholly before `time`, but for those that `stays` names.
   * @returns the time at which the first of the slots that are gone begins; undefined when none is.
   */
  expire(time: number, stays: (row: JoinRow<V>) => boolean): number | undefined {
    const end = this.firstSlot(time)
    let first: number | undefined
    for (const [slot, rows] of this.#slots) {
      if (slot >= end) continue
      if (first === undefined || slot < first) first = slot
      const left: JoinRow<V>[] = []
      for (const row of rows) {
        if ((row.bits & removed) !== 0) continue
        if (stays(row)) left.push(row)
        else this.remove(row)
      }
      if (left.length === 0) this.#slots.delete(slot)
      else this.#slots.set(slot, left)
    }
    return first === undefined ? undefined : first * this.slotMs
  }

  /** The first slot that does not lie wholly before `time`. */
  firstSlot(time: number): number {
    return Math.floor(time / this.slotMs)
  }

  clear(): void {
    this.#keys.clear()
    this.#slots.clear()
    this.#held.clear()
    this.count = 0
    this.latest = -1
  }

  #add(known: KeyRows<V> | undefined, mapKey: unknown, timestamp: number, seq: number, isHeld: boolean): JoinRow<V> {
    let owner = known
    if (owner === undefined) {
      owner = { mapKey, rows: new OrderedList(byArrival), bytes: undefined }
      this.#keys.set(mapKey, owner)
    }
    const row = new JoinRow<V>(owner, timestamp, seq, isHeld ? held : 0)
    owner.rows.add(row)
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
