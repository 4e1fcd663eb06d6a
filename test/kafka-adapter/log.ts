/** Record sets as a broker would hold them, built batch by batch, for tests that need markers, gaps and many producers. */

import type { AbortedTransaction } from '../../src/broker/kafka/aborted.ts'
import { batchCrc } from '../../src/broker/kafka/record-batch/checksum.ts'
import type { Compression } from '../../src/broker/kafka/record-batch/compression.ts'
import { BatchBuilder } from '../../src/broker/kafka/record-batch/encode.ts'
import { at, attribute, headerBytes, logOverhead } from '../../src/broker/kafka/record-batch/layout.ts'
import { type Headers, noHeaders } from '../../src/common/record.ts'

export interface TestRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp?: number
  readonly headers?: Headers
}

export interface TestBatch {
  readonly baseOffset: number
  readonly producerId?: number
  readonly transactional?: boolean
  readonly compression?: Compression
}

/** Re-writes header fields of a finished batch as a broker may, and its checksum. */
export function patched(batch: Buffer, patch: (batch: Buffer) => void): Buffer {
  const copy = Buffer.from(batch)
  patch(copy)
  copy.writeUInt32BE(batchCrc(copy, 0, copy.length), at.crc)
  return copy
}

export function batchOf(records: readonly TestRecord[], options: TestBatch): Buffer {
  const builder = new BatchBuilder()
  for (const { key, value, timestamp = 1000, headers = noHeaders } of records)
    builder.append(key, value, timestamp, headers)
  const [batch] = builder.take()
  if (batch === undefined) throw new Error('no records')
  const producerId = options.producerId ?? -1
  const stamped = batch.stamp({
    producerId,
    epoch: producerId < 0 ? -1 : 0,
    baseSequence: producerId < 0 ? -1 : 0,
    transactional: options.transactional ?? false,
    compression: options.compression ?? 'none',
  })
  return patched(stamped, (bytes) => bytes.writeBigInt64BE(BigInt(options.baseOffset), at.baseOffset))
}

/** A commit or abort marker; `null` is what compaction leaves of one: its batch without the record. */
export function markerAt(baseOffset: number, producerId: number, type: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1])
  const batch = batchOf([{ key, value: Buffer.alloc(6) }], { baseOffset, producerId, transactional: true })
  return patched(batch, (bytes) => bytes.writeInt16BE(attribute.transactional | attribute.control, at.attributes))
}

/** A batch whose records compaction has removed: only its header stays, with the last offset. */
export function emptied(batch: Buffer): Buffer {
  return patched(batch.subarray(0, headerBytes), (bytes) => {
    bytes.writeInt32BE(headerBytes - logOverhead, at.length)
    bytes.writeInt32BE(0, at.count)
  })
}

export interface LogEntry {
  readonly offset: number
  readonly lastOffset: number
  readonly bytes: Buffer
}

/** A partition that answers fetches as a leader does: whole batches from the one that holds the position, up to the last stable offset. */
export class TestLog {
  readonly entries: LogEntry[] = []
  end = 0
  /** In the order in which they ended, as the broker's index has them. */
  readonly aborted: (AbortedTransaction & { readonly lastOffset: number })[] = []
  readonly #open = new Map<number, number>()
  /** Offsets of data that a read_committed reader must see, filled when their outcome is known. */
  readonly #pending = new Map<number, number[]>()
  readonly committed: number[] = []

  data(
    count: number,
    options: { producerId?: number; transactional?: boolean; compression?: Compression; key?: Buffer } = {},
  ): void {
    const baseOffset = this.end
    const records = Array.from({ length: count }, (_, i) => ({
      key: options.key ?? Buffer.from(`k${baseOffset + i}`),
      value: Buffer.from(`v${baseOffset + i}`),
    }))
    this.#append(batchOf(records, { ...options, baseOffset }), count)
    const offsets = records.map((_, i) => baseOffset + i)
    const { producerId = -1, transactional = false } = options
    if (!transactional) this.committed.push(...offsets)
    else {
      if (!this.#open.has(producerId)) this.#open.set(producerId, baseOffset)
      this.#pending.set(producerId, [...(this.#pending.get(producerId) ?? []), ...offsets])
    }
  }

  marker(producerId: number, type: 'abort' | 'commit'): void {
    const first = this.#open.get(producerId)
    const lastOffset = this.end
    this.#append(markerAt(lastOffset, producerId, type), 1)
    if (first !== undefined && type === 'abort') this.aborted.push({ producerId, firstOffset: first, lastOffset })
    if (type === 'commit') this.committed.push(...(this.#pending.get(producerId) ?? []))
    this.#open.delete(producerId)
    this.#pending.delete(producerId)
  }

  #append(bytes: Buffer, count: number): void {
    this.entries.push({ offset: this.end, lastOffset: this.end + count - 1, bytes })
    this.end += count
  }

  isOpen(producerId: number): boolean {
    return this.#open.has(producerId)
  }

  get stableEnd(): number {
    return Math.min(this.end, ...this.#open.values())
  }

  /** What a read_committed reader must see, in offset order. */
  visible(): number[] {
    return this.committed.filter((offset) => offset < this.stableEnd).sort((a, b) => a - b)
  }

  /** At least one batch, then as many as fit; `cut` leaves half a batch at the end. */
  fetch(position: number, maxBytes: number, cut = false): { recordSet: Buffer; aborted: AbortedTransaction[] } {
    const parts: Buffer[] = []
    let bytes = 0
    let upper = position
    for (const entry of this.entries) {
      if (entry.lastOffset < position || entry.offset >= this.stableEnd) continue
      if (parts.length > 0 && bytes + entry.bytes.length > maxBytes) {
        if (cut) parts.push(entry.bytes.subarray(0, entry.bytes.length >> 1))
        break
      }
      parts.push(entry.bytes)
      bytes += entry.bytes.length
      upper = entry.lastOffset + 1
    }
    const aborted = this.aborted.filter((t) => t.lastOffset >= position && t.firstOffset < upper)
    return {
      recordSet: Buffer.concat(parts),
      aborted: aborted.map(({ producerId, firstOffset }) => ({ producerId, firstOffset })),
    }
  }
}
