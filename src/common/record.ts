/** The shapes in which bytes and positions travel, so that every room can speak of records without sharing code. */

/** One record header. Order matters and keys may repeat, as in Kafka. */
export interface Header {
  readonly key: string
  readonly value: Buffer | null
}

export type Headers = readonly Header[]

/** Shared by every record without headers, so that none allocates an array. */
export const noHeaders: Headers = Object.freeze([])

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/**
 * A record as a broker holds it: where its key and value lie in bytes that it shares with its batch. Offsets and timestamps are
 * numbers: exact up to 2^53.
 */
export class ConsumerRecord {
  /** Given when the record reaches its log. */
  offset: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly headers: Headers
  readonly bytes: Buffer
  /** The key is bytes [keyStart, keyEnd); a record without key has -1 for both, and so has a tombstone for its value. */
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number

  constructor(
    offset: number,
    timestamp: number,
    headers: Headers,
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ) {
    this.offset = offset
    this.timestamp = timestamp
    this.headers = headers
    this.bytes = bytes
    this.keyStart = keyStart
    this.keyEnd = keyEnd
    this.valueStart = valueStart
    this.valueEnd = valueEnd
  }

  /** A view, made anew by each call: the record path reads from `bytes` instead. */
  get key(): Buffer | null {
    return this.keyStart < 0 ? null : this.bytes.subarray(this.keyStart, this.keyEnd)
  }

  /** A view as `key`; `null` is a tombstone. */
  get value(): Buffer | null {
    return this.valueStart < 0 ? null : this.bytes.subarray(this.valueStart, this.valueEnd)
  }
}

const nothing = Buffer.alloc(0)

/** A record of a key and a value, which are copied. */
export function consumerRecord(
  offset: number,
  timestamp: number,
  key: Buffer | null,
  value: Buffer | null,
  headers: Headers = noHeaders,
): ConsumerRecord {
  const keyLength = key?.length ?? 0
  const bytes = Buffer.concat([key ?? nothing, value ?? nothing])
  const [keyStart, keyEnd] = key === null ? [-1, -1] : [0, keyLength]
  const [valueStart, valueEnd] = value === null ? [-1, -1] : [keyLength, bytes.length]
  return new ConsumerRecord(offset, timestamp, headers, bytes, keyStart, keyEnd, valueStart, valueEnd)
}

/** `topic-partition`, for maps and messages. */
export function partitionName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** Every partition of a topic that has `count` of them. */
export function partitionsOf(topic: string, count: number): readonly TopicPartition[] {
  return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
}
