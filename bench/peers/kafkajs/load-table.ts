/** Reads the whole table topic into a Map before anything else, as a service does at its start. */

import type { Kafka } from 'kafkajs'
import type { Account } from '../../accounts.ts'

export async function loadTable(kafka: Kafka, topic: string, groupId: string): Promise<Map<string, Account>> {
  const admin = kafka.admin()
  await admin.connect()
  const ends = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  const open = new Map(ends.filter(({ high, low }) => high !== low).map(({ partition, high }) => [partition, high]))
  const rows = new Map<string, Account>()
  if (open.size === 0) return rows
  const consumer = kafka.consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    const read = consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const { key, value } of batch.messages) {
          if (key !== null && value !== null) rows.set(key.toString(), JSON.parse(value.toString()) as Account)
        }
        if (Number(batch.lastOffset()) + 1 >= Number(open.get(batch.partition))) open.delete(batch.partition)
        if (open.size === 0) resolve()
      },
    })
    read.catch(reject)
  })
  await consumer.disconnect()
  return rows
}
