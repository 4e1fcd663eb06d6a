/**
 * Session store on a window store: the sessions of a key that end in one stretch of time are a row. A stretch is some gaps long, so that a row
 * holds a few sessions however many are open, and a commit writes only the rows that records have touched. Rows are found, cached, committed and expired
 * as those of any window store.
 *
 * A session may have begun many stretches before the one where it ends. Each stretch whose end it crosses says in its row where to look on: only one
 * session crosses an end, so one place will do. Invariant: from any stretch that an open session crosses, such steps lead to its row. A session
 * that grows keeps the steps it has and adds those it needs. Where a deleted session was, they lead to nothing; a session that comes there sets them anew.
 */

import type { SessionWindows } from '../common/windows.ts'
import { sessionRetentionMs, sessionStretches } from '../common/windows.ts'
import type { CacheLimits } from './clean-rows.ts'
import type { Codec } from './codec.ts'
import { endsIn, type SessionRow, sessionsCodec } from './session-codec.ts'
import type { ByteStore, Row, Session, SessionStore } from './store.ts'
import { type ClosingRule, OverlayWindowStore } from './window.ts'

export interface SessionStoreOptions<K, V> extends CacheLimits {
  readonly name: string
  readonly key: Codec<K>
  readonly value: Codec<V>
  readonly session: SessionWindows
  /** The task's bytes, shared with its other stores. */
  readonly bytes: ByteStore
  /** No session in bytes ends later; -1: there is none. Default: not known. */
  readonly latestStored?: number
  /** Has the store keep in mind which sessions are open, by an end that each has had, and keep them until they are closed. Default false. */
  readonly closes?: boolean
}

const noSessions: readonly never[] = Object.freeze([])

export class OverlaySessionStore<K, V> extends OverlayWindowStore<K, SessionRow<V>> implements SessionStore<K, V> {
  readonly #retentionMs: number
  readonly #stretchMs: number
  /** The stretch of the last time that was asked for. */
  #near = 0

  constructor({ session, closes = false, ...options }: SessionStoreOptions<K, V>) {
    const windows = sessionStretches(session)
    const closing = closes ? sessionClosing(session) : undefined
    super({ ...options, value: sessionsCodec(options.value), windows, closing })
    // One that ends gap + grace before stream time is still open; but Kafka Streams' store, without which nobody has to see it again, hides it.
    this.#retentionMs = sessionRetentionMs(session) + (closes ? 1 : 0)
    this.#stretchMs = windows.advanceMs
  }

  find(key: K, earliestEnd: number, latestStart: number): readonly Session<V>[] {
    const { streamTime } = this
    const from = Math.max(earliestEnd, this.#earliestEnd)
    // None ends after the stream time that wrote it.
    if (from > streamTime) return noSessions
    const lastStart = this.#stretchOf(Math.min(latestStart, streamTime))
    let found: readonly Session<V>[] = noSessions
    let crossed = -1
    let steps = 0
    let stretch = this.#stretchOf(from)
    for (;;) {
      const row = this.get(key, stretch)?.value
      if (row !== undefined) {
        const { sessions } = row
        const first = firstEndingAt(sessions, from)
        const end = firstStartingAfter(sessions, latestStart, first)
        if (first < end)
          found = found === noSessions ? sessions.slice(first, end) : [...found, ...sessions.slice(first, end)]
        if (end < sessions.length) break
      }
      if (stretch < lastStart) stretch += this.#stretchMs
      else if (row === undefined || row.onward <= stretch) break
      else {
        if (crossed < 0) crossed = stretch
        stretch = row.onward
        steps++
      }
    }
    const last = found[found.length - 1]
    // The way is one step the next time.
    if (steps > 1 && last !== undefined && last.end >= stretch) this.#lead(key, crossed, stretch, last.end)
    return found
  }

  replace(key: K, found: readonly Session<V>[], start: number, end: number, value: V | null): void {
    const last = this.#stretchOf(end)
    const earliestEnd = this.#earliestEnd
    // Mostly it is alone there, or the one it grows from is in the same row.
    if (value === null || found.length > 1 || start < last) {
      this.#makeWay(key, found, Math.max(start, earliestEnd), last, end, value === null)
      if (value === null) return
    }
    const before = this.get(key, last)
    const row = before?.value ?? { onward: 0, sessions: [] }
    const { sessions } = row
    // Closed ones are out of sight. They go by halves, so that a row is not moved up with every write.
    const closed = firstEndingAt(sessions, earliestEnd)
    if (closed > 0 && 2 * closed >= sessions.length) sessions.splice(0, closed)
    const from = firstEndingAt(sessions, start)
    const to = firstStartingAfter(sessions, end, from)
    if (from === sessions.length) sessions.push({ start, end, value })
    else if (to - from === 1) sessions[from] = { start, end, value }
    else sessions.splice(from, to - from, { start, end, value })
    this.put(key, last, row, newest(before, end))
  }

  /** Takes the sessions found out of other rows than the last, and has the stretches from the start on lead there. */
  #makeWay(key: K, found: readonly Session<V>[], start: number, last: number, end: number, isDeleted: boolean): void {
    let at = this.#stretchOf(start)
    for (const one of found) {
      const held = this.#stretchOf(one.end)
      if (held !== last || isDeleted) this.#remove(key, held, one, end)
      if (isDeleted) continue
      this.#leadOn(key, at, this.#stretchOf(one.start), end)
      // Through this one there is a way already.
      if (at < held) at = held
    }
    if (!isDeleted) this.#leadOn(key, at, last, end)
  }

  /** Sessions that end earlier are closed. */
  get #earliestEnd(): number {
    return Math.max(0, this.streamTime - this.#retentionMs + 1)
  }

  #stretchOf(time: number): number {
    const near = this.#near
    // Times of records are mostly of one stretch, and a remainder of such large numbers takes long.
    if (time >= near && time < near + this.#stretchMs) return near
    this.#near = time - (time % this.#stretchMs)
    return this.#near
  }

  #remove(key: K, stretch: number, { end }: Session<V>, time: number): void {
    const before = this.get(key, stretch)
    if (before === undefined) return
    const { value: row } = before
    const at = firstEndingAt(row.sessions, end)
    if (row.sessions[at]?.end === end) row.sessions.splice(at, 1)
    const isEmpty = row.sessions.length === 0 && row.onward === 0
    this.put(key, stretch, isEmpty ? null : row, newest(before, time))
  }

  /** Has each stretch from `from` on lead to the next, up to `to`. */
  #leadOn(key: K, from: number, to: number, time: number): void {
    for (let stretch = from; stretch < to; stretch += this.#stretchMs) {
      this.#lead(key, stretch, stretch + this.#stretchMs, time)
    }
  }

  #lead(key: K, stretch: number, onward: number, time: number): void {
    const before = this.get(key, stretch)
    const row = before?.value ?? { onward: 0, sessions: [] }
    if (row.onward === onward) return
    row.onward = onward
    this.put(key, stretch, row, newest(before, time))
  }
}

/** The timestamp of a row: of all ends that were written to it the last. */
function newest(before: Row<unknown> | undefined, end: number): number {
  return before !== undefined && before.timestamp > end ? before.timestamp : end
}

/** A row is the sessions that end in a stretch, known by their ends. */
function sessionClosing(session: SessionWindows): ClosingRule {
  return {
    timesIn: (_stretch, row) => endsIn(row),
    closedUntil: (streamTime) => streamTime - sessionRetentionMs(session) - 1,
  }
}

/** Index of the first session that ends at `end` or later. Sessions of a key do not overlap: their ends are in order too. */
function firstEndingAt<V>(sessions: readonly Session<V>[], end: number): number {
  let at = 0
  for (let next = sessions[at]; next !== undefined && next.end < end; next = sessions[at]) at++
  return at
}

/** Index of the first session from `from` on that starts after `start`. */
function firstStartingAfter<V>(sessions: readonly Session<V>[], start: number, from: number): number {
  let at = from
  for (let next = sessions[at]; next !== undefined && next.start <= start; next = sessions[at]) at++
  return at
}
