/** Where the broker's state survives: entries written together become durable together, and in the order of the calls. */

import type { CommittedOffset } from '../port.ts'
import type { Batch } from './batch.ts'
import type { LogState } from './log.ts'

export type JournalEntry =
  | { readonly kind: 'topic'; readonly topic: StoredTopic }
  | { readonly kind: 'batch'; readonly log: number; readonly batch: Batch }
  | { readonly kind: 'end'; readonly log: number; readonly end: number }
  | { readonly kind: 'start'; readonly log: number; readonly start: number }
  | { readonly kind: 'offset'; readonly groupId: string; readonly offset: CommittedOffset }
  | { readonly kind: 'epoch'; readonly transactionalId: string; readonly epoch: number }

export interface StoredTopic {
  readonly name: string
  /** One per partition. */
  readonly logs: readonly LogState[]
  readonly configs: Readonly<Record<string, string>>
}

/** All but the records, which are read when asked for. */
export interface Stored {
  readonly topics: readonly StoredTopic[]
  readonly offsets: readonly { readonly groupId: string; readonly offset: CommittedOffset }[]
  readonly epochs: readonly { readonly transactionalId: string; readonly epoch: number }[]
}

export interface Journal {
  /** Bytes of settled batches a log keeps in memory. */
  readonly tailLimit: number
  readonly stored: Stored
  /**
   * `settled` runs when the entries are durable, before the promise resolves.
   * @throws StreamError UNKNOWN_OUTCOME when the disk refuses; every later write is refused then too.
   */
  write(entries: readonly JournalEntry[], settled: () => void): Promise<void>
  /** Batches of a log that hold offsets of [from, before), in order, until `maxBytes` are reached. */
  read(log: number, from: number, before: number, maxBytes: number): Promise<readonly Batch[]>
  /** Removes the batches that end before `offset`. */
  trim(log: number, offset: number): Promise<void>
  close(): Promise<void>
}

/** Memory only: everything is as durable as it gets at once. */
export const memoryJournal: Journal = Object.freeze({
  tailLimit: Number.POSITIVE_INFINITY,
  stored: { topics: [], offsets: [], epochs: [] },
  write(_entries: readonly JournalEntry[], settled: () => void) {
    settled()
    return Promise.resolve()
  },
  read: () => Promise.resolve([]),
  trim: () => Promise.resolve(),
  close: () => Promise.resolve(),
})
