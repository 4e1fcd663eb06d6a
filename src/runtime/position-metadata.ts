/**
 * What travels beside a committed offset: stream times, so that a restarted or moved task judges lateness as before.
 * (Kafka Streams keeps partition time there too: TopicPartitionMetadata.) Committed in the same transaction as the offset.
 */

import type { StreamTimes } from '../state/checkpoint.ts'

export interface PositionMetadata {
  /** Highest record timestamp taken from the partition, ms; -1 before the first. */
  readonly partitionTime: number
  /** Of the task's stores. */
  readonly streamTimes: StreamTimes
}

const version = 1
/** Brokers refuse more (offset.metadata.max.bytes, 4096), and with it the whole commit. */
const maxBytes = 4000

/** Stream times of very many stores do not fit and stay behind: they are in the checkpoint too, and restored rows raise them. */
export function encodeMetadata(metadata: PositionMetadata): string {
  const whole = encode(metadata)
  return fits(whole) ? whole : encode({ ...metadata, streamTimes: {} })
}

/** Whether the stream times have room beside the offset. */
export function fitsMetadata(metadata: PositionMetadata): boolean {
  return fits(encode(metadata))
}

function encode({ partitionTime, streamTimes }: PositionMetadata): string {
  return JSON.stringify([version, partitionTime, streamTimes])
}

function fits(text: string): boolean {
  return Buffer.byteLength(text) <= maxBytes
}

/** Anything not written by this version reads as undefined: the offset counts, the times start anew. */
export function decodeMetadata(text: string): PositionMetadata | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    if (!Array.isArray(parsed) || parsed[0] !== version) return undefined
    const [, partitionTime, streamTimes] = parsed as [number, unknown, unknown]
    if (typeof partitionTime !== 'number' || typeof streamTimes !== 'object' || streamTimes === null) return undefined
    return { partitionTime, streamTimes: streamTimes as StreamTimes }
  } catch {
    return undefined
  }
}
