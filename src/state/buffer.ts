/**
 * Store of updates that are held back, one row per key. The rows live as those of a key-value store: in memory as far as the cache
 * goes, the others in bytes. What is in memory for all of them is the queue: key and buffer time. Invariant: the queue holds
 * exactly the keys that have a row. It is read from the bytes when they are complete, so a restart goes on in the same order.
 */

import { ByteTarget, byteText, readerOf, writerOf } from '../common/bytes.ts'
import { StreamError } from '../common/errors.ts'
import { Heap } from '../common/heap.ts'
import type { Headers } from '../common/record.ts'
import { bufferedCodec, bufferTimeOf } from './buffered-codec.ts'
import type { CacheLimits } from './clean-rows.ts'
import { type Codec, keyValueLayout, type RowLayout, storeEnd, storePrefix } from './codec.ts'
import type { Bucket } from './entry.ts'
import { canonical } from './map-keys.ts'
import { Overlay } from './overlay.ts'
import { restoredWrite } from './restored-write.ts'
import type { Buffered, BufferStore, ByteStore, ByteWrite, ChangelogRow, Released, Row, StateStore } from './store.ts'
import { TimedStore } from './timed-store.ts'

export interface BufferStoreOptions<K, V> extends CacheLimits {
  readonly name: string
  readonly key: Codec<K>
  readonly value: Codec<V>
  /** The task's bytes, shared with its other stores. */
  readonly bytes: ByteStore
  /** The bytes hold no row of the store. Default false. */
  readonly empty?: boolean
  /** Whether `bytes` is asked for: it takes a serialization per update. Default false. */
  readonly measured?: boolean
}

/** A key in the queue. */
interface Place<K> {
  readonly key: K
  /** Its bytes, as latin1: such texts compare as the bytes do. */
  readonly text: string
  readonly time: number
  /** Bytes of key and row, as far as they are measured. */
  bytes: number
}

const timestampBytes = 8

export class OverlayBufferStore<K, V>
  extends TimedStore<unknown, Buffered<V>>
  implements BufferStore<K, V>, StateStore
{
  readonly name: string
  readonly #key: Codec<K>
  readonly #writeKey: (key: K, target: ByteTarget) => void
  readonly #writeRow: (row: Buffered<V>, target: ByteTarget) => void
  readonly #bytes: ByteStore
  readonly #layout: RowLayout
  /** By the key where it is primitive, else by its text. */
  protected readonly overlay: Overlay<unknown, Buffered<V>>
  readonly #bucket: Bucket<Buffered<V>>
  readonly #measured: boolean
  readonly #target = new ByteTarget()
  readonly #places = new Map<unknown, Place<K>>()
  readonly #queue = new Heap<Place<K>>(isEarlier)
  #queuedBytes = 0
  #loaded: boolean

  constructor(options: BufferStoreOptions<K, V>) {
    super()
    const { name, key, value, bytes, empty = false, measured = false } = options
    this.name = name
    const row = bufferedCodec(value)
    this.#key = key
    this.#writeKey = writerOf(key)
    this.#writeRow = writerOf(row)
    this.#bytes = bytes
    this.#measured = measured
    this.#loaded = empty
    this.#bucket = { start: 0, rows: new Map(), complete: empty }
    this.#layout = keyValueLayout(storePrefix(name))
    const mapKey = key.primitive ? (key as Codec<unknown>) : (byteText as Codec<unknown>)
    this.overlay = new Overlay({ ...options, store: name, key: mapKey, value: row, layout: this.#layout })
  }

  get size(): number {
    return this.#queue.size
  }

  get bytes(): number {
    return this.#queuedBytes
  }

  get firstTime(): number {
    return this.#queue.first?.time ?? Number.POSITIVE_INFINITY
  }

  get(key: K): Row<Buffered<V>> | undefined {
    this.#checkLoaded()
    const mapKey = this.#mapKey(key)
    return this.#places.has(mapKey) ? this.#row(mapKey) : undefined
  }

  put(key: K, value: V | null, old: V | null, time: number, timestamp: number, headers: Headers): void {
    this.#checkLoaded()
    const mapKey = this.#mapKey(key)
    const known = this.#places.get(mapKey)
    if (known === undefined) {
      const text = this.#key.primitive ? this.#textOf(key) : (mapKey as string)
      const row = { time, prior: old, value, headers }
      this.#enter({ key, text, time, bytes: this.#sizeOf(text, row) }, mapKey)
      this.overlay.write(this.#bucket, mapKey, row, timestamp)
      return
    }
    const { prior } = this.#row(mapKey).value
    const row = { time: known.time, prior, value, headers }
    this.#queuedBytes -= known.bytes
    known.bytes = this.#sizeOf(known.text, row)
    this.#queuedBytes += known.bytes
    this.overlay.write(this.#bucket, mapKey, row, timestamp)
  }

  shift(): Released<K, V> {
    this.#checkLoaded()
    const place = this.#queue.pop()
    if (place === undefined) throw new StreamError('INTERNAL', `store ${this.name} holds nothing back`)
    const mapKey = this.#key.primitive ? canonical(place.key) : place.text
    const { value: row, timestamp } = this.#row(mapKey)
    this.#places.delete(mapKey)
    this.#queuedBytes -= place.bytes
    this.overlay.write(this.#bucket, mapKey, null, timestamp)
    return { ...row, key: place.key, timestamp }
  }

  override discard(): void {
    super.discard()
    this.#bucket.rows.clear()
    this.#bucket.complete = false
    this.#forgetQueue()
  }

  /** Also raises the stream time: no update is newer than the stream time that wrote it. */
  restore(row: ChangelogRow): ByteWrite {
    this.overlay.checkRestorable()
    if (this.#loaded || this.overlay.rows > 0) this.discard()
    this.recoverStreamTime(row.timestamp)
    return restoredWrite(this.#layout, 0, row.key, row)
  }

  async load(): Promise<void> {
    if (this.#loaded) return
    const prefix = storePrefix(this.name)
    const readKey = readerOf(this.#key)
    for await (const [stored, row] of this.#bytes.scan(prefix, storeEnd(this.name))) {
      const key = readKey(stored, prefix.length, stored.length)
      const text = stored.toString('latin1', prefix.length)
      const bytes = this.#measured ? stored.length - prefix.length + row.length : 0
      this.#enter({ key, text, time: bufferTimeOf(row, timestampBytes), bytes }, this.#key.primitive ? key : text)
    }
    this.#loaded = true
  }

  async expire(): Promise<void> {
    // What is released is deleted there and then.
  }

  #enter(place: Place<K>, mapKey: unknown): void {
    this.#places.set(mapKey, place)
    this.#queue.push(place)
    this.#queuedBytes += place.bytes
  }

  #forgetQueue(): void {
    this.#places.clear()
    this.#queue.clear()
    this.#queuedBytes = 0
    this.#loaded = false
  }

  #checkLoaded(): void {
    if (!this.#loaded) throw new StreamError('INTERNAL', `store ${this.name} is used before its queue was read`)
  }

  /** Of a key that is in the queue. */
  #row(mapKey: unknown): Row<Buffered<V>> {
    const entry = this.overlay.read(this.#bucket, mapKey)
    if (entry === undefined || entry.value === null)
      throw new StreamError('CORRUPT', `store ${this.name}: a row that is held back is not there`, {
        where: { node: this.name },
        hint: 'Delete the state directory of the task: it is rebuilt from the changelog.',
      })
    return entry as Row<Buffered<V>>
  }

  #mapKey(key: K): unknown {
    return this.#key.primitive ? canonical(key) : this.#textOf(key)
  }

  #textOf(key: K): string {
    const target = this.#target
    target.clear()
    this.#writeKey(key, target)
    return target.buffer.toString('latin1', 0, target.length)
  }

  #sizeOf(text: string, row: Buffered<V>): number {
    if (!this.#measured) return 0
    const target = this.#target
    target.clear()
    this.#writeRow(row, target)
    return text.length + timestampBytes + target.length
  }
}

function isEarlier<K>(a: Place<K>, b: Place<K>): boolean {
  return a.time < b.time || (a.time === b.time && a.text < b.text)
}
