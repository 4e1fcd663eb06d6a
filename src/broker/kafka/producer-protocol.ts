/** What a producer says: InitProducerId 1, AddPartitionsToTxn 1, AddOffsetsToTxn 1, TxnOffsetCommit 3, EndTxn 1, Produce 8. */

import type { TopicPartition } from '../../common/record.ts'
import type { OffsetCommit } from '../port.ts'
import type { NodeRequest } from './connections.ts'
import { Reader, Writer } from './wire.ts'

/** Who a transaction belongs to. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly epoch: number
}

export interface TransactionIdentity extends ProducerIdentity {
  readonly transactionalId: string
}

export interface PartitionError extends TopicPartition {
  readonly error: number
}

/** @param transactionalId null for a producer without transactions. */
export function initRequest(transactionalId: string | null, transactionTimeoutMs: number): NodeRequest {
  const body = new Writer().string(transactionalId).int32(transactionTimeoutMs).finish()
  return { apiKey: 22, apiVersion: 1, apiName: 'InitProducerId', flexible: false, body }
}

export function readInit(body: Buffer): ProducerIdentity & { readonly error: number } {
  const r = new Reader(body)
  r.int32()
  return { error: r.int16(), producerId: r.int64(), epoch: r.int16() }
}

function identified({ transactionalId, producerId, epoch }: TransactionIdentity): Writer {
  return new Writer().string(transactionalId).int64(producerId).int16(epoch)
}

export function addPartitionsRequest(
  identity: TransactionIdentity,
  partitions: readonly TopicPartition[],
  timeoutMs: number,
): NodeRequest {
  const byTopic = [...Map.groupBy(partitions, (item) => item.topic)]
  const body = identified(identity)
    .array(byTopic, (w, [topic, items]) => w.string(topic).array(items, (v, item) => v.int32(item.partition)))
    .finish()
  return { apiKey: 24, apiVersion: 1, apiName: 'AddPartitionsToTxn', flexible: false, body, timeoutMs }
}

export function readAddPartitions(body: Buffer): readonly PartitionError[] {
  const r = new Reader(body)
  r.int32()
  return r
    .array(() => {
      const topic = r.string()
      return r.array((): PartitionError => ({ topic, partition: r.int32(), error: r.int16() }))
    })
    .flat()
}

export function addOffsetsRequest(identity: TransactionIdentity, groupId: string, timeoutMs: number): NodeRequest {
  const body = identified(identity).string(groupId).finish()
  return { apiKey: 25, apiVersion: 1, apiName: 'AddOffsetsToTxn', flexible: false, body, timeoutMs }
}

export function endRequest(identity: TransactionIdentity, timeoutMs: number): NodeRequest {
  const body = identified(identity).boolean(true).finish()
  return { apiKey: 26, apiVersion: 1, apiName: 'EndTxn', flexible: false, body, timeoutMs }
}

/** The answer of AddOffsetsToTxn and EndTxn. */
export function readAnswer(body: Buffer): number {
  const r = new Reader(body)
  r.int32()
  return r.int16()
}

export function offsetCommitRequest(
  identity: TransactionIdentity,
  { group, offsets }: OffsetCommit,
  timeoutMs: number,
): NodeRequest {
  const byTopic = [...Map.groupBy(offsets, (item) => item.topic)]
  const body = new Writer()
    .compactString(identity.transactionalId)
    .compactString(group.groupId)
    .int64(identity.producerId)
    .int16(identity.epoch)
    .int32(group.generation)
    .compactString(group.memberId)
    .compactString(group.instanceId)
    .compactArray(byTopic, (w, [topic, items]) =>
      w
        .compactString(topic)
        .compactArray(items, (v, item) =>
          v.int32(item.partition).int64(item.offset).int32(-1).compactString(item.metadata).tags(),
        )
        .tags(),
    )
    .tags()
    .finish()
  return { apiKey: 28, apiVersion: 3, apiName: 'TxnOffsetCommit', flexible: true, body, timeoutMs }
}

export function readOffsetCommit(body: Buffer): readonly PartitionError[] {
  const r = new Reader(body)
  r.int32()
  return r
    .compactArray(() => {
      const topic = r.compactString()
      const items = r.compactArray((): PartitionError => {
        const item = { topic, partition: r.int32(), error: r.int16() }
        r.tags()
        return item
      })
      r.tags()
      return items
    })
    .flat()
}

export interface PartitionRecords extends TopicPartition {
  /** One stamped batch. */
  readonly records: Buffer
}

export function produceRequest(
  transactionalId: string | null,
  partitions: readonly PartitionRecords[],
  timeoutMs: number,
): NodeRequest {
  const byTopic = [...Map.groupBy(partitions, (item) => item.topic)]
  const records = partitions.reduce((sum, item) => sum + item.records.length + item.topic.length * 3 + 32, 0)
  const body = new Writer(records + 1024)
    .string(transactionalId)
    .int16(-1)
    .int32(timeoutMs)
    .array(byTopic, (w, [topic, items]) =>
      w.string(topic).array(items, (v, item) => v.int32(item.partition).bytes(item.records)),
    )
    .finish()
  // The broker answers at the timeout at the latest; what comes later is lost.
  return { apiKey: 0, apiVersion: 8, apiName: 'Produce', flexible: false, body, timeoutMs: timeoutMs + 1_000 }
}

export interface Produced extends PartitionError {
  /** Offset of the batch's first record; -1 when the broker does not know it. */
  readonly baseOffset: number
  readonly message: string | null
}

export function readProduce(body: Buffer): readonly Produced[] {
  const r = new Reader(body)
  return r
    .array(() => {
      const topic = r.string()
      return r.array((): Produced => {
        const partition = r.int32()
        const error = r.int16()
        const baseOffset = r.int64()
        r.int64()
        r.int64()
        const refused = r.array(() => {
          r.int32()
          return r.nullableString()
        })
        const message = r.nullableString()
        return { topic, partition, error, baseOffset, message: message ?? refused[0] ?? null }
      })
    })
    .flat()
}
