/** Walks over what one response holds of one partition, in portions; its position moves past markers, aborted and compacted records. */

import type { ConsumerRecord } from '../../common/record.ts'
import { AbortedFilter, type AbortedTransaction } from './aborted.ts'
import { checkBatch } from './record-batch/checksum.ts'
import { decodeRecords } from './record-batch/decode.ts'
import { attribute, type BatchOrigin, corrupt, readHeader } from './record-batch/layout.ts'

export interface PartitionData extends BatchOrigin {
  readonly recordSet: Buffer
  /** Offset the response was asked to start at; records before it, in the same batch, are left out. */
  readonly position: number
  /** `null` when reading uncommitted. */
  readonly aborted: readonly AbortedTransaction[] | null
  /** Bytes one batch may unpack to; default 64 MiB. */
  readonly maxUnpackedBytes?: number
}

export class PartitionReader {
  readonly #data: PartitionData
  readonly #filter: AbortedFilter | null
  #at = 0
  #position: number
  /** Last offset of the batch before, so that batches out of order are noticed. */
  #last = -1
  #done = false

  constructor(data: PartitionData) {
    this.#data = data
    this.#position = data.position
    this.#filter = data.aborted === null ? null : new AbortedFilter(data.aborted)
  }

  /** Next offset to read, by what `next` has returned. */
  get position(): number {
    return this.#position
  }

  /** Nothing is left. */
  get done(): boolean {
    return this.#done
  }

  /**
   * Adds records to `into` until they take `maxBytes` (of keys, values and framing, unpacked) or none are left; at least
   * one batch. Returns the bytes.
   * @throws StreamError CORRUPT, UNSUPPORTED_VERSION; the position then is that of the bad batch, and stays there.
   */
  next(into: ConsumerRecord[], maxBytes: number): number {
    const { recordSet } = this.#data
    let bytes = 0
    while (!this.#done && bytes < maxBytes) {
      const header = readHeader(recordSet, this.#at, this.#data)
      if (header === null) {
        // Brokers send at least one whole batch, or nothing at all (KIP-74).
        if (this.#at === 0 && recordSet.length > 0)
          throw corrupt(this.#data, this.#position, 'it is longer than the response')
        this.#done = true
        break
      }
      checkBatch(recordSet, header, this.#data)
      if (header.baseOffset <= this.#last) {
        throw corrupt(this.#data, header.baseOffset, `the batch before it ends at ${this.#last}`)
      }
      const dropped = this.#filter?.drops(header, recordSet, this.#data) === true
      if (!dropped && (header.attributes & attribute.control) === 0 && header.lastOffset >= this.#position) {
        const before = into.length
        try {
          bytes += decodeRecords(recordSet, header, this.#position, this.#data, into, this.#data.maxUnpackedBytes)
        } catch (error) {
          into.length = before
          throw error
        }
      }
      this.#last = header.lastOffset
      this.#at = header.end
      this.#position = Math.max(this.#position, header.lastOffset + 1)
      this.#done = this.#at >= recordSet.length
    }
    return bytes
  }
}
