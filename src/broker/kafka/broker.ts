/** The broker port on a real Kafka cluster: each part has its own file, this one only ties them to one connection. */

import type { Broker } from '../port.ts'
import { createTopics, describeConfigs, describeTopics } from './admin.ts'
import { type ClusterOptions, connectCluster } from './cluster.ts'
import { KafkaFetcher } from './fetcher.ts'
import { joinGroup } from './member.ts'
import { committedOffsets, deleteRecords, describeGroup, listOffsets } from './offsets.ts'
import { openPlainProducer } from './plain-producer.ts'
import { openTransactionalProducer, type ProducerSettings } from './producer.ts'

export interface KafkaOptions extends ClusterOptions, Pick<ProducerSettings, 'compression' | 'maxBatchBytes'> {
  /** ms `committed` waits for transactions that hold a pending offset. Default 120000. */
  readonly stableOffsetsTimeoutMs?: number
}

/**
 * Connects to a Kafka cluster, version 2.5 or newer.
 * @throws StreamError INVALID_ARGUMENT (bad address), UNREACHABLE, UNAUTHORIZED, UNSUPPORTED_VERSION.
 */
export async function connectKafka(options: KafkaOptions): Promise<Broker> {
  const cluster = await connectCluster(options)
  const producing: ProducerSettings = {
    ...(options.compression === undefined ? {} : { compression: options.compression }),
    ...(options.maxBatchBytes === undefined ? {} : { maxBatchBytes: options.maxBatchBytes }),
    ...(options.requestTimeoutMs === undefined ? {} : { requestTimeoutMs: options.requestTimeoutMs }),
  }
  const stableMs = options.stableOffsetsTimeoutMs ?? 120_000
  /** What goes on by itself and must not outlive the connection. */
  const running = new Set<{ close(): Promise<void> }>()
  const kept = <T extends { close(): Promise<void> }>(part: T): T => {
    const close = part.close.bind(part)
    part.close = () => {
      running.delete(part)
      return close()
    }
    running.add(part)
    return part
  }
  return {
    kind: 'kafka',
    address: cluster.address,
    topics: (names) => describeTopics(cluster, names),
    createTopics: (specs) => createTopics(cluster, specs),
    topicConfigs: (topics) => describeConfigs(cluster, topics),
    offsets: (partitions, at) => listOffsets(cluster, partitions, at),
    committed: (groupId, partitions) => committedOffsets(cluster, groupId, partitions, stableMs),
    describeGroup: (groupId) => describeGroup(cluster, groupId),
    deleteRecords: (before) => deleteRecords(cluster, before),
    fetcher: (fetching) => kept(new KafkaFetcher(cluster, fetching)),
    transactionalProducer: (producer) => openTransactionalProducer(cluster, producer, producing),
    plainProducer: () => openPlainProducer(cluster, producing),
    join: async (member) => kept(await joinGroup(cluster, member)),
    async close() {
      await Promise.all([...running].map((part) => part.close()))
      await cluster.close()
    },
  }
}
