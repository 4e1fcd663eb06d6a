/** Fetch and ListOffsets as bytes: versions every broker from 2.5 to 4.x answers, without fetch sessions (KIP-227), so each request says all. */

import type { AbortedTransaction } from './aborted.ts'
import type { NodeRequest } from './connections.ts'
import { Reader, Writer } from './wire.ts'

export interface FetchTarget {
  readonly topic: string
  readonly partition: number
  readonly position: number
}

export interface FetchSettings {
  readonly committed: boolean
  /** ms the broker may wait for the first byte. */
  readonly maxWaitMs: number
  /** Bytes of the response, and of one partition in it; the first batch is sent even when larger. */
  readonly maxBytes: number
  readonly maxPartitionBytes: number
  /** ms to wait for the answer. */
  readonly timeoutMs: number
}

export interface PartitionAnswer {
  readonly topic: string
  readonly partition: number
  /** 0, or Kafka's error code. */
  readonly error: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly aborted: readonly AbortedTransaction[]
  /** A view of the response. */
  readonly recordSet: Buffer
}

export interface FetchAnswer {
  /** Of the whole request. */
  readonly error: number
  readonly partitions: readonly PartitionAnswer[]
}

const noRecords = Buffer.alloc(0)
const unknownEpoch = -1

/** Fetch v11. Partitions keep their order: a broker fills the response from the front. */
export function fetchRequest(targets: readonly FetchTarget[], settings: FetchSettings): NodeRequest {
  const byTopic: { topic: string; targets: FetchTarget[] }[] = []
  for (const target of targets) {
    const last = byTopic.at(-1)
    if (last?.topic === target.topic) last.targets.push(target)
    else byTopic.push({ topic: target.topic, targets: [target] })
  }
  const body = new Writer(64 + targets.length * 48)
    .int32(-1) // replica: a consumer
    .int32(settings.maxWaitMs)
    .int32(1) // min bytes
    .int32(settings.maxBytes)
    .int8(settings.committed ? 1 : 0)
    .int32(0) // session id
    .int32(-1) // session epoch: none
    .array(byTopic, (w, { topic, targets }) =>
      w
        .string(topic)
        .array(targets, (_, { partition, position }) =>
          w.int32(partition).int32(unknownEpoch).int64(position).int64(-1).int32(settings.maxPartitionBytes),
        ),
    )
    .array([], () => {}) // forgotten topics
    .string('') // rack
    .finish()
  return { apiKey: 1, apiVersion: 11, apiName: 'Fetch', flexible: false, body, timeoutMs: settings.timeoutMs }
}

export function readFetch(body: Buffer): FetchAnswer {
  const r = new Reader(body)
  r.int32() // throttle: the connection's
  const error = r.int16()
  r.int32() // session
  const partitions: PartitionAnswer[] = []
  r.array(() => {
    const topic = r.string()
    r.array(() => {
      const partition = r.int32()
      const code = r.int16()
      const highWatermark = r.int64()
      const lastStableOffset = r.int64()
      r.int64() // log start
      const aborted = r.array(() => ({ producerId: r.int64(), firstOffset: r.int64() }))
      r.int32() // preferred replica: none without a rack
      const recordSet = r.bytes() ?? noRecords
      partitions.push({ topic, partition, error: code, highWatermark, lastStableOffset, aborted, recordSet })
    })
  })
  return { error, partitions }
}

const earliestTimestamp = -2
const latestTimestamp = -1

/** ListOffsets v3 of one partition: where its log starts, or ends. */
export function logEdgeRequest(topic: string, partition: number, edge: 'start' | 'end'): NodeRequest {
  const body = new Writer()
    .int32(-1)
    .int8(0)
    .array([topic], (w) =>
      w
        .string(topic)
        .array([partition], () => w.int32(partition).int64(edge === 'start' ? earliestTimestamp : latestTimestamp)),
    )
    .finish()
  return { apiKey: 2, apiVersion: 3, apiName: 'ListOffsets', flexible: false, body }
}

/** `null` when the broker answers with an error. */
export function readLogEdge(body: Buffer): number | null {
  const r = new Reader(body)
  r.int32()
  let offset: number | null = null
  r.array(() => {
    r.string()
    r.array(() => {
      r.int32()
      const error = r.int16()
      r.int64()
      const found = r.int64()
      if (error === 0) offset = found
    })
  })
  return offset
}
