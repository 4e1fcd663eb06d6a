/**
 * A record that could not be decoded, as a dead letter: bytes and headers untouched, the cause in added headers. Written
 * in the transaction that moves the position past the record, so it is there exactly once.
 */

import { messageOf, StreamError } from '../common/errors.ts'
import type { ConsumerRecord, Header, TopicPartition } from '../common/record.ts'

/** Longest text put into a header, in characters; causes can quote records of any size. */
const headerLimit = 8192

/**
 * Headers of a dead letter: the record's own, then Kafka Streams' six (KIP-1034), then ours. Headers of an earlier dead
 * letter are replaced.
 */
export function deadLetterHeaders(
  record: Pick<ConsumerRecord, 'offset' | 'timestamp' | 'headers'>,
  from: TopicPartition,
  thrown: unknown,
  origin: { readonly app: string; readonly node: string; readonly task: string },
): readonly Header[] {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const code = error instanceof StreamError ? error.code : 'PROCESSING'
  const ours: readonly (readonly [string, string])[] = [
    ['__streams.errors.exception', error.name],
    ['__streams.errors.message', messageOf(error)],
    ['__streams.errors.stacktrace', error.stack ?? ''],
    ['__streams.errors.topic', from.topic],
    ['__streams.errors.partition', String(from.partition)],
    ['__streams.errors.offset', String(record.offset)],
    ['streamctl.dlq.app', origin.app],
    ['streamctl.dlq.node', origin.node],
    ['streamctl.dlq.task', origin.task],
    ['streamctl.dlq.code', code],
    ['streamctl.dlq.timestamp', String(record.timestamp)],
  ]
  const names = new Set(ours.map(([key]) => key))
  return [
    ...record.headers.filter((header) => !names.has(header.key)),
    ...ours.map(([key, value]) => ({ key, value: Buffer.from(value.slice(0, headerLimit)) })),
  ]
}
