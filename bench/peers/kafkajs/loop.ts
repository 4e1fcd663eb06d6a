/** One consume-transform-produce loop, exactly once: a transaction per fetched batch carries its results and its offset. */

import type { Kafka, KafkaMessage, Message } from 'kafkajs'

export interface LoopOptions {
  readonly groupId: string
  readonly input: string
  readonly output: string
  /** The output message for an input message; undefined for none. */
  readonly transform: (message: KafkaMessage) => Message | undefined
}

export interface Loop {
  /** Rejects when the consumer has given up. */
  readonly failed: Promise<never>
  readonly stop: () => Promise<void>
}

export async function startLoop(kafka: Kafka, options: LoopOptions): Promise<Loop> {
  const { groupId, input, output, transform } = options
  const producer = kafka.producer({ transactionalId: groupId, idempotent: true, maxInFlightRequests: 1 })
  const consumer = kafka.consumer({ groupId, readUncommitted: false })
  const failed = new Promise<never>((_, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
  })
  failed.catch(() => undefined)
  await producer.connect()
  await consumer.connect()
  await consumer.subscribe({ topic: input, fromBeginning: true })
  const joined = new Promise<void>((resolve) => {
    consumer.on('consumer.group_join', () => resolve())
  })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
      const messages = batch.messages.map(transform).filter((message) => message !== undefined)
      const transaction = await producer.transaction()
      try {
        if (messages.length > 0) await transaction.send({ topic: output, messages })
        const offset = String(Number(batch.lastOffset()) + 1)
        await transaction.sendOffsets({
          consumerGroupId: groupId,
          topics: [{ topic: input, partitions: [{ partition: batch.partition, offset }] }],
        })
        await transaction.commit()
      } catch (error) {
        await transaction.abort()
        throw error
      }
      resolveOffset(batch.lastOffset())
      await heartbeat()
    },
  })
  await Promise.race([joined, failed])
  return {
    failed,
    stop: async () => {
      await consumer.disconnect()
      await producer.disconnect()
    },
  }
}
