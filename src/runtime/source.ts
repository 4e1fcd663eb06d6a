/**
 * How the records of one source topic enter their task: stamped with their event time as they are put into their queue, then, one by one, decoded
 * and handed to the compiled chain, or left out, or refused, as the policies of the source say.
 */

import type { FetchedPartition } from '../broker/port.ts'
import type { ReadFrom } from '../common/bytes.ts'
import type { Counter } from '../common/counter.ts'
import { located, messageOf, StreamError } from '../common/errors.ts'
import type { ConsumerRecord } from '../common/record.ts'
import type { CurrentRecord, Process } from '../operators/processor.ts'
import type { AnySerde } from '../serde/serde.ts'
import type { PartitionQueue } from './partition-group.ts'
import { asWritten, type Timestamps } from './timestamps.ts'

/** How one source topic enters the compiled sub-topology. */
export interface SourceProcessor {
  readonly node: string
  readonly key: AnySerde
  readonly value: AnySerde
  readonly readKey: ReadFrom<unknown>
  readonly readValue: ReadFrom<unknown>
  readonly process: Process
  readonly received: Counter
  /** Where event time is not the record's timestamp as it stands. */
  readonly timestamps: Timestamps | undefined
  /** Counts a record that its timestamp policy leaves out. */
  readonly skipped: () => void
  /** Takes a record that does not read: true when it was dead-lettered, false when the app must stop. */
  readonly refuse: (record: ConsumerRecord, partition: number, error: StreamError) => boolean
}

/** Awaited before a batch's records run, where a serde has to fetch something first. */
export function prepare({ key, value }: SourceProcessor, batch: FetchedPartition): Promise<unknown> | undefined {
  if (key.prepare === undefined && value.prepare === undefined) return undefined
  const bytesOf = (part: 'key' | 'value') =>
    batch.records.map((record) => record[part]).filter((bytes): bytes is Buffer => bytes !== null)
  const waits = [key.prepare?.(bytesOf('key')), value.prepare?.(bytesOf('value'))].filter((wait) => wait !== undefined)
  return waits.length === 0 ? undefined : Promise.all(waits)
}

/** The batch with its records' event time, in the order of the log. */
export function stamped(batch: FetchedPartition, queue: PartitionQueue<SourceProcessor>): FetchedPartition {
  const { timestamps } = queue.source
  if (timestamps === undefined || batch.records.length === 0) return batch
  return { ...batch, records: timestamps.stamp(batch.records, queue) }
}

/**
 * Reads a record taken from the queue and processes it, as the current one.
 * @throws StreamError DESERIALIZATION when it does not read and is not dead-lettered; what its timestamp extractor and the chain throw.
 */
export function receive(queue: PartitionQueue<SourceProcessor>, record: ConsumerRecord, current: CurrentRecord): void {
  const source = queue.source
  const { bytes, keyStart, valueStart, timestamp } = record
  source.received.count++
  let key: unknown = null
  let value: unknown = null
  try {
    if (keyStart >= 0) key = source.readKey(bytes, keyStart, record.keyEnd)
    if (valueStart >= 0) value = source.readValue(bytes, valueStart, record.valueEnd)
  } catch (thrown) {
    giveUp(queue, record, undecodable(thrown, source.node))
    return
  }
  if (timestamp < 0) {
    withoutTime(queue, record)
    return
  }
  if (timestamp > queue.partitionTime) queue.partitionTime = timestamp
  current.value = value
  current.record = record
  current.from = queue
  source.process(key, value, timestamp, record.headers)
}

/** Leaves a record out that has no event time, or gives it up. @throws StreamError PROCESSING when that is because its extractor threw. */
function withoutTime(queue: PartitionQueue<SourceProcessor>, record: ConsumerRecord): void {
  const { node, timestamps, skipped } = queue.source
  const error = timestamps?.refusal(record, queue) ?? negativeTimestamp(record.timestamp, node)
  if (timestamps?.skips === true) skipped()
  else giveUp(queue, record, error)
}

/** To the dead letters, where the source has some. @throws the error where it has none. */
function giveUp(
  { source, partition }: PartitionQueue<SourceProcessor>,
  record: ConsumerRecord,
  error: StreamError,
): void {
  if (!source.refuse(asWritten(record), partition, error)) throw error
}

function negativeTimestamp(timestamp: number, node: string): StreamError {
  return new StreamError('DESERIALIZATION', `timestamp ${timestamp} is before 1970`, {
    where: { node },
    hint: 'The producer wrote no timestamp, or a wrong one. Windows and joins need one; dead-letter such records or mend the producer.',
  })
}

function undecodable(thrown: unknown, node: string): StreamError {
  if (thrown instanceof StreamError) return located(thrown, { node })
  return new StreamError('DESERIALIZATION', `${node}: ${messageOf(thrown)}`, {
    cause: thrown,
    where: { node },
  })
}
