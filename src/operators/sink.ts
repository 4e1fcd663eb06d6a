/** Serializes each record and appends it to the partition its key belongs to; equal keys always go to equal partitions. */

import { ByteTarget, writerOf } from '../common/bytes.ts'
import { messageOf, StreamError } from '../common/errors.ts'
import { partitionOf } from '../common/partitioner.ts'
import type { ConsumerRecord, Headers } from '../common/record.ts'
import { type CurrentRecord, type Process, type ProcessorContext, processingError } from './processor.ts'

/** What a sink needs of a serde. */
export interface SinkSerializer<T> {
  readonly format: string
  readonly serialize: (value: T) => Buffer
  /** Bytes at the end of a key that do not choose its partition (the window of a windowed one). Default 0. */
  readonly unpartitionedBytes?: number
}

/** Where a topic's records are collected until the commit: the key of `keyLength` bytes at `start`, the value right after it, -1 for null. */
export interface SinkOutput {
  appendRange(
    partition: number,
    source: Buffer,
    start: number,
    keyLength: number,
    valueLength: number,
    timestamp: number,
    headers: Headers,
  ): void
}

type Partitioner<K, V> = (key: K | null, value: V | null, partitions: number) => number | undefined

export interface SinkArgs<K, V> {
  readonly topic: string
  readonly key: SinkSerializer<K>
  readonly value: SinkSerializer<V>
  readonly partitions: number
  readonly output: SinkOutput
  /** Where records without key start their round; tasks that start apart fill a sparse topic evenly. Default 0. */
  readonly firstPartition?: number
  /** Chooses the partition of a record; undefined leaves it to the key. Default: the key does. */
  readonly partitioner?: Partitioner<K, V> | undefined
  /** Given where values come as they were read, with the serde they are written with: their bytes are then copied. */
  readonly unchanged?: CurrentRecord | undefined
}

/** Records without key go round the partitions. Null values are tombstones and pass no serializer. */
export function sink<K, V>(args: SinkArgs<K, V>, ctx: ProcessorContext): Process<K | null, V | null> {
  const { topic, partitions, output, unchanged, partitioner, key: keySerializer, value: valueSerializer } = args
  const { unpartitionedBytes = 0 } = keySerializer
  const writeKey = writerOf(keySerializer)
  const writeValue = writerOf(valueSerializer)
  const target = new ByteTarget()
  let turn = (args.firstPartition ?? 0) % partitions
  return (key, value, timestamp, headers) => {
    target.clear()
    let keyLength = -1
    const chosen = partitioner === undefined ? -1 : partitionChosen(ctx.node, partitioner, key, value, partitions)
    let partition = chosen
    if (key === null) {
      if (chosen < 0) {
        partition = turn
        turn = turn + 1 < partitions ? turn + 1 : 0
      }
    } else {
      try {
        writeKey(key, target)
      } catch (thrown) {
        throw serializationError(ctx.node, topic, 'key', keySerializer.format, key, thrown)
      }
      keyLength = target.length
      if (chosen < 0) {
        partition = partitions > 1 ? partitionOf(target.buffer, partitions, 0, keyLength - unpartitionedBytes) : 0
      }
    }
    let valueLength = -1
    if (value !== null) {
      const valueStart = target.length
      if (unchanged !== undefined && value === unchanged.value) {
        const { bytes, valueStart, valueEnd } = unchanged.record as ConsumerRecord
        target.writeRange(bytes, valueStart, valueEnd)
      } else {
        try {
          writeValue(value, target)
        } catch (thrown) {
          throw serializationError(ctx.node, topic, 'value', valueSerializer.format, value, thrown)
        }
      }
      valueLength = target.length - valueStart
    }
    output.appendRange(partition, target.buffer, 0, keyLength, valueLength, timestamp, headers)
  }
}

/** -1 leaves it to the key. */
function partitionChosen<K, V>(
  node: string,
  partitioner: Partitioner<K, V>,
  key: K | null,
  value: V | null,
  partitions: number,
): number {
  let chosen: number | undefined
  try {
    chosen = partitioner(key, value, partitions)
  } catch (thrown) {
    throw processingError(node, thrown)
  }
  if (chosen === undefined) return -1
  if (Number.isInteger(chosen) && chosen >= 0 && chosen < partitions) return chosen
  const range = partitions === 1 ? 'there is only partition 0' : `they go from 0 to ${partitions - 1}`
  throw processingError(node, new TypeError(`the partitioner gave partition ${String(chosen)}, and ${range}`))
}

function serializationError(
  node: string,
  topic: string,
  part: 'key' | 'value',
  format: string,
  given: unknown,
  thrown: unknown,
): StreamError {
  const message = `${node}: a ${part} of type ${typeName(given)} cannot be written to topic ${topic} as ${format}: ${messageOf(thrown)}`
  return new StreamError('SERIALIZATION', message, {
    cause: thrown,
    where: { node, topic },
    hint:
      (thrown instanceof StreamError ? thrown.hint : undefined) ??
      `Give topic ${topic} a ${part} serde that fits, or map the ${part} before it is written.`,
  })
}

function typeName(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  const made: unknown = (value as { constructor?: unknown }).constructor
  return typeof made === 'function' && made.name !== '' ? made.name : 'object'
}
