/** Record batches on their way out: every record is encoded once, into the buffer that is sent; a header is stamped over it as often as needed. */

import { ByteTarget, copyRange } from '../../../common/bytes.ts'
import { StreamError } from '../../../common/errors.ts'
import type { Headers } from '../../../common/record.ts'
import { batchCrc } from './checksum.ts'
import { type Compression, compress, compressionNumber } from './compression.ts'
import { at, attribute, headerBytes, logOverhead, writeInt64 } from './layout.ts'

/** What the producer knows only when it sends, and may have to say anew. */
export interface BatchStamp {
  /** -1 for none. */
  readonly producerId: number
  readonly epoch: number
  /** Sequence of the batch's first record; -1 without a producer id. */
  readonly baseSequence: number
  readonly transactional: boolean
  /** Default `none`. The first stamp of a batch decides. */
  readonly compression?: Compression
}

/** A full batch. A Produce request holds one per partition. */
export interface RecordBatch {
  /** Records, which is also by how much the producer's sequence moves. */
  readonly count: number
  /** Bytes before compression. */
  readonly bytes: number
  /** The batch as it is sent. Valid until the next `stamp` and until the batch is recycled. */
  stamp(stamp: BatchStamp): Buffer
}

export interface BatchBuilderOptions {
  /**
   * Bytes of one batch before compression; a single larger record gets a batch of its own. Default 1 MiB, which is below
   * the broker's default max.message.bytes of 1048588.
   */
  readonly maxBatchBytes?: number
}

const defaultMaxBatchBytes = 1024 * 1024
const firstCapacity = 4096
/** Buffers kept for the next batches. */
const spareBuffers = 2
/** Timestamps further apart would not be exact as a varint of doubles. */
const maxDelta = 2 ** 51

function varintBytes(zigzag: number): number {
  if (zigzag < 0x80) return 1
  if (zigzag < 0x4000) return 2
  if (zigzag < 0x200000) return 3
  if (zigzag < 0x10000000) return 4
  let bytes = 5
  for (let rest = Math.floor(zigzag / 0x800000000); rest > 0; rest = Math.floor(rest / 128)) bytes++
  return bytes
}

/** Writes an already zigzagged number below 2^53; returns where it ends. */
function writeVarint(buffer: Buffer, zigzag: number, position: number): number {
  let p = position
  let rest = zigzag
  while (rest >= 0x10000000) {
    buffer[p++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  while (rest >= 0x80) {
    buffer[p++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[p++] = rest
  return p
}

/** Bytes of a nullable field (-1: null) with its length, and of the headers with their count. */
function fieldBytes(length: number): number {
  return length < 0 ? 1 : varintBytes(length * 2) + length
}

function headersBytes(headers: Headers): number {
  let bytes = varintBytes(headers.length * 2)
  for (const { key, value } of headers) {
    const keyBytes = Buffer.byteLength(key)
    bytes += varintBytes(keyBytes * 2) + keyBytes + fieldBytes(value === null ? -1 : value.length)
  }
  return bytes
}

/** The `length` bytes of `source` from `start` on, or null when it is -1; returns where the field ends. */
function writeField(buffer: Buffer, source: Buffer, start: number, length: number, position: number): number {
  if (length < 0) {
    buffer[position] = 1
    return position + 1
  }
  const at = writeVarint(buffer, length * 2, position)
  copyRange(source, start, start + length, buffer, at)
  return at + length
}

function writeHeaders(buffer: Buffer, headers: Headers, position: number): number {
  let p = writeVarint(buffer, headers.length * 2, position)
  for (const { key, value } of headers) {
    const keyBytes = Buffer.byteLength(key)
    p = writeVarint(buffer, keyBytes * 2, p)
    p += buffer.write(key, p, keyBytes, 'utf8')
    p = writeField(buffer, value ?? nothing, 0, value === null ? -1 : value.length, p)
  }
  return p
}

/** One batch while it grows and after. */
class OpenBatch implements RecordBatch {
  buffer: Buffer
  length = headerBytes
  count = 0
  baseTimestamp = 0
  maxTimestamp = 0
  #packed: Buffer | null = null
  #compression: Compression = 'none'

  constructor(buffer: Buffer) {
    this.buffer = buffer
  }

  get bytes(): number {
    return this.length
  }

  reserve(bytes: number): void {
    const need = this.length + bytes
    if (need <= this.buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(need, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }

  stamp({ producerId, epoch, baseSequence, transactional, compression = 'none' }: BatchStamp): Buffer {
    if (this.#packed === null) {
      this.#compression = compression
      this.#packed = this.#pack(compression)
    }
    const batch = this.#packed
    writeInt64(batch, 0, at.baseOffset)
    batch.writeInt32BE(batch.length - logOverhead, at.length)
    batch.writeInt32BE(-1, at.leaderEpoch)
    batch.writeInt8(2, at.magic)
    batch.writeInt16BE(
      compressionNumber(this.#compression) | (transactional ? attribute.transactional : 0),
      at.attributes,
    )
    batch.writeInt32BE(this.count - 1, at.lastOffsetDelta)
    writeInt64(batch, this.baseTimestamp, at.baseTimestamp)
    writeInt64(batch, this.maxTimestamp, at.maxTimestamp)
    writeInt64(batch, producerId, at.producerId)
    batch.writeInt16BE(epoch, at.producerEpoch)
    batch.writeInt32BE(baseSequence, at.baseSequence)
    batch.writeInt32BE(this.count, at.count)
    batch.writeUInt32BE(batchCrc(batch, 0, batch.length), at.crc)
    return batch
  }

  #pack(compression: Compression): Buffer {
    if (compression === 'none') return this.buffer.subarray(0, this.length)
    const records = compress(compression, this.buffer.subarray(headerBytes, this.length))
    const batch = Buffer.allocUnsafeSlow(headerBytes + records.length)
    batch.set(records, headerBytes)
    return batch
  }
}

const nothing = Buffer.alloc(0)
/** Where `append` puts key and value side by side. */
const sideBySide = new ByteTarget()

/** Gathers the records of one partition into batches. */
export class BatchBuilder {
  readonly #maxBatchBytes: number
  #full: OpenBatch[] = []
  #open: OpenBatch | null = null
  readonly #spare: Buffer[] = []
  #bytes = 0
  #count = 0

  constructor({ maxBatchBytes = defaultMaxBatchBytes }: BatchBuilderOptions = {}) {
    this.#maxBatchBytes = maxBatchBytes
  }

  /** Bytes of the batches so far, before compression. */
  get bytes(): number {
    return this.#bytes
  }

  /** Records appended since the last `take`. */
  get count(): number {
    return this.#count
  }

  /**
   * Copies key, value and headers into the open batch.
   * @param timestamp ms since the epoch, or -1 for none.
   * @throws StreamError PRODUCTION for a timestamp no record can have.
   */
  append(key: Buffer | null, value: Buffer | null, timestamp: number, headers: Headers): void {
    sideBySide.clear()
    if (key !== null) sideBySide.writeBytes(key)
    if (value !== null) sideBySide.writeBytes(value)
    this.appendRange(sideBySide.buffer, 0, key?.length ?? -1, value?.length ?? -1, timestamp, headers)
  }

  /** As `append`, of a key at `start` of `source` and a value right after it; a length of -1 is null. */
  appendRange(
    source: Buffer,
    start: number,
    keyLength: number,
    valueLength: number,
    timestamp: number,
    headers: Headers,
  ): void {
    if (!Number.isSafeInteger(timestamp) || timestamp < -1 || timestamp > maxDelta) throw timestampRefused(timestamp)
    const keyAndValueBytes = fieldBytes(keyLength) + fieldBytes(valueLength)
    const headerBytesNeeded = headers.length === 0 ? 1 : headersBytes(headers)
    let batch = this.#open
    if (batch === null) batch = this.#openBatch(timestamp)

    let timestampDelta = timestamp - batch.baseTimestamp
    let zigzagTime = timestampDelta < 0 ? -2 * timestampDelta - 1 : 2 * timestampDelta
    let body = 1 + varintBytes(zigzagTime) + varintBytes(batch.count * 2) + keyAndValueBytes + headerBytesNeeded
    let bytes = varintBytes(body * 2) + body
    if (batch.length + bytes > this.#maxBatchBytes && batch.count > 0) {
      this.#full.push(batch)
      batch = this.#openBatch(timestamp)
      timestampDelta = 0
      zigzagTime = 0
      body = 3 + keyAndValueBytes + headerBytesNeeded
      bytes = varintBytes(body * 2) + body
    }

    batch.reserve(bytes)
    const buffer = batch.buffer
    let p = writeVarint(buffer, body * 2, batch.length)
    buffer[p++] = 0
    p = writeVarint(buffer, zigzagTime, p)
    p = writeVarint(buffer, batch.count * 2, p)
    p = writeField(buffer, source, start, keyLength, p)
    p = writeField(buffer, source, keyLength < 0 ? start : start + keyLength, valueLength, p)
    if (headers.length === 0) buffer[p++] = 0
    else p = writeHeaders(buffer, headers, p)
    batch.length = p
    batch.count++
    if (timestamp > batch.maxTimestamp) batch.maxTimestamp = timestamp
    this.#bytes += bytes
    this.#count++
  }

  #openBatch(timestamp: number): OpenBatch {
    const batch = new OpenBatch(this.#spare.pop() ?? Buffer.allocUnsafeSlow(firstCapacity))
    batch.baseTimestamp = timestamp
    batch.maxTimestamp = timestamp
    this.#open = batch
    this.#bytes += headerBytes
    return batch
  }

  /** Hands the batches over, in order, and starts anew: later appends belong to later batches. */
  take(): readonly RecordBatch[] {
    const batches = this.#full
    if (this.#open !== null) batches.push(this.#open)
    this.#full = []
    this.#open = null
    this.#bytes = 0
    this.#count = 0
    return batches
  }

  /** Gives back batches that are not sent again, so that the next ones are built in their memory. */
  recycle(batches: readonly RecordBatch[]): void {
    for (const batch of batches) {
      if (this.#spare.length >= spareBuffers) return
      if (batch instanceof OpenBatch && batch.buffer.length <= 2 * this.#maxBatchBytes) this.#spare.push(batch.buffer)
    }
  }
}

function timestampRefused(timestamp: number): StreamError {
  return new StreamError('PRODUCTION', `a record with the timestamp ${timestamp} cannot be written`, {
    hint: 'Timestamps are whole milliseconds since the epoch, 0 or later.',
  })
}
