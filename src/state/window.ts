/**
 * Window store: one row per key and window start. Invariant: a row is expired only when the *settled* stream time has closed its
 * window; an aborted record may have moved the live stream time, and what it closed must come back with the abort.
 */

import { readerOf } from '../common/bytes.ts'
import { StreamError } from '../common/errors.ts'
import type { TimeWindows } from '../common/windows.ts'
import type { CacheLimits } from './clean-rows.ts'
import { Closings } from './closings.ts'
import { type Codec, type RowLayout, readInt64, rowKey, storeEnd, storePrefix, windowLayout } from './codec.ts'
import type { Bucket } from './entry.ts'
import { Overlay } from './overlay.ts'
import { StoreView } from './read/view.ts'
import { restoredWrite } from './restored-write.ts'
import type { ByteStore, ByteWrite, ChangelogRow, Row, StateStore, WindowStore } from './store.ts'
import { TimedStore } from './timed-store.ts'

export interface WindowStoreOptions<K, V> extends CacheLimits {
  readonly name: string
  readonly key: Codec<K>
  readonly value: Codec<V>
  readonly windows: TimeWindows
  /** The task's bytes, shared with its other stores. */
  readonly bytes: ByteStore
  /** No row in bytes is of a window that starts later; -1: there is none. Default: not known. */
  readonly latestStored?: number
  /** Has the store keep in mind which windows are open. Default: it does not. */
  readonly closing?: ClosingRule | undefined
}

/** By which times a store of windows keeps in mind what is open. */
export interface ClosingRule {
  /** Those that a stored row stands for. @param row `timestamp:8 value`. */
  readonly timesIn: (start: number, row: Buffer) => Iterable<number>
  /** Windows up to that time are closed at a stream time. */
  readonly closedUntil: (streamTime: number) => number
}

/** A row is a window, known by its start. */
export function windowClosing({ sizeMs, graceMs }: TimeWindows): ClosingRule {
  return { timesIn: (start) => [start], closedUntil: (streamTime) => streamTime - graceMs - sizeMs }
}

export class OverlayWindowStore<K, V> extends TimedStore<K, V> implements WindowStore<K, V>, StateStore {
  readonly name: string
  readonly #windows: TimeWindows
  readonly #bytes: ByteStore
  readonly #layout: RowLayout
  protected readonly overlay: Overlay<K, V>
  readonly #buckets = new Map<number, Bucket<V>>()
  #last: Bucket<V> | undefined
  /** No row in bytes, or on its way there, has an earlier start. */
  #earliest = 0
  /** No row in bytes has a later start. */
  #latestStored: number
  readonly closings: Closings<K> | undefined
  readonly #closing: ClosingRule | undefined
  readonly #key: Codec<K>
  /** What is open is known. */
  #loaded: boolean

  constructor(options: WindowStoreOptions<K, V>) {
    super()
    this.name = options.name
    this.#windows = options.windows
    this.#bytes = options.bytes
    this.#latestStored = options.latestStored ?? Number.POSITIVE_INFINITY
    this.#key = options.key
    this.#closing = options.closing
    this.closings = options.closing === undefined ? undefined : new Closings(options.key)
    this.#loaded = options.closing === undefined || this.#latestStored < 0
    this.#layout = windowLayout(storePrefix(options.name))
    this.overlay = new Overlay({
      ...options,
      store: options.name,
      layout: this.#layout,
      emptied: (bucket) => {
        this.#forget(bucket)
      },
    })
  }

  get(key: K, start: number): Row<V> | undefined {
    let bucket = this.#find(start)
    if (bucket === undefined) {
      if (start > this.#latestStored) return undefined
      // Kept only if a row is found in it: reading what is not there must not fill memory.
      bucket = { start, rows: new Map(), complete: false }
      const loaded = this.overlay.read(bucket, key)
      if (bucket.rows.size > 0) this.#buckets.set(start, bucket)
      return loaded as Row<V> | undefined
    }
    const entry = this.overlay.read(bucket, key)
    return entry === undefined || entry.value === null ? undefined : (entry as Row<V>)
  }

  put(key: K, start: number, value: V | null, timestamp: number): void {
    let bucket = this.#find(start)
    if (bucket === undefined) {
      bucket = { start, rows: new Map(), complete: start > this.#latestStored }
      this.#buckets.set(start, bucket)
      this.#last = bucket
    }
    if (start < this.#earliest) this.#earliest = start
    this.overlay.write(bucket, key, value, timestamp)
  }

  view(): StoreView<K> {
    return new StoreView({
      overlay: this.overlay,
      bytes: this.#bytes,
      key: this.#key,
      layout: this.#layout,
      bucket: (start) => this.#buckets.get(start),
      streamTime: this.settledTime,
    })
  }

  override recoverStreamTime(streamTime: number): void {
    if (streamTime > this.streamTime) this.#forgetClosings()
    super.recoverStreamTime(streamTime)
  }

  /** Rows of windows that have closed meanwhile never reach the bytes. */
  override flush(writes: ByteWrite[]): void {
    this.overlay.flush(writes, this.#lastClosedStart + 1)
    for (const start of this.#buckets.keys()) if (start > this.#latestStored) this.#latestStored = start
  }

  override discard(): void {
    super.discard()
    this.#buckets.clear()
    this.#last = undefined
    this.#forgetClosings()
  }

  /** Also raises the stream time: no row is newer than the stream time that wrote it. */
  restore(row: ChangelogRow): ByteWrite {
    this.overlay.checkRestorable()
    if (this.overlay.rows > 0) this.discard()
    this.#forgetClosings()
    const keyLength = row.key.length - 12
    if (keyLength < 0) {
      throw new StreamError(
        'CORRUPT',
        `store ${this.name}: a changelog key of ${row.key.length} bytes holds no window`,
        {
          where: { node: this.name },
          hint: 'Something else wrote to the changelog topic: find and stop it, then start under another application id, which builds the state anew from the input topics.',
        },
      )
    }
    const start = readInt64(row.key, keyLength)
    if (start < this.#earliest) this.#earliest = start
    if (start > this.#latestStored) this.#latestStored = start
    this.recoverStreamTime(row.timestamp)
    return restoredWrite(this.#layout, start, row.key.subarray(0, keyLength), row)
  }

  async load(): Promise<void> {
    if (this.#loaded) return
    const { closings } = this
    const { timesIn, closedUntil } = this.#closing as ClosingRule
    const closed = closedUntil(this.streamTime)
    const prefix = storePrefix(this.name)
    const readKey = readerOf(this.#key)
    for await (const [stored, row] of this.#bytes.scan(prefix, storeEnd(this.name))) {
      let key: K | undefined
      for (const time of timesIn(readInt64(stored, prefix.length), row)) {
        if (time <= closed) continue
        key ??= readKey(stored, this.#layout.rowKeyBytes, stored.length)
        closings?.add(time, key)
      }
    }
    this.#loaded = true
  }

  #forgetClosings(): void {
    this.closings?.clear()
    this.#loaded = this.#closing === undefined
  }

  /** Deletes the rows of windows whose end + grace the settled stream time has reached; costs nothing when there are none. */
  async expire(): Promise<void> {
    const lastStart = this.#lastClosedStart
    if (lastStart < this.#earliest) return
    const from = this.#earliest
    const to = lastStart + 1
    // Rows still on their way to bytes stay, and are deleted by a later call.
    let earliest = to
    for (const bucket of this.#buckets.values()) {
      if (bucket.start >= to) continue
      if (this.overlay.dropClean(bucket)) this.#forget(bucket)
      else if (bucket.start < earliest) earliest = bucket.start
    }
    this.#earliest = earliest
    try {
      await this.#bytes.deleteRange(rowKey(this.#layout, from), rowKey(this.#layout, to))
    } catch (thrown) {
      this.#earliest = Math.min(this.#earliest, from)
      throw thrown
    }
  }

  trim(): Promise<void> {
    return this.expire()
  }

  /** Start of the last window that the settled stream time has closed; -1 while there is none. Between two starts nothing closes. */
  get #lastClosedStart(): number {
    const { sizeMs, graceMs, advanceMs } = this.#windows
    const closed = this.settledTime - sizeMs - graceMs
    return closed < 0 ? -1 : closed - (closed % advanceMs)
  }

  #find(start: number): Bucket<V> | undefined {
    if (this.#last !== undefined && this.#last.start === start) return this.#last
    const bucket = this.#buckets.get(start)
    if (bucket !== undefined) this.#last = bucket
    return bucket
  }

  #forget(bucket: Bucket<V>): void {
    if (this.#buckets.get(bucket.start) === bucket) this.#buckets.delete(bucket.start)
    if (this.#last === bucket) this.#last = undefined
  }
}
