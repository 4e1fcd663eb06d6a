/**
 * One side of a stream-stream join (Kafka Streams: a window store that retains duplicates, and the outer-join store beside it). Rows
 * are found through an index in memory that holds all of them; their bytes are there on the way to the byte store, and after that for
 * as long as the cache has room. Invariant: a row is expired only when the *settled* time has made it unreachable, and never while
 * it is held.
 *
 * A row is written once, and again when a held one finds its match in a later commit. One that becomes unreachable between its commit
 * and the flush never reaches the byte store.
 */

import { ByteTarget, type ReadFrom, readerOf, type WriteInto, writerOf } from '../common/bytes.ts'
import { messageOf, StreamError } from '../common/errors.ts'
import type { ConsumerRecord } from '../common/record.ts'
import type { CacheLimits } from './clean-rows.ts'
import {
  type Codec,
  joinKeyBytes,
  readInt64,
  storeEnd,
  storePrefix,
  writeInt64,
  writeJoinPlace,
  writeJoinRowKey,
} from './codec.ts'
import { JoinIndex } from './join-index.ts'
import { type JoinRow, type RowBatch, rowBits } from './join-row.ts'
import { type MapKeys, mapKeys } from './map-keys.ts'
import { RowBatches, rowOverheadBytes } from './row-batches.ts'
import type { AppendRow, ByteStore, ByteWrite, ChangelogRow, HeldRow, JoinBuffer, StateStore } from './store.ts'

export interface JoinBufferOptions<K, V> extends CacheLimits {
  readonly name: string
  readonly key: Codec<K>
  readonly value: Codec<V>
  /** A row of timestamp t is unreachable once the time is t + this. */
  readonly retentionMs: number
  /** Whether that time is the highest of its own rows rather than stream time. Default false. */
  readonly ownTime?: boolean
  /** The task's bytes, shared with its other stores. */
  readonly bytes: ByteStore
  /** The bytes hold no row of the store. Default false. */
  readonly empty?: boolean
}

const { held, changed, sealed, removed, loaded, stored } = rowBits
const firstGuess = 128

export class OverlayJoinBuffer<K, V> implements JoinBuffer<K, V>, StateStore {
  readonly isTimed = true
  readonly name: string
  streamTime = -1
  heldSeen = Number.POSITIVE_INFINITY
  /** Stream time at the last settle: what the checkpoint says. */
  #settledTime = -1
  #sealedTime = -1
  /** As `expiryTime`, of what is sealed. */
  #sealedExpiry = -1
  #expiryTime = -1
  /** Stream time at which it is read again to be trimmed. */
  #trimAt = -1
  readonly #retentionMs: number
  readonly #ownTime: boolean
  readonly #bytes: ByteStore
  readonly #prefix: Buffer
  readonly #keys: MapKeys<K>
  readonly #writeValue: WriteInto<V>
  readonly #readValue: ReadFrom<V>
  readonly #index: JoinIndex<V>
  readonly #batches: RowBatches<V>
  /** Where the rows begin that are gone from the index and may be in the bytes still; Infinity when there are none. */
  #undeleted = Number.POSITIVE_INFINITY
  /** Whether the index knows what the bytes hold. */
  #loaded: boolean
  /** What was written since the last seal. */
  #open: RowBatch<V>
  /** Sealed and not committed yet. */
  #sealed: RowBatch<V> | undefined
  /** What a flush writes, until it is written. */
  readonly #flushing = new ByteTarget()
  #phase: 'settled' | 'sealed' | 'flushing' = 'settled'
  /** Mean size of a sealed row, to estimate what has not been serialized yet. */
  #meanBytes = firstGuess
  readonly #keyTarget = new ByteTarget()
  /** Of the match under way. */
  #to = 0
  #matches = 0
  #visit: (value: V, timestamp: number) => void = () => undefined
  readonly #visitRow: (row: JoinRow<V>) => boolean

  constructor(options: JoinBufferOptions<K, V>) {
    const { name, key, value, retentionMs, ownTime = false, bytes, empty = false } = options
    this.name = name
    this.#retentionMs = retentionMs
    this.#ownTime = ownTime
    this.#bytes = bytes
    this.#prefix = storePrefix(name)
    this.#keys = mapKeys(key)
    this.#writeValue = writerOf(value)
    this.#readValue = readerOf(value)
    this.#index = new JoinIndex(retentionMs, this.#keys.textOf)
    this.#batches = new RowBatches(options)
    this.#open = this.#batches.create()
    this.#loaded = empty
    this.#visitRow = (row) => {
      if (row.timestamp > this.#to) return false
      this.#matches++
      const found = this.#valueOf(row)
      if ((row.bits & held) !== 0) this.#release(row)
      this.#visit(found, row.timestamp)
      return true
    }
  }

  match(key: K, from: number, to: number, visit: (value: V, timestamp: number) => void): number {
    this.#checkLoaded()
    this.#to = to
    this.#matches = 0
    this.#visit = visit
    this.#index.visit(this.#keys.of(key), from, this.#visitRow)
    this.#batches.trim()
    return this.#matches
  }

  put(key: K, value: V, timestamp: number, isHeld: boolean, record?: ConsumerRecord | null): void {
    this.#checkLoaded()
    const row = this.#index.append(this.#keys.of(key), timestamp, isHeld)
    const open = this.#open
    if (record) {
      this.#writeRowKey(row, open)
      row.batch = open
      row.at = writeHeld(isHeld, open.target)
      open.target.writeRange(record.bytes, record.valueStart, record.valueEnd)
      row.end = open.target.length
    }
    row.value = value
    row.bits |= loaded | changed
    open.rows.push(row)
  }

  get latest(): number {
    return this.#index.latest
  }

  get firstHeld(): HeldRow | undefined {
    return this.#index.firstHeld
  }

  get lastHeld(): HeldRow | undefined {
    return this.#index.lastHeld
  }

  heldAfter(row: HeldRow): HeldRow | undefined {
    return this.#index.heldAfter(row as JoinRow<V>)
  }

  heldFrom(timestamp: number): HeldRow | undefined {
    return this.#index.heldFrom(timestamp)
  }

  keyOf(row: HeldRow): K {
    return this.#keys.keyOf((row as JoinRow<V>).owner.mapKey)
  }

  valueOf(row: HeldRow): V {
    const value = this.#valueOf(row as JoinRow<V>)
    this.#batches.trim()
    return value
  }

  release(row: HeldRow): void {
    // It is written again.
    this.#valueOf(row as JoinRow<V>)
    this.#release(row as JoinRow<V>)
  }

  remove(given: HeldRow): void {
    const row = given as JoinRow<V>
    this.#index.remove(row)
    row.value = undefined
    row.bits &= ~loaded
    // What was never sealed is nowhere else.
    if ((row.bits & sealed) !== 0) this.#touch(row)
  }

  recoverStreamTime(streamTime: number): void {
    if (streamTime > this.#settledTime) this.#settledTime = streamTime
    if (streamTime > this.streamTime) this.streamTime = streamTime
  }

  get uncommittedBytes(): number {
    return this.#open.rows.length * (this.#meanBytes + rowOverheadBytes)
  }

  /** All rows: each is in memory, if without its value. */
  get cachedRows(): number {
    return this.#index.count
  }

  get unflushedRows(): number {
    return this.#batches.unflushedRows
  }

  get unflushedBytes(): number {
    return this.#batches.unflushedBytes
  }

  get expiryTime(): number {
    return this.#expiryTime
  }

  /** @throws StreamError SERIALIZATION when a value does not serialize; only `discard` is of use then. */
  seal(append: AppendRow): void {
    this.#enter('settled', 'sealed')
    this.#sealedTime = this.streamTime
    this.#sealedExpiry = this.#expiryNow()
    const batch = this.#open
    this.#open = this.#batches.create()
    this.#sealed = batch
    const { target, rows } = batch
    let count = 0
    for (const row of rows) if (this.#sealRow(row, batch, append)) rows[count++] = row
    rows.length = count
    this.#index.sealed()
    if (count > 0) this.#meanBytes = target.length / count
  }

  settle(): void {
    this.#enter('sealed', 'settled')
    this.#settledTime = this.#sealedTime
    this.#expiryTime = this.#sealedExpiry
    this.#batches.add(this.#sealed as RowBatch<V>)
    this.#sealed = undefined
    this.#forgetExpired()
  }

  /**
   * Rows that have become unreachable meanwhile never reach the bytes. Those that are there are deleted now: they may say that they
   * are held, and be read so if `expire` is never reached.
   */
  flush(writes: ByteWrite[]): void {
    this.#enter('settled', 'flushing')
    const from = this.#index.slotStart(this.#expired())
    const target = this.#flushing
    target.reserve(this.unflushedBytes + this.unflushedRows * this.#prefix.length)
    for (const batch of this.#batches.unflushed) {
      const { buffer } = batch.target
      for (const row of batch.rows) {
        // A later batch has it as it is now.
        if (row.batch !== batch) continue
        const isGone = row.end < 0 || row.timestamp < from
        if (isGone && (row.bits & stored) === 0) continue
        const start = target.length
        target.writeBytes(this.#prefix)
        writeJoinRowKey(buffer, row.keyAt, row.at, target)
        const valueAt = target.length
        if (!isGone) target.writeRange(buffer, row.at, row.end)
        row.bits |= stored
        writes.push({
          key: target.buffer.subarray(start, valueAt),
          value: isGone ? null : target.buffer.subarray(valueAt, target.length),
        })
      }
    }
  }

  flushed(): void {
    this.#enter('flushing', 'settled')
    this.#flushing.clear()
    this.#batches.flushed()
  }

  discard(): void {
    this.#forget()
    this.#sealedTime = this.#settledTime
    this.streamTime = this.#settledTime
  }

  /** Also raises the stream time: no row is newer than the stream time that wrote it. */
  restore(row: ChangelogRow): ByteWrite {
    if (this.#open.rows.length > 0 || this.#batches.unflushed.length > 0) {
      throw new StreamError('INTERNAL', `store ${this.name} has writes of its own while it is restored`)
    }
    if (this.#loaded) this.discard()
    if (row.key.length < joinKeyBytes) {
      throw new StreamError(
        'CORRUPT',
        `store ${this.name}: a changelog key of ${row.key.length} bytes holds no timestamp`,
        {
          where: { node: this.name },
          hint: 'Something else wrote to the changelog topic: find and stop it, then start under another application id, which builds the state anew from the input topics.',
        },
      )
    }
    this.recoverStreamTime(row.timestamp)
    const target = new ByteTarget(this.#prefix.length + row.key.length)
    target.writeBytes(this.#prefix)
    writeJoinRowKey(row.key, 0, row.key.length, target)
    return { key: target.copy(), value: row.value }
  }

  async load(): Promise<void> {
    if (this.#loaded) return
    this.#forget()
    const keyAt = this.#prefix.length + joinKeyBytes
    for await (const [key, value] of this.#bytes.scan(this.#prefix, storeEnd(this.name))) {
      const timestamp = readInt64(key, this.#prefix.length)
      const seq = key.readUInt32BE(keyAt - 4)
      this.#index.load(this.#keys.ofBytes(key.subarray(keyAt)), timestamp, seq, value[0] === 1)
    }
    this.#loaded = true
    this.heldSeen = this.#index.firstHeld?.timestamp ?? Number.POSITIVE_INFINITY
    this.#expiryTime = this.#expiryNow()
  }

  /** Deletes the rows that the settled time has made unreachable, in steps of a part of the retention. */
  async expire(): Promise<void> {
    if (!this.#loaded) return
    this.#forgetExpired()
    if (this.#undeleted === Number.POSITIVE_INFINITY) return
    const to = this.#index.slotStart(this.#expired())
    await this.#bytes.deleteRange(this.#lowest(this.#undeleted), this.#lowest(to))
    this.#undeleted = Number.POSITIVE_INFINITY
  }

  /** What may go it knows when it has all rows in memory: they are read for that, once in a retention. */
  async trim(): Promise<void> {
    if (this.streamTime < this.#trimAt) return
    await this.load()
    await this.expire()
    this.discard()
    this.#trimAt = this.streamTime + this.#retentionMs
  }

  /** Takes the rows that the settled time has made unreachable out of memory. */
  #forgetExpired(): void {
    const time = this.#expired()
    this.#undeleted = Math.min(this.#undeleted, this.#index.expire(time))
    this.#batches.expire(this.#index.slotStart(time))
  }

  /** Rows before that time are unreachable. */
  #expired(): number {
    return this.#expiryTime - this.#retentionMs + 1
  }

  /** What the time of this moment, with nothing under way, makes unreachable: nothing that is held. */
  #expiryNow(): number {
    const time = this.#ownTime ? this.#index.latest : this.streamTime
    const first = this.#index.firstHeld
    return first === undefined ? time : Math.min(time, first.timestamp + this.#retentionMs - 1)
  }

  #release(row: JoinRow<V>): void {
    this.#index.release(row)
    this.#touch(row)
  }

  /** The row is to be written again. */
  #touch(row: JoinRow<V>): void {
    if ((row.bits & changed) !== 0) return
    row.bits |= changed
    this.#open.rows.push(row)
  }

  #valueOf(row: JoinRow<V>): V {
    if ((row.bits & loaded) !== 0) return row.value as V
    if (row.batch === undefined) this.#batches.keep(row, this.#stored(row))
    const value = this.#read((row.batch as RowBatch<V>).target.buffer, row.at + 1, row.end)
    row.value = value
    row.bits |= loaded
    return value
  }

  #stored(row: JoinRow<V>): Buffer {
    const target = this.#keyTarget
    target.clear()
    target.writeBytes(this.#prefix)
    writeJoinPlace(row.timestamp, row.seq, target)
    this.#keys.write(row.owner.mapKey, target)
    const found = this.#bytes.get(target.buffer.subarray(0, target.length))
    if (found === undefined)
      throw new StreamError('INTERNAL', `store ${this.name}: a row of its index is not in its bytes`)
    return found
  }

  #read(source: Buffer, start: number, end: number): V {
    try {
      return this.#readValue(source, start, end)
    } catch (thrown) {
      throw new StreamError('CORRUPT', `store ${this.name}: a stored row does not read: ${messageOf(thrown)}`, {
        cause: thrown,
        where: { node: this.name },
        hint: 'If the value serde of the store has changed, give the join another name or run under another --app-id; else delete its state directory and it is rebuilt.',
      })
    }
  }

  /** Gives the row to the changelog. @returns whether the batch has it: one that nobody has seen and is gone does not count. */
  #sealRow(row: JoinRow<V>, batch: RowBatch<V>, append: AppendRow): boolean {
    row.bits &= ~changed
    const { target } = batch
    const isGone = (row.bits & removed) !== 0
    if (isGone && (row.bits & sealed) === 0) return false
    const isHeld = (row.bits & held) !== 0
    if (isGone) {
      this.#writeRowKey(row, batch)
      row.at = target.length
      row.end = -1
    } else if (row.batch === batch) {
      target.buffer[row.at] = isHeld ? 1 : 0
    } else {
      this.#writeRowKey(row, batch)
      const at = writeHeld(isHeld, target)
      if (row.batch === undefined) this.#writeLive(row.value as V, target)
      else target.writeRange(row.batch.target.buffer, row.at + 1, row.end)
      row.at = at
      row.end = target.length
    }
    row.batch = batch
    row.bits |= sealed
    if (row.timestamp > batch.latest) batch.latest = row.timestamp
    append(target.buffer, row.keyAt, row.at - row.keyAt, isGone ? -1 : row.end - row.at, row.timestamp)
    return true
  }

  /** Appends the changelog key. */
  #writeRowKey(row: JoinRow<V>, { target }: RowBatch<V>): void {
    row.keyAt = target.length
    this.#keys.write(row.owner.mapKey, target)
    writeJoinPlace(row.timestamp, row.seq, target)
  }

  #writeLive(value: V, target: ByteTarget): void {
    try {
      this.#writeValue(value, target)
    } catch (thrown) {
      throw new StreamError('SERIALIZATION', `store ${this.name}: a value does not serialize: ${messageOf(thrown)}`, {
        cause: thrown,
        where: { node: this.name },
        hint: 'Give the join a value serde that fits the records of that stream.',
      })
    }
  }

  #forget(): void {
    this.#index.clear()
    this.#batches.clear()
    this.#open = this.#batches.create()
    this.#sealed = undefined
    this.#flushing.clear()
    this.#phase = 'settled'
    this.#loaded = false
    this.heldSeen = Number.POSITIVE_INFINITY
  }

  #checkLoaded(): void {
    if (!this.#loaded) throw new StreamError('INTERNAL', `store ${this.name} was not loaded before its first record`)
  }

  #enter(from: 'settled' | 'sealed' | 'flushing', to: 'settled' | 'sealed' | 'flushing'): void {
    if (this.#phase !== from) {
      throw new StreamError('INTERNAL', `store ${this.name} was ${this.#phase} when it had to be ${from}`)
    }
    this.#phase = to
  }

  #lowest(timestamp: number): Buffer {
    const target = new ByteTarget(this.#prefix.length + 8)
    target.writeBytes(this.#prefix)
    const at = target.reserve(8)
    writeInt64(target.buffer, timestamp, at)
    target.length = at + 8
    return target.copy()
  }
}

/** @returns where it is: the value follows. */
function writeHeld(isHeld: boolean, target: ByteTarget): number {
  const at = target.reserve(1)
  target.length = target.buffer.writeUInt8(isHeld ? 1 : 0, at)
  return at
}
