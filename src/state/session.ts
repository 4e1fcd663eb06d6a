/**
 * Session store: all live sessions of a key are one row, so that finding them is one look-up. They are apart by more than the gap
 * and end within gap + grace of stream time, so there are grace / gap + 2 of them at most, and a row holds at most as many closed ones
 * again: that bounds what a commit serializes for a key; a record costs a binary search and the sessions it touches. Invariant: a row is expired only when the *settled* stream
 * time has closed the last of its sessions.
 *
 * A row says in its timestamp when its last session ends. Rows of keys that never come again are found by going round all rows, a few
 * at each flush, once per gap + grace of stream time: a row that such a round keeps was written since the last but one, so
 * the rounds cost a share of the writes, and no index has to be written or held.
 */

import { readerOf } from '../common/bytes.ts'
import type { SessionWindows } from '../common/windows.ts'
import { sessionRetentionMs } from '../common/windows.ts'
import type { CacheLimits } from './clean-rows.ts'
import { Closings } from './closings.ts'
import { type Codec, keyValueLayout, type RowLayout, readInt64, storeEnd, storePrefix } from './codec.ts'
import type { Bucket } from './entry.ts'
import { Overlay } from './overlay.ts'
import { StoreView } from './read/view.ts'
import { restoredWrite } from './restored-write.ts'
import { sessionsCodec, timesIn } from './session-codec.ts'
import type { ByteStore, ByteWrite, ChangelogRow, Session, SessionStore, StateStore } from './store.ts'
import { TimedStore } from './timed-store.ts'

export interface SessionStoreOptions<K, V> extends CacheLimits {
  readonly name: string
  readonly key: Codec<K>
  readonly value: Codec<V>
  readonly session: SessionWindows
  /** The task's bytes, shared with its other stores. */
  readonly bytes: ByteStore
  /** The bytes hold no row of the store. Default false. */
  readonly empty?: boolean
  /** Has the store keep in mind which sessions are open, by an end that each has had, and keep them until they are closed. Default false. */
  readonly closes?: boolean
  /** Rows looked at per `expire`, at least. Default 4096. */
  readonly sweepRows?: number
}

const noSessions: readonly never[] = Object.freeze([])
const lowestKey = Buffer.alloc(1)
const timestampBytes = 8

export class OverlaySessionStore<K, V> extends TimedStore<K, Session<V>[]> implements SessionStore<K, V>, StateStore {
  readonly name: string
  readonly #retentionMs: number
  readonly closings: Closings<K> | undefined
  readonly #key: Codec<K>
  /** What is open is known. */
  #loaded: boolean
  readonly #bytes: ByteStore
  readonly #layout: RowLayout
  /** A list in memory is changed in place: it is shared with nobody, and a discard forgets it. */
  protected readonly overlay: Overlay<K, Session<V>[]>
  readonly #bucket: Bucket<Session<V>[]>
  readonly #sweepRows: number
  /** Where the round over the rows goes on; undefined between two rounds. */
  #sweepFrom: Buffer | undefined
  /** Settled stream time from which the next round begins. */
  #nextSweep = 0
  #flushedRows = 0

  constructor(options: SessionStoreOptions<K, V>) {
    super()
    const { name, key, value, session, bytes, empty = false, closes = false } = options
    this.name = name
    // One that ends gap + grace before stream time is still open; but Kafka Streams' store, without which nobody has to see it again, hides it.
    this.#retentionMs = sessionRetentionMs(session) + (closes ? 1 : 0)
    this.#key = key
    this.closings = closes ? new Closings(key) : undefined
    this.#loaded = empty
    this.#bytes = bytes
    this.#sweepRows = options.sweepRows ?? 4096
    this.#bucket = { start: 0, rows: new Map(), complete: empty }
    this.#layout = keyValueLayout(storePrefix(name))
    this.overlay = new Overlay({ ...options, store: name, value: sessionsCodec(value), layout: this.#layout })
  }

  find(key: K, earliestEnd: number, latestStart: number): readonly Session<V>[] {
    const sessions = this.overlay.read(this.#bucket, key)?.value
    if (sessions === undefined || sessions === null) return noSessions
    const from = firstEndingAt(sessions, Math.max(earliestEnd, this.streamTime - this.#retentionMs + 1))
    const to = firstStartingAfter(sessions, latestStart, from)
    return from === to ? noSessions : sessions.slice(from, to)
  }

  put(key: K, start: number, end: number, value: V | null): void {
    const sessions = this.overlay.read(this.#bucket, key)?.value ?? []
    const earliestEnd = this.streamTime - this.#retentionMs + 1
    const closed = firstEndingAt(sessions, earliestEnd)
    // Closed ones are out of sight. They go by halves: taking one off the front of a long list moves all the others.
    if (closed > 0 && 2 * closed >= sessions.length) sessions.splice(0, closed)
    const from = firstEndingAt(sessions, start)
    const to = firstStartingAfter(sessions, end, from)
    if (value === null) sessions.splice(from, to - from)
    else sessions.splice(from, to - from, { start, end, value })
    const last = sessions.at(-1)
    if (last === undefined || last.end < earliestEnd) this.overlay.write(this.#bucket, key, null, end)
    else this.overlay.write(this.#bucket, key, sessions, last.end)
  }

  view(): StoreView<K> {
    return new StoreView({
      overlay: this.overlay,
      bytes: this.#bytes,
      key: this.#key,
      layout: this.#layout,
      bucket: () => this.#bucket,
      streamTime: this.settledTime,
    })
  }

  override recoverStreamTime(streamTime: number): void {
    if (streamTime > this.streamTime) this.#forgetClosings()
    super.recoverStreamTime(streamTime)
  }

  override flush(writes: ByteWrite[]): void {
    this.#flushedRows += this.overlay.unflushedRows
    super.flush(writes)
  }

  override discard(): void {
    super.discard()
    this.#bucket.rows.clear()
    this.#bucket.complete = false
    this.#forgetClosings()
  }

  /** Also raises the stream time: no session ends after the stream time that wrote it. */
  restore(row: ChangelogRow): ByteWrite {
    this.overlay.checkRestorable()
    if (this.overlay.rows > 0 || this.#bucket.complete) this.discard()
    this.#forgetClosings()
    this.recoverStreamTime(row.timestamp)
    return restoredWrite(this.#layout, 0, row.key, row)
  }

  async load(): Promise<void> {
    const { closings } = this
    if (closings === undefined || this.#loaded) return
    const prefix = storePrefix(this.name)
    const readKey = readerOf(this.#key)
    for await (const [stored, row] of this.#bytes.scan(prefix, storeEnd(this.name))) {
      const key = readKey(stored, prefix.length, stored.length)
      for (const end of timesIn(row, timestampBytes, 'second')) {
        if (end > this.streamTime - this.#retentionMs) closings.add(end, key)
      }
    }
    this.#loaded = true
  }

  #forgetClosings(): void {
    this.closings?.clear()
    this.#loaded = false
  }

  /**
   * Goes on with a round over the rows, and deletes those whose last session the settled stream time has closed. A newer version
   * in memory may be on its way to the bytes: it is written there in its turn.
   */
  async expire(): Promise<void> {
    if (this.#sweepFrom === undefined) {
      if (this.settledTime < this.#nextSweep) return
      this.#sweepFrom = storePrefix(this.name)
      this.#nextSweep = this.settledTime + this.#retentionMs
    }
    // Twice as many as were written, so that a round ends however fast rows come.
    let left = Math.max(this.#sweepRows, 2 * this.#flushedRows)
    const closedEnd = this.settledTime - this.#retentionMs
    const deletes: ByteWrite[] = []
    let next: Buffer | undefined
    for await (const [key, value] of this.#bytes.scan(this.#sweepFrom, storeEnd(this.name))) {
      if (readInt64(value, 0) <= closedEnd) deletes.push({ key, value: null })
      if (--left > 0) continue
      next = Buffer.concat([key, lowestKey])
      break
    }
    if (deletes.length > 0) await this.#bytes.write(deletes)
    this.#sweepFrom = next
    this.#flushedRows = 0
  }
}

/** Index of the first session that ends at `end` or later. Sessions of a key do not overlap: their ends are in order too. */
function firstEndingAt<V>(sessions: readonly Session<V>[], end: number): number {
  let low = 0
  let high = sessions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sessions[middle] as Session<V>).end < end) low = middle + 1
    else high = middle
  }
  return low
}

/** Index of the first session from `from` on that starts after `start`. */
function firstStartingAfter<V>(sessions: readonly Session<V>[], start: number, from: number): number {
  let at = from
  for (let next = sessions[at]; next !== undefined && next.start <= start; next = sessions[at]) at++
  return at
}
