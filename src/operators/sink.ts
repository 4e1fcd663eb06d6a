/** Serializes each record and appends it to the partition its key belongs to; equal keys always go to equal partitions. */

import { messageOf, StreamError } from '../common/errors.ts'
import { partitionOf } from '../common/partitioner.ts'
import type { Headers } from '../common/record.ts'
import type { Process, ProcessorContext } from './processor.ts'

/** What a sink needs of a serde. */
export interface SinkSerializer<T> {
  readonly format: string
  readonly serialize: (value: T) => Buffer
}

/** Where a topic's records are collected until the commit. */
export interface SinkOutput {
  append(partition: number, key: Buffer | null, value: Buffer | null, timestamp: number, headers: Headers): void
}

export interface SinkArgs<K, V> {
  readonly topic: string
  readonly key: SinkSerializer<K>
  readonly value: SinkSerializer<V>
  readonly partitions: number
  readonly output: SinkOutput
  /** Where records without key start their round; tasks that start apart fill a sparse topic evenly. Default 0. */
  readonly firstPartition?: number
  /** The bytes that choose the partition, when they are not those of the whole key (windowed keys: the key without its window). */
  readonly partitionKey?: ((key: K, keyBytes: Buffer) => Buffer) | undefined
}

/** Records without key go round the partitions. Null values are tombstones and pass no serializer. */
export function sink<K, V>(args: SinkArgs<K, V>, ctx: ProcessorContext): Process<K | null, V | null> {
  const { topic, partitions, output, partitionKey, key: keySerializer, value: valueSerializer } = args
  let turn = (args.firstPartition ?? 0) % partitions
  return (key, value, timestamp, headers) => {
    let keyBytes: Buffer | null = null
    let partition = 0
    if (key === null) {
      partition = turn
      turn = turn + 1 < partitions ? turn + 1 : 0
    } else {
      try {
        keyBytes = keySerializer.serialize(key)
        if (partitions > 1) {
          partition = partitionOf(partitionKey === undefined ? keyBytes : partitionKey(key, keyBytes), partitions)
        }
      } catch (thrown) {
        throw serializationError(ctx.node, topic, 'key', keySerializer.format, key, thrown)
      }
    }
    let valueBytes: Buffer | null = null
    if (value !== null) {
      try {
        valueBytes = valueSerializer.serialize(value)
      } catch (thrown) {
        throw serializationError(ctx.node, topic, 'value', valueSerializer.format, value, thrown)
      }
    }
    output.append(partition, keyBytes, valueBytes, timestamp, headers)
  }
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
    hint: `Give topic ${topic} a ${part} serde that fits, or map the ${part} before it is written.`,
  })
}

function typeName(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  const made: unknown = (value as { constructor?: unknown }).constructor
  return typeof made === 'function' && made.name !== '' ? made.name : 'object'
}
