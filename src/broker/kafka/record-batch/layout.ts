/** Where the fields of a record batch of format version 2 lie, and its header as a value; nothing here reads a record. */

import { StreamError } from '../../../common/errors.ts'

/** Bytes before `length` counts: base offset and the length itself. */
export const logOverhead = 12
export const headerBytes = 61

export const at = Object.freeze({
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
})

export const attribute = Object.freeze({ compression: 0x07, logAppendTime: 0x08, transactional: 0x10, control: 0x20 })

/** Record length, attributes, timestamp delta, offset delta, key length, value length, header count: a byte each. */
export const leastRecordBytes = 7

const two32 = 4294967296

/** A number beyond ±2^53 comes out as NaN. */
export function readInt64(buffer: Buffer, position: number): number {
  const value = buffer.readInt32BE(position) * two32 + buffer.readUInt32BE(position + 4)
  return Number.isSafeInteger(value) ? value : Number.NaN
}

export function writeInt64(buffer: Buffer, value: number, position: number): void {
  buffer.writeInt32BE(Math.floor(value / two32), position)
  buffer.writeInt32BE(value | 0, position + 4)
}

/** Where a batch was read, for messages. */
export interface BatchOrigin {
  readonly topic: string
  readonly partition: number
}

export function corrupt(origin: BatchOrigin, offset: number, what: string, cause?: unknown): StreamError {
  const { topic, partition } = origin
  const where = Number.isNaN(offset) ? { topic, partition } : { topic, partition, offset }
  return new StreamError(
    'CORRUPT',
    `the record batch at offset ${offset} of ${topic}-${partition} is damaged: ${what}`,
    {
      where,
      ...(cause === undefined ? {} : { cause }),
      hint: 'Fetch it with the Java console consumer: when that fails too, the log on the broker is damaged.',
    },
  )
}

/** Header of one whole batch in a record set. */
export interface BatchHeader {
  /** Where the batch starts and ends in the record set. */
  readonly start: number
  readonly end: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly attributes: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  /** -1 when the producer was not idempotent. */
  readonly producerId: number
  readonly count: number
}

/**
 * The header at `start`, or `null` when the record set ends before the batch does, as a response cut at its size limit.
 * The header is not to be trusted before `checkCrc`.
 * @throws StreamError CORRUPT; UNSUPPORTED_VERSION for the formats before Kafka 0.11.
 */
export function readHeader(set: Buffer, start: number, origin: BatchOrigin): BatchHeader | null {
  const left = set.length - start
  if (left < logOverhead) return null
  const baseOffset = readInt64(set, start)
  const length = set.readInt32BE(start + at.length)
  if (left >= at.magic + 1) {
    const magic = set.readInt8(start + at.magic)
    if (magic === 0 || magic === 1) {
      throw new StreamError(
        'UNSUPPORTED_VERSION',
        `${origin.topic}-${origin.partition} holds messages of format version ${magic} at offset ${baseOffset}; only version 2 (Kafka 0.11 and later) can be read`,
        {
          where: { ...origin, offset: baseOffset },
          hint: 'Copy the topic with a current producer, which writes version 2.',
        },
      )
    }
    if (magic !== 2) throw corrupt(origin, baseOffset, `its format version is ${magic}`)
  }
  if (length < headerBytes - logOverhead) throw corrupt(origin, baseOffset, `its length is ${length} bytes`)
  if (left < length + logOverhead) return null
  const lastOffset = baseOffset + set.readInt32BE(start + at.lastOffsetDelta)
  return {
    start,
    end: start + logOverhead + length,
    baseOffset,
    lastOffset,
    attributes: set.readInt16BE(start + at.attributes),
    baseTimestamp: readInt64(set, start + at.baseTimestamp),
    maxTimestamp: readInt64(set, start + at.maxTimestamp),
    producerId: readInt64(set, start + at.producerId),
    count: set.readInt32BE(start + at.count),
  }
}
