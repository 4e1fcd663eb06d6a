/**
 * Versioned store: what each key held at a time, as far back as its history goes (Kafka Streams: VersionedKeyValueStore, KIP-889). The
 * latest version of a key is a row of its own, the head, so that most look-ups are one; older ones lie in chunks of a few,
 * which the head numbers, so that a look-up is a binary search over chunks and a put writes the head and one chunk. Only versions that
 * arrive after younger ones can make a chunk longer.
 *
 * A version is out of reach once stream time is the history past the start of the one after it. Then it goes with the next
 * puts: of its key, or of any, for keys that rounds over the heads, a few at each flush, have found. The latest version stays, unless it says
 * deleted. A chunk goes through the store as any other row does, changelog included: no put is lost to compaction.
 */

import { StreamError } from '../common/errors.ts'
import type { CacheLimits } from './clean-rows.ts'
import { type Codec, type RowLayout, readInt64, rowKey, storePrefix, windowLayout } from './codec.ts'
import type { Bucket } from './entry.ts'
import { Overlay } from './overlay.ts'
import { StoreView } from './read/view.ts'
import { restoredWrite } from './restored-write.ts'
import type { ByteStore, ByteWrite, ChangelogRow, Placement, Row, StateStore, VersionedStore } from './store.ts'
import { TimedStore } from './timed-store.ts'
import {
  type Head,
  headOrdinal,
  isDeleted,
  lastUpTo,
  readChunks,
  type Version,
  type VersionRow,
  versionCodec,
} from './version-codec.ts'

export interface VersionedStoreOptions<K, V> extends CacheLimits {
  readonly name: string
  readonly key: Codec<K>
  readonly value: Codec<V>
  /** ms of stream time that older versions stay in reach. */
  readonly historyMs: number
  /** The task's bytes, shared with its other stores. */
  readonly bytes: ByteStore
  /** The bytes hold no row of the store. Default false. */
  readonly empty?: boolean
  /** Heads looked at per `expire`, at least. Default 4096. */
  readonly sweepRows?: number
}

/** Ordinals of chunks count up and down from the first. */
const firstOrdinal = 2 ** 40
/** Versions in a chunk: a put writes half as many again, on average. */
const chunkVersions = 8
/** Keys that a put cleans, of those that were found out of reach: twice as many as it may make so. */
const cleansPerPut = 2
/** Keys kept to be cleaned, at most. */
const mostFound = 4096
const stampBytes = 8
const lowestByte = Buffer.alloc(1)

export class OverlayVersionedStore<K, V>
  extends TimedStore<K, VersionRow<V>>
  implements VersionedStore<K, V>, StateStore
{
  readonly name: string
  readonly #key: Codec<K>
  readonly #historyMs: number
  readonly #bytes: ByteStore
  readonly #layout: RowLayout
  protected readonly overlay: Overlay<K, VersionRow<V>>
  readonly #heads: Bucket<VersionRow<V>>
  readonly #chunks = new Map<number, Bucket<VersionRow<V>>>()
  readonly #sweepRows: number
  /** Where the round over the heads goes on; undefined between two rounds. */
  #sweepFrom: Buffer | undefined
  /** Settled stream time from which the next round begins. */
  #nextSweep = 0
  #flushedRows = 0
  /** Keys with something out of reach. */
  #found: K[] = []

  constructor(options: VersionedStoreOptions<K, V>) {
    super()
    this.name = options.name
    this.#key = options.key
    this.#historyMs = options.historyMs
    this.#bytes = options.bytes
    this.#sweepRows = options.sweepRows ?? 4096
    this.#heads = { start: headOrdinal, rows: new Map(), complete: options.empty === true }
    this.#layout = windowLayout(storePrefix(options.name))
    this.overlay = new Overlay({
      ...options,
      store: options.name,
      value: versionCodec(options.value),
      layout: this.#layout,
      emptied: (bucket) => {
        if (this.#chunks.get(bucket.start) === bucket) this.#chunks.delete(bucket.start)
      },
    })
  }

  get(key: K, asOf?: number): Row<V> | undefined {
    const head = this.#head(key)
    if (head === undefined) return undefined
    if (asOf === undefined || asOf >= head.timestamp) return present(head)
    if (asOf < this.#reach || head.count === 0) return undefined
    const ordinal = this.#chunkOf(key, head, asOf)
    if (ordinal === undefined) return undefined
    const versions = this.#chunk(key, ordinal)
    return present(versions[lastUpTo(versions, asOf)])
  }

  put(key: K, value: V | null, timestamp: number): Placement {
    if (timestamp > this.streamTime) this.streamTime = timestamp
    else if (timestamp < this.#reach) return 'refused'
    if (this.#found.length > 0) this.#cleanFound()
    const head = this.#head(key)
    if (head === undefined) {
      const first: Head<V> = { value, timestamp, first: firstOrdinal, count: 0, secondStart: 0 }
      this.overlay.write(this.#heads, key, first, timestamp)
      return 'latest'
    }
    const isLatest = timestamp >= head.timestamp
    if (!isLatest) this.#insert(key, head, { value, timestamp })
    else {
      if (timestamp > head.timestamp) this.#append(key, head, { value: head.value, timestamp: head.timestamp })
      head.value = value
      head.timestamp = timestamp
    }
    this.#dropUnreachable(key, head)
    this.overlay.write(this.#heads, key, head, head.timestamp)
    return isLatest ? 'latest' : 'older'
  }

  view(): StoreView<K> {
    return new StoreView({
      overlay: this.overlay,
      bytes: this.#bytes,
      key: this.#key,
      layout: this.#layout,
      bucket: (ordinal) => (ordinal === headOrdinal ? this.#heads : this.#chunks.get(ordinal)),
      streamTime: this.settledTime,
    })
  }

  override flush(writes: ByteWrite[]): void {
    this.#flushedRows += this.overlay.unflushedRows
    super.flush(writes)
  }

  override discard(): void {
    super.discard()
    this.#heads.rows.clear()
    this.#heads.complete = false
    this.#chunks.clear()
    this.#found = []
  }

  /** Also raises the stream time: no version is newer than the stream time that wrote it. */
  restore(row: ChangelogRow): ByteWrite {
    this.overlay.checkRestorable()
    if (this.overlay.rows > 0 || this.#heads.complete) this.discard()
    const keyLength = row.key.length - this.#layout.changelogKeyBytes
    if (keyLength < 0) throw this.#notOurs(row.key)
    this.recoverStreamTime(row.timestamp)
    return restoredWrite(this.#layout, readInt64(row.key, keyLength), row.key.subarray(0, keyLength), row)
  }

  async load(): Promise<void> {
    // Where the versions of a key lie, its head knows.
  }

  /** Goes on with a round over the heads, and notes the keys with something out of reach; the next puts drop it. */
  async expire(): Promise<void> {
    if (this.#found.length >= mostFound) return
    if (this.#sweepFrom === undefined) {
      if (this.settledTime < this.#nextSweep) return
      this.#sweepFrom = rowKey(this.#layout, headOrdinal)
      this.#nextSweep = this.settledTime + Math.max(1, this.#historyMs)
    }
    // Twice as many as were written, so that a round ends however fast rows come.
    let left = Math.max(this.#sweepRows, 2 * this.#flushedRows)
    const reach = this.settledTime - this.#historyMs
    let next: Buffer | undefined
    for await (const [key, value] of this.#bytes.scan(this.#sweepFrom, rowKey(this.#layout, headOrdinal + 1))) {
      if (isCleanable(value, reach)) this.#found.push(this.#key.deserialize(key.subarray(this.#layout.rowKeyBytes)))
      if (--left > 0 && this.#found.length < mostFound) continue
      next = Buffer.concat([key, lowestByte])
      break
    }
    this.#sweepFrom = next
    this.#flushedRows = 0
  }

  /** What was valid at this time or later can be looked up. */
  get #reach(): number {
    return this.streamTime - this.#historyMs
  }

  #head(key: K): Head<V> | undefined {
    const entry = this.overlay.read(this.#heads, key)
    const head = entry?.value as Head<V> | null | undefined
    if (entry === undefined || head === null || head === undefined) return undefined
    head.timestamp = entry.timestamp
    return head
  }

  #chunk(key: K, ordinal: number): Version<V>[] {
    const known = this.#chunks.get(ordinal)
    const bucket = known ?? { start: ordinal, rows: new Map(), complete: false }
    const versions = this.overlay.read(bucket, key)?.value as Version<V>[] | null | undefined
    if (known === undefined && bucket.rows.size > 0) this.#chunks.set(ordinal, bucket)
    if (versions === undefined || versions === null) throw this.#lost(ordinal)
    return versions
  }

  /** @param versions null: none any more. */
  #writeChunk(key: K, ordinal: number, versions: Version<V>[] | null, timestamp: number): void {
    let bucket = this.#chunks.get(ordinal)
    if (bucket === undefined) {
      bucket = { start: ordinal, rows: new Map(), complete: false }
      this.#chunks.set(ordinal, bucket)
    }
    this.overlay.write(bucket, key, versions, timestamp)
  }

  /** The last chunk that begins at `time` or before. */
  #chunkOf(key: K, head: Head<V>, time: number): number | undefined {
    let low = head.first
    let high = head.first + head.count
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (startOf(this.#chunk(key, middle)) <= time) low = middle + 1
      else high = middle
    }
    return low === head.first ? undefined : low - 1
  }

  /** A version that is younger than all in chunks. */
  #append(key: K, head: Head<V>, version: Version<V>): void {
    const last = head.first + head.count - 1
    const versions = head.count === 0 ? undefined : this.#chunk(key, last)
    if (versions === undefined || versions.length >= chunkVersions) this.#addChunk(key, head, last + 1, version)
    else {
      versions.push(version)
      this.#writeChunk(key, last, versions, version.timestamp)
    }
  }

  /** A version that is older than the latest. */
  #insert(key: K, head: Head<V>, version: Version<V>): void {
    const ordinal = this.#chunkOf(key, head, version.timestamp)
    if (ordinal === undefined) {
      this.#prepend(key, head, version)
      return
    }
    const versions = this.#chunk(key, ordinal)
    const at = lastUpTo(versions, version.timestamp)
    const isLast = ordinal === head.first + head.count - 1 && at === versions.length - 1
    if (versions[at]?.timestamp === version.timestamp) versions[at] = version
    else if (isLast) {
      this.#append(key, head, version)
      return
    } else versions.splice(at + 1, 0, version)
    this.#writeChunk(key, ordinal, versions, endOf(versions))
  }

  /** A version that is older than all others. */
  #prepend(key: K, head: Head<V>, version: Version<V>): void {
    if (head.count === 0) {
      this.#addChunk(key, head, head.first, version)
      return
    }
    const versions = this.#chunk(key, head.first)
    if (versions.length < chunkVersions) {
      versions.unshift(version)
      this.#writeChunk(key, head.first, versions, endOf(versions))
      return
    }
    head.secondStart = startOf(versions)
    head.first--
    head.count++
    this.#writeChunk(key, head.first, [version], version.timestamp)
  }

  #addChunk(key: K, head: Head<V>, ordinal: number, version: Version<V>): void {
    head.count++
    if (head.count === 2) head.secondStart = version.timestamp
    this.#writeChunk(key, ordinal, [version], version.timestamp)
  }

  /** Drops chunks, at most two, whose last version was followed by the next before what can be reached. */
  #dropUnreachable(key: K, head: Head<V>): void {
    for (let most = 2; most > 0 && head.count > 0; most--) {
      if ((head.count > 1 ? head.secondStart : head.timestamp) > this.#reach) return
      this.#writeChunk(key, head.first, null, head.timestamp)
      head.first++
      head.count--
      head.secondStart = head.count > 1 ? startOf(this.#chunk(key, head.first + 1)) : 0
    }
  }

  #cleanFound(): void {
    for (let left = cleansPerPut; left > 0; left--) {
      const key = this.#found.pop()
      if (key === undefined) return
      const head = this.#head(key)
      if (head === undefined) continue
      this.#dropUnreachable(key, head)
      const isGone = head.value === null && head.count === 0 && head.timestamp < this.#reach
      this.overlay.write(this.#heads, key, isGone ? null : head, head.timestamp)
    }
  }

  #notOurs(key: Buffer): StreamError {
    return new StreamError('CORRUPT', `store ${this.name}: a changelog key of ${key.length} bytes holds no version`, {
      where: { node: this.name },
      hint: 'Something else wrote to the changelog topic: find and stop it, then start under another application id, which builds the state anew from the input topics.',
    })
  }

  #lost(ordinal: number): StreamError {
    return new StreamError('CORRUPT', `store ${this.name}: versions of a key are missing (chunk ${ordinal})`, {
      where: { node: this.name },
      hint: 'Delete the state directory of the task: it is rebuilt from the changelog.',
    })
  }
}

function present<V>(version: Version<V> | undefined): Row<V> | undefined {
  return version === undefined || version.value === null ? undefined : (version as Row<V>)
}

function startOf(versions: readonly Version<unknown>[]): number {
  return (versions[0] as Version<unknown>).timestamp
}

function endOf(versions: readonly Version<unknown>[]): number {
  return (versions.at(-1) as Version<unknown>).timestamp
}

/** Whether a stored head has a chunk, or a deletion, that can no longer be reached. */
function isCleanable(stored: Buffer, reach: number): boolean {
  const timestamp = readInt64(stored, 0)
  const { count, secondStart } = readChunks(stored, stampBytes)
  if (count > 0) return (count > 1 ? secondStart : timestamp) <= reach
  return timestamp < reach && isDeleted(stored, stampBytes)
}
