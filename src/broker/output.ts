/** Outputs for whoever keeps the records themselves: a log in memory, a test. */

import { ConsumerRecord, consumerRecord, type Headers, noHeaders } from '../common/record.ts'
import type { Output } from './port.ts'

/** Until the log gives one. */
const noOffset = -1

/** @param take is given each record, with bytes of its own. */
export function recordOutput(take: (partition: number, record: ConsumerRecord) => void): Output {
  return {
    append: (partition, key, value, timestamp, headers) =>
      take(partition, consumerRecord(noOffset, timestamp, key, value, kept(headers))),
    appendRange: (partition, source, start, keyLength, valueLength, timestamp, headers) => {
      const keyEnd = Math.max(0, keyLength)
      const bytes = Buffer.copyBytesFrom(source, start, keyEnd + Math.max(0, valueLength))
      const [keyFrom, keyTo] = keyLength < 0 ? [-1, -1] : [0, keyEnd]
      const [valueFrom, valueTo] = valueLength < 0 ? [-1, -1] : [keyEnd, bytes.length]
      take(partition, new ConsumerRecord(noOffset, timestamp, kept(headers), bytes, keyFrom, keyTo, valueFrom, valueTo))
    },
  }
}

function kept(headers: Headers): Headers {
  return headers.length === 0 ? noHeaders : headers
}
