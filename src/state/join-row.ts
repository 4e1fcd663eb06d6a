/** A row of a join buffer as it is in memory: its place in the order of its key always, its value while there is reason to. */

import type { ByteTarget } from '../common/bytes.ts'
import type { KeyRows } from './key-rows.ts'

/**
 * What a row is, as bits: there is one such object for each row of the window, so it has to be small.
 *
 *         put                  seal                       flush
 *     ──────────▶ changed ──────────────▶ (in a batch) ──────────▶ stored, in a cached batch ──▶ (in the byte store alone)
 *                    ▲                          │                        │                           │
 *                    └──── release, remove ─────┴────────────────────────┴───────────────────────────┘
 */
export const rowBits = Object.freeze({
  /** Has no match yet, and waits for its window to close. */
  held: 1,
  /** Written since the last seal. */
  changed: 2,
  /** Sealed at least once: the changelog has it. */
  sealed: 4,
  removed: 8,
  /** `value` is there. */
  loaded: 16,
  /** The byte store has a version of it. */
  stored: 32,
})

/** Rows as bytes, those of one commit together. */
export interface RowBatch<V> {
  /** Of each row the changelog key, if it was sealed, and its value. */
  readonly target: ByteTarget
  readonly rows: JoinRow<V>[]
  /** Highest timestamp of its rows, -1 without one. */
  latest: number
  /** The byte store has it. */
  isFlushed: boolean
}

export class JoinRow<V> {
  owner: KeyRows<JoinRow<V>>
  timestamp: number
  /** Tells the rows of one key and timestamp apart, in order of arrival. */
  seq: number
  bits: number
  value: V | undefined = undefined
  /** Where its bytes are: the changelog key at `keyAt`, `held:1 value` at `at`. The end of a row that is gone is -1. */
  batch: RowBatch<V> | undefined = undefined
  keyAt = 0
  at = 0
  end = 0

  constructor(owner: KeyRows<JoinRow<V>>, timestamp: number, seq: number, bits: number) {
    this.owner = owner
    this.timestamp = timestamp
    this.seq = seq
    this.bits = bits
  }

  /** Is another row from now on: nothing may know it as the one that it was. */
  reuse(owner: KeyRows<JoinRow<V>>, timestamp: number, seq: number, bits: number): void {
    this.owner = owner
    this.timestamp = timestamp
    this.seq = seq
    this.bits = bits
    this.value = undefined
    this.batch = undefined
  }
}
