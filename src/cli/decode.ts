/** Fetched bytes as JSON lines: by the serdes of the topic, or, where nobody named any, as text when they are text and base64 when not. */

import { isUtf8 } from 'node:buffer'
import { type ErrorLocation, messageOf, StreamError } from '../common/errors.ts'
import type { ConsumerRecord } from '../common/record.ts'
import type { AnySerde } from '../serde/serde.ts'
import { headersToJson } from './json-values.ts'

export type Decoder = AnySerde | 'guess'

/** Both halves of a topic; `guess` needs no knowledge of it. */
export interface Decoders {
  readonly key: Decoder
  readonly value: Decoder
}

function decoded(decoder: Decoder, bytes: Buffer | null, where: ErrorLocation, part: string): unknown {
  if (bytes === null) return null
  if (decoder === 'guess') return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('base64')
  try {
    return decoder.deserialize(bytes)
  } catch (thrown) {
    throw new StreamError('DESERIALIZATION', `the ${part} does not read as ${decoder.format}: ${messageOf(thrown)}`, {
      cause: thrown,
      where,
      hint: `Read it with another format: --${part} bytes shows it in base64.`,
    })
  }
}

/** `{ topic, key, value, timestamp, headers? }`, the shape that `try` and `run --in` read. */
export function resultOf(topic: string, partition: number, record: ConsumerRecord, decoders: Decoders): object {
  const where = { topic, partition, offset: record.offset }
  return {
    topic,
    key: decoded(decoders.key, record.key, where, 'key'),
    value: decoded(decoders.value, record.value, where, 'value'),
    timestamp: record.timestamp,
    ...(record.headers.length === 0 ? {} : { headers: headersToJson(record.headers) }),
  }
}

/** `{ topic, partition, offset, timestamp, key, value, headers }`; a guess that ended in base64 is said. */
export function consumedOf(topic: string, partition: number, record: ConsumerRecord, decoders: Decoders): object {
  const where = { topic, partition, offset: record.offset }
  const base64 = (decoder: Decoder, bytes: Buffer | null): boolean =>
    decoder === 'guess' && bytes !== null && !isUtf8(bytes)
  return {
    topic,
    partition,
    offset: String(record.offset),
    timestamp: record.timestamp,
    key: decoded(decoders.key, record.key, where, 'key'),
    value: decoded(decoders.value, record.value, where, 'value'),
    headers: headersToJson(record.headers),
    ...(base64(decoders.key, record.key) ? { keyEncoding: 'base64' } : {}),
    ...(base64(decoders.value, record.value) ? { valueEncoding: 'base64' } : {}),
  }
}

/** What serdes need before a batch is read (schemas by id). */
export async function prepareBatch(decoders: Decoders, records: readonly ConsumerRecord[]): Promise<void> {
  for (const part of ['key', 'value'] as const) {
    const decoder = decoders[part]
    if (decoder === 'guess' || decoder.prepare === undefined) continue
    await decoder.prepare(records.map((record) => record[part]).filter((bytes) => bytes !== null))
  }
}
