/** Topics of runs: made, filled, and deleted, so that a session does not fill the disk. */

import { Kafka, logLevel } from 'kafkajs'
import type { Broker } from '../../src/broker/port.ts'
import { partitionOf } from '../../src/common/partitioner.ts'
import { noHeaders } from '../../src/common/record.ts'
import { type InputRecord, partitions } from '../workload.ts'

/** Event times are old and a broker deletes by them, hence no retention. */
export function createInput(broker: Broker, name: string): Promise<void> {
  return broker.createTopics([{ name, partitions, configs: { 'retention.ms': '-1' } }])
}

/** Stamped by the broker: the clock of a run. */
export function createOutput(broker: Broker, name: string): Promise<void> {
  const configs = { 'retention.ms': '-1', 'message.timestamp.type': 'LogAppendTime' }
  return broker.createTopics([{ name, partitions, configs }])
}

export async function fill(broker: Broker, topic: string, count: number, recordOf: (number: number) => InputRecord) {
  const producer = await broker.plainProducer()
  const output = producer.output(topic)
  for (let number = 0; number < count; number++) {
    const { key, value, timestamp } = recordOf(number)
    output.append(partitionOf(key, partitions), key, value, timestamp, noHeaders)
    if (number % 20_000 === 19_999) await producer.flush()
  }
  await producer.flush()
  await producer.close()
}

export function partitionsOf(topic: string) {
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
}

/** Those among all topics of the broker that an application made for itself. */
export async function internalTopics(broker: Broker, app: string): Promise<readonly string[]> {
  return [...(await broker.topics()).keys()].filter((name) => name.startsWith(`${app}-`))
}

export async function deleteTopics(bootstrap: string, topics: readonly string[]): Promise<void> {
  const admin = new Kafka({ brokers: bootstrap.split(','), logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [...topics] })
  await admin.disconnect()
}
