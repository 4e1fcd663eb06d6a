/** What operators hold: synchronous stores of values, and the bytes below them. */

import type { ByteWrite } from '../common/byte-store.ts'
import type { ConsumerRecord, Headers } from '../common/record.ts'
import type { Closings } from './closings.ts'

export type { ByteRow, ByteSnapshot, ByteStore, ByteWrite } from '../common/byte-store.ts'

/** A stored value and the timestamp it carries (ms). */
export interface Row<V> {
  readonly value: V
  readonly timestamp: number
}

/** A value's bytes, [valueStart, valueEnd) of others: those of a record that was read, for one. */
export interface WrittenValue {
  readonly bytes: Buffer
  readonly valueStart: number
  readonly valueEnd: number
}

export interface KeyValueStore<K, V> {
  /** The row is the live one: take what you need of it before the next put of its key. */
  get(key: K): Row<V> | undefined
  /**
   * A null value deletes the key; the tombstone goes to the changelog with this timestamp.
   * @param written the value's bytes, where they are known: it is not serialized then. They must read as the value, and stay as they are.
   */
  put(key: K, value: V | null, timestamp: number, written?: WrittenValue): void
  /** Hash of the bytes of a key's row, as text; null when there is none. The same for as long as the row is not put. */
  digest(key: K): string | null
}

/** A key-value store whose rows end when stream time reaches their timestamp + ttl. */
export interface ExpiringStore<K, V> extends KeyValueStore<K, V> {
  /** A row that would have ended already ends when stream time moves on. */
  put(key: K, value: V | null, timestamp: number, written?: WrittenValue): void
  /** Whether a row with that timestamp has ended. */
  isOver(timestamp: number): boolean
  /** Moves stream time on, and deletes the rows that end by it, in the order of (end, key bytes). @param ended is told of each. */
  advance(streamTime: number, ended: (key: K, value: V, end: number) => void): void
  /** Highest timestamp its operators have seen, -1 before the first; survives restarts. */
  readonly streamTime: number
}

export interface WindowStore<K, V> {
  /** Rows are found by key and window start (ms); live as those of a key-value store. */
  get(key: K, start: number): Row<V> | undefined
  put(key: K, start: number, value: V | null, timestamp: number): void
  /** Open windows by start, where the store was told to keep them in mind; whoever opens one adds it. */
  readonly closings?: Closings<K> | undefined
  /** Highest timestamp its operator has seen, -1 before the first; survives restarts. Raised before a window that starts then is put. */
  streamTime: number
}

/** A session of a key: its records lie in [start, end], ms. */
export interface Session<V> {
  readonly start: number
  readonly end: number
  readonly value: V
}

export interface SessionStore<K, V> {
  /**
   * Sessions of a key that end at `earliestEnd` or later and start at `latestStart` or earlier, in their order; those that stream
   * time has closed are gone (Kafka Streams: `SessionStore.findSessions`).
   */
  find(key: K, earliestEnd: number, latestStart: number): readonly Session<V>[]
  /**
   * One session takes the place of those within [start, end], which no other overlaps; a null value leaves none.
   * @param found those within, as the last `find` gave them.
   */
  replace(key: K, found: readonly Session<V>[], start: number, end: number, value: V | null): void
  /** Open sessions by an end that each has had, where the store was told to keep them in mind; whoever opens one adds it. */
  readonly closings?: Closings<K> | undefined
  /** Highest timestamp its operator has seen, -1 before the first; survives restarts. Raised after a `find` for the record, before its put. */
  streamTime: number
}

/** An update of a table that is held back. The timestamp of its row is that of the update. */
export interface Buffered<V> {
  /** Where its key stands in the queue, ms: set when the key came in, and kept by later updates. */
  readonly time: number
  /** The value before the key came in: what readers of the table still see. */
  readonly prior: V | null
  /** null deletes. */
  readonly value: V | null
  readonly headers: Headers
}

/** An update that is held back no longer. */
export interface Released<K, V> extends Buffered<V> {
  readonly key: K
  readonly timestamp: number
}

/** Updates held back, one per key, in the order of (time, key bytes) (Kafka Streams: `TimeOrderedKeyValueBuffer`). */
export interface BufferStore<K, V> {
  /** Keys held back. */
  readonly size: number
  /** What they take as stored rows, in bytes; 0 unless the store was told to measure. */
  readonly bytes: number
  /** Time of the first in the queue; Infinity when there is none. */
  readonly firstTime: number
  get(key: K): Row<Buffered<V>> | undefined
  /** A key that is held back already keeps its time and its prior value. */
  put(key: K, value: V | null, old: V | null, time: number, timestamp: number, headers: Headers): void
  /** Takes out the first in the queue; there must be one. */
  shift(): Released<K, V>
  /** Highest timestamp its operator has seen, -1 before the first; survives restarts. */
  streamTime: number
}

/** A sliding window of a key that has records, by its start (ms). */
export interface Pane<V> {
  readonly start: number
  readonly value: V
  /** Of its latest record, ms. */
  readonly timestamp: number
}

export interface SlidingStore<K, V> {
  /** The window of a key that starts then (ms); live as a row of a key-value store. */
  get(key: K, start: number): Pane<V> | undefined
  /** The latest window of a key that starts in [from, to]. */
  latest(key: K, from: number, to: number): Pane<V> | undefined
  /** A null value leaves no such window. */
  put(key: K, start: number, value: V | null, timestamp: number): void
  /** As those of a window store. */
  readonly closings?: Closings<K> | undefined
  /** As that of a window store. */
  streamTime: number
}

/** A row of a join buffer that has found no match yet. */
export interface HeldRow {
  readonly timestamp: number
}

/** One side of a stream-stream join: its records, equal ones too, for as long as the other side may look for them. */
export interface JoinBuffer<K, V> {
  /**
   * Shows the rows of a key with timestamps in [from, to], by timestamp, then by arrival. They have a match then: what was held is
   * so no longer.
   * @returns how many there were.
   */
  match(key: K, from: number, to: number, visit: (value: V, timestamp: number) => void): number
  /**
   * @param held whether it waits for a match, to be given out alone when its window closes without one.
   * @param record whose value it is, as the store would write it: its bytes are kept instead.
   */
  put(key: K, value: V, timestamp: number, held: boolean, record?: ConsumerRecord | null): void
  /** The held row that is first by timestamp, then by the bytes of its key, then by arrival. */
  readonly firstHeld: HeldRow | undefined
  readonly lastHeld: HeldRow | undefined
  /** The held row after this one. */
  heldAfter(row: HeldRow): HeldRow | undefined
  /** The first held row with that timestamp or a later one. */
  heldFrom(timestamp: number): HeldRow | undefined
  keyOf(row: HeldRow): K
  valueOf(row: HeldRow): V
  /** The row is held no longer, but can be matched. */
  release(row: HeldRow): void
  remove(row: HeldRow): void
  /** Highest timestamp its join has seen on either side, -1 before the first; survives restarts. Raised before a put. */
  streamTime: number
  /** Highest timestamp of its own rows, -1 before the first. */
  readonly latest: number
  /** Where the last look at the held rows of both sides ended; Infinity when there were none. After a restart, where the first held row is. */
  heldSeen: number
}

/** What became of a put: the newest version of its key, one with newer ones after it, or too old to be kept. */
export type Placement = 'latest' | 'older' | 'refused'

export interface VersionedStore<K, V> {
  /**
   * The version of a key that was valid at `asOf` (ms), without it the latest; undefined when the key was deleted then, or `asOf` is
   * further back than the history. The latest version never ends. Live as the rows of a key-value store.
   */
  get(key: K, asOf?: number): Row<V> | undefined
  /**
   * Stores what the key held from `timestamp` on, in the place of a version of the same time; a null value deletes. Raises the
   * stream time; what is older than it by more than the history is refused.
   */
  put(key: K, value: V | null, timestamp: number): Placement
  /** Highest timestamp put, -1 before the first; survives restarts. */
  streamTime: number
}

/** One row for the changelog: its key of `keyLength` bytes at `start` of `source`, its value right after it; a length of -1 is null. */
export type AppendRow = (
  source: Buffer,
  start: number,
  keyLength: number,
  valueLength: number,
  timestamp: number,
) => void

/** A changelog record as a store takes it back. */
export interface ChangelogRow {
  readonly key: Buffer
  readonly value: Buffer | null
  readonly timestamp: number
}

/**
 * The engine's side of a store. The life of a write: `put` → live overlay → `seal` (serialized into a changelog row, still
 * readable) → `settle` once that is committed → `flush` to the byte store, sooner or later; or `discard` when the transaction did
 * not commit, which also forgets what is settled and not flushed: the changelog has it.
 */
export interface StateStore {
  readonly name: string
  /** Whether stream time decides over its rows, so that it is kept beside them; else it stays -1. */
  readonly isTimed: boolean
  streamTime: number
  /** Raises the stream time to one that is committed: that of a checkpoint, or of restored rows. */
  recoverStreamTime(streamTime: number): void
  /** Estimate of what the unsealed overlay holds, in bytes. */
  readonly uncommittedBytes: number
  /** Rows in memory, overlay and cache together. */
  readonly cachedRows: number
  /** Settled and not in the byte store yet. */
  readonly unflushedRows: number
  readonly unflushedBytes: number
  /**
   * Serializes what was written since the last seal, a row per changed key, in order of first change. Later writes belong to the
   * next seal, which may begin when this one is settled.
   */
  seal(append: AppendRow): void
  /** The seal is committed. */
  settle(): void
  /** Adds what is settled and not in the byte store to `writes`. Nothing may be sealed; nor until `flushed`. */
  flush(writes: ByteWrite[]): void
  /** What `flush` gave is in the byte store. */
  flushed(): void
  /** Forgets every write that is not in the byte store: reads see that again. */
  discard(): void
  /** Turns a changelog record back into the byte write that it mirrors. */
  restore(row: ChangelogRow): ByteWrite
  /**
   * Reads what it keeps in memory about all of its rows, where that is not there: the order of a queue, say. Called before records
   * run, when the bytes hold all that is committed: after opening, restoring and discarding.
   */
  load(): Promise<void>
  /** Deletes rows that no record can reach any more (expired windows). */
  expire(): Promise<void>
  /**
   * As `expire`, where changelogs alone write to the store, with nothing in memory. Stores whose changelogs delete all that ends have none.
   */
  trim?(): Promise<void>
  /** Settled time that decides which rows are gone, where that is not `streamTime`. */
  readonly expiryTime?: number
}
