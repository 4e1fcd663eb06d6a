/** Writes an input at a steady pace and remembers when each was given to the producer. */

import { setTimeout } from 'node:timers/promises'
import type { Broker } from '../../src/broker/port.ts'
import { partitionOf } from '../../src/common/partitioner.ts'
import { noHeaders } from '../../src/common/record.ts'
import { type InputRecord, partitions } from '../workload.ts'

const tickMs = 5

/** @returns the time each record was sent, by number, ms since the epoch. */
export async function pacedInput(
  broker: Broker,
  topic: string,
  recordOf: (number: number) => InputRecord,
  total: number,
  perSecond: number,
) {
  const producer = await broker.plainProducer()
  const output = producer.output(topic)
  const sentAt = new Float64Array(total)
  const start = performance.now()
  for (let number = 0; number < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - start) * perSecond) / 1000))
    const now = Date.now()
    for (; number < due; number++) {
      const { key, value, timestamp } = recordOf(number)
      sentAt[number] = now
      output.append(partitionOf(key, partitions), key, value, timestamp, noHeaders)
    }
    await producer.flush()
    await setTimeout(tickMs)
  }
  await producer.close()
  return sentAt
}
