/**
 * Event time of a source's records where it is not the record's timestamp, or where that may be none (Kafka Streams: TimestampExtractor and
 * its policies). Records are stamped as they are put into their queue, in their order, so that the choice between inputs goes by it.
 */

import type { ReadFrom } from '../common/bytes.ts'
import { messageOf, StreamError } from '../common/errors.ts'
import { ConsumerRecord, type TopicPartition } from '../common/record.ts'
import type { RecordContext } from '../common/record-context.ts'
import type { Clock } from '../common/time.ts'
import type { SourceNode, TimestampPolicy } from '../topology/node.ts'

export interface TimestampsArgs {
  readonly node: SourceNode
  readonly readKey: ReadFrom<unknown>
  readonly readValue: ReadFrom<unknown>
  readonly clock: Clock
}

/** A record with another time than it was written with. */
export class StampedRecord extends ConsumerRecord {
  readonly written: ConsumerRecord

  constructor(written: ConsumerRecord, timestamp: number) {
    const { offset, headers, bytes, keyStart, keyEnd, valueStart, valueEnd } = written
    super(offset, timestamp, headers, bytes, keyStart, keyEnd, valueStart, valueEnd)
    this.written = written
  }
}

/** As it was written: what goes to the dead letters, and what its extractor is given. */
export function asWritten(record: ConsumerRecord): ConsumerRecord {
  return record instanceof StampedRecord ? record.written : record
}

/** Stands for a timestamp that is none; where the policy is to skip, the record is dropped for it. */
const invalid = -1

export class Timestamps {
  readonly skips: boolean
  readonly #args: TimestampsArgs
  readonly #policy: TimestampPolicy

  private constructor(args: TimestampsArgs) {
    this.#args = args
    this.#policy = args.node.onInvalidTimestamp
    this.skips = this.#policy === 'skip'
  }

  /** undefined for a source that takes records as they are stamped, and refuses those that are not: that costs nothing. */
  static of(args: TimestampsArgs): Timestamps | undefined {
    const { timestamp, onInvalidTimestamp } = args.node
    return timestamp === undefined && onInvalidTimestamp === 'fail' ? undefined : new Timestamps(args)
  }

  /**
   * The records with their event time. Those that do not read keep theirs, and move no time: they are dealt with when it is their turn.
   * @param queue that they go into; knows the highest timestamp before them, and gets to know theirs.
   */
  stamp(
    records: readonly ConsumerRecord[],
    queue: TopicPartition & { readonly partitionTime: number; enqueuedTime: number },
  ): readonly ConsumerRecord[] {
    let latest = Math.max(queue.partitionTime, queue.enqueuedTime)
    const stamped = records.map((record) => {
      const timestamp = this.#timestampOf(record, queue, latest)
      if (timestamp !== undefined && timestamp > latest) latest = timestamp
      return withTime(record, timestamp)
    })
    queue.enqueuedTime = latest
    return stamped
  }

  /** As `stamp`, each record by itself; for a source whose policy asks for no other record's time. */
  stampAlone(records: readonly ConsumerRecord[], from: TopicPartition): readonly ConsumerRecord[] {
    return records.map((record) => withTime(record, this.#timestampOf(record, from, invalid)))
  }

  /** undefined for a record that does not read. */
  #timestampOf(record: ConsumerRecord, from: TopicPartition, partitionTime: number): number | undefined {
    const { timestamp } = this.#args.node
    let given: unknown = record.timestamp
    if (timestamp !== undefined || this.#policy === 'partition-time') {
      let read: readonly [value: unknown, key: unknown]
      try {
        read = this.#read(record)
      } catch {
        return undefined
      }
      try {
        if (timestamp !== undefined) given = timestamp(...read, contextOf(record, from))
      } catch {
        // `refusal` throws it again when it is the record's turn.
        return invalid
      }
    }
    if (isTime(given)) return given
    if (this.#policy === 'partition-time') return partitionTime
    return this.#policy === 'wall-clock' ? this.#args.clock() : invalid
  }

  #read({ bytes, keyStart, keyEnd, valueStart, valueEnd }: ConsumerRecord): readonly [value: unknown, key: unknown] {
    const { readKey, readValue } = this.#args
    const key = keyStart < 0 ? null : readKey(bytes, keyStart, keyEnd)
    return [valueStart < 0 ? null : readValue(bytes, valueStart, valueEnd), key]
  }

  /** Why a record has no timestamp, in words. @throws StreamError PROCESSING when that is because its extractor threw. */
  refusal(stamped: ConsumerRecord, from: TopicPartition): StreamError {
    const record = asWritten(stamped)
    const { name, timestamp } = this.#args.node
    let given: unknown = record.timestamp
    try {
      if (timestamp !== undefined) given = timestamp(...this.#read(record), contextOf(record, from))
    } catch (thrown) {
      const message = `${name}: the timestamp extractor threw: ${messageOf(thrown)}`
      throw new StreamError('PROCESSING', message, { cause: thrown, where: { node: name } })
    }
    const what =
      this.#policy === 'partition-time'
        ? 'and no record before it had one either'
        : 'and a timestamp is ms since 1970, 0 or more'
    return new StreamError('DESERIALIZATION', `${name}: the timestamp is ${String(given)}, ${what}`, {
      where: { node: name },
      hint: "Mend the extractor or the producer, or say what is to be done: onInvalidTimestamp: 'skip', 'partition-time' or 'wall-clock'.",
    })
  }
}

function withTime(record: ConsumerRecord, timestamp: number | undefined): ConsumerRecord {
  return timestamp === undefined || timestamp === record.timestamp ? record : new StampedRecord(record, timestamp)
}

function contextOf(
  { offset, timestamp, headers }: ConsumerRecord,
  { topic, partition }: TopicPartition,
): RecordContext {
  return { topic, partition, offset, timestamp, headers }
}

function isTime(given: unknown): given is number {
  return typeof given === 'number' && given >= 0 && Number.isSafeInteger(given)
}
