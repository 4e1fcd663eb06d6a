/** The shapes in which bytes and positions travel; types only, so that every room can speak of records without sharing code. */

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

/** A record as a broker holds it. Offsets and timestamps are numbers: exact up to 2^53. */
export interface ConsumerRecord {
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly key: Buffer | null
  /** `null` is a tombstone. */
  readonly value: Buffer | null
  readonly headers: Headers
}

/** `topic-partition`, for maps and messages. */
export function partitionName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** Every partition of a topic that has `count` of them. */
export function partitionsOf(topic: string, count: number): readonly TopicPartition[] {
  return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
}
