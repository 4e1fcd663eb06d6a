/** Records on their way from files and stdin into topics, in the order of their lines and never more of them in memory than one flush. */

import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import type { PlainProducer } from '../broker/port.ts'
import { partitionOf } from '../common/partitioner.ts'
import type { AnySerde } from '../serde/serde.ts'
import type { Io } from './io.ts'
import { readLines } from './lines.ts'
import type { Pace } from './pace.ts'
import { type InputRecord, type LineFormat, parseRecord, type Serdes } from './records.ts'

const flushEvery = 5_000

export interface Target extends Serdes {
  readonly topic: string
  readonly partitions: number
}

/** `-` is stdin. */
export function inputOf(file: string, io: Io): AsyncIterable<Buffer | string> {
  return file === '-' ? io.stdin : createReadStream(resolve(io.cwd, file), { highWaterMark: 1 << 18 })
}

export function nameOfInput(file: string): string {
  return file === '-' ? 'stdin' : file
}

/** Bytes of a key or value; null stays null. */
function bytesOf(serde: AnySerde, value: unknown): Buffer | null {
  return value === null ? null : serde.serialize(value)
}

/**
 * Writes every line as a record. Records with a key go to its partition (as Kafka's Java client), those without take turns.
 * What stands before a bad line is written.
 * @param going asked between flushes; false ends the feed early.
 * @param pace holds records back; default: none waits.
 * @returns how many were written.
 * @throws StreamError SERIALIZATION for a line that is no record.
 */
export async function feed(
  producer: PlainProducer,
  target: Target,
  source: AsyncIterable<Buffer | string>,
  file: string,
  format: LineFormat,
  going: () => boolean = () => true,
  pace?: Pace,
): Promise<number> {
  await target.key.open?.(target.topic, 'key')
  await target.value.open?.(target.topic, 'value')
  const output = producer.output(target.topic)
  let written = 0
  const append = (record: InputRecord): void => {
    const key = bytesOf(target.key, record.key)
    const value = bytesOf(target.value, record.value)
    const partition =
      key === null
        ? written % target.partitions
        : partitionOf(key, target.partitions, 0, key.length - (target.key.unpartitionedBytes ?? 0))
    output.append(partition, key, value, record.timestamp ?? Date.now(), record.headers)
    written++
  }
  for await (const lines of readLines(source, file)) {
    try {
      for (const line of lines) {
        const wait = pace?.next()
        if (wait !== undefined) {
          await producer.flush()
          await wait
          if (!going()) return written
        }
        append(parseRecord(line, file, format, target))
        if (written % flushEvery === 0) await producer.flush()
      }
    } catch (thrown) {
      await producer.flush()
      throw thrown
    }
    // A pipe that trickles is passed on as it comes.
    await producer.flush()
    if (!going()) break
  }
  return written
}
