/** A row of a join buffer as it is in memory: its place in the order of its key always, its value while there is reason to. */

import type { OrderedList } from './ordered-list.ts'

/** The rows of one key. */
export interface KeyRows<V> {
  /** The key itself when primitive, else its bytes as a latin1 string. */
  readonly mapKey: unknown
  /** By timestamp, then by arrival. */
  readonly rows: OrderedList<JoinRow<V>, Place>
  /** The key's bytes as a latin1 string, made when somebody asks for the order of two keys. */
  bytes: string | undefined
}

/** Where a row is among those of its key. */
export interface Place {
  readonly timestamp: number
  /** Tells the rows of one key and timestamp apart, in order of arrival. */
  readonly seq: number
}

/**
 * What a row is, as bits: there is one such object for each row of the window, so it has to be small.
 *
 *         put                  seal                      flush
 *     ──────────▶ changed ──────────────▶ unflushed ──────────────▶ kept ──▶ (value in the bytes alone)
 *                    ▲                        │                      │         │
 *                    └─── release, remove ────┴──────────────────────┴─────────┘
 */
export const rowBits = Object.freeze({
  /** Has no match yet, and waits for its window to close. */
  held: 1,
  /** Written since the last seal. */
  changed: 2,
  /** Sealed since the last flush. */
  unflushed: 4,
  /** Sealed at least once: the changelog has it. */
  sealed: 8,
  removed: 16,
  /** In the cache, from where its value can go, as the bytes hold it. */
  kept: 32,
  /** Read since it came into the cache: spared once. */
  used: 64,
  /** `value` is there. */
  loaded: 128,
  /** The bytes have a version of it. */
  stored: 256,
})

export class JoinRow<V> implements Place {
  readonly owner: KeyRows<V>
  readonly timestamp: number
  readonly seq: number
  bits: number
  /** Estimated bytes of the value in memory, known once it has been bytes. */
  size = 0
  value: V | undefined = undefined

  constructor(owner: KeyRows<V>, timestamp: number, seq: number, bits: number) {
    this.owner = owner
    this.timestamp = timestamp
    this.seq = seq
    this.bits = bits
  }
}

export function byArrival(a: Place, b: Place): number {
  return a.timestamp - b.timestamp || a.seq - b.seq
}
