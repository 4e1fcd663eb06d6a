/** Positions on the wire: ListOffsets 3, OffsetFetch 7 (require-stable, KIP-447), DeleteRecords 1, DescribeGroups 2. */

import type { TopicPartition } from '../../common/record.ts'
import type { CommittedOffset, DescribedMember, OffsetSpec, PartitionOffset } from '../port.ts'
import type { NodeRequest } from './connections.ts'
import { decodeAssignment, decodeSubscription, protocolName } from './member-protocol.ts'
import { Reader, Writer } from './wire.ts'

/** ListOffsets' magic timestamps. */
const latest = -1
const earliest = -2
/** Isolation levels. */
const uncommitted = 0
const committed = 1

export interface OffsetAnswer extends PartitionOffset {
  readonly error: number
}

export function listOffsetsRequest(partitions: readonly TopicPartition[], at: OffsetSpec): NodeRequest {
  const byTopic = [...Map.groupBy(partitions, (item) => item.topic)]
  const body = new Writer()
    .int32(-1)
    .int8(at === 'earliest' || at === 'end' ? uncommitted : committed)
    .array(byTopic, (w, [topic, items]) =>
      w.string(topic).array(items, (v, item) => v.int32(item.partition).int64(timestampOf(at))),
    )
    .finish()
  return { apiKey: 2, apiVersion: 3, apiName: 'ListOffsets', flexible: false, body }
}

function timestampOf(at: OffsetSpec): number {
  // Below 0 a timestamp means something else.
  if (typeof at === 'object') return Math.max(0, at.since)
  return at === 'earliest' ? earliest : latest
}

/** The offset is -1 where there is no record for a timestamp. */
export function readListOffsets(body: Buffer): readonly OffsetAnswer[] {
  const r = new Reader(body)
  r.int32()
  return r
    .array(() => {
      const topic = r.string()
      return r.array((): OffsetAnswer => {
        const partition = r.int32()
        const error = r.int16()
        r.int64()
        return { topic, partition, error, offset: r.int64() }
      })
    })
    .flat()
}

export function offsetFetchRequest(groupId: string, partitions: readonly TopicPartition[]): NodeRequest {
  const byTopic = [...Map.groupBy(partitions, (item) => item.topic)]
  const body = new Writer()
    .compactString(groupId)
    .compactArray(byTopic, (w, [topic, items]) =>
      w
        .compactString(topic)
        .compactArray(items, (v, item) => v.int32(item.partition))
        .tags(),
    )
    .boolean(true)
    .tags()
    .finish()
  return { apiKey: 9, apiVersion: 7, apiName: 'OffsetFetch', flexible: true, body }
}

export interface CommittedAnswer extends CommittedOffset {
  readonly error: number
}

export function readOffsetFetch(body: Buffer): {
  readonly error: number
  readonly offsets: readonly CommittedAnswer[]
} {
  const r = new Reader(body)
  r.int32()
  const offsets = r
    .compactArray(() => {
      const topic = r.compactString()
      const items = r.compactArray((): CommittedAnswer => {
        const partition = r.int32()
        const offset = r.int64()
        r.int32()
        const metadata = r.compactString()
        const error = r.int16()
        r.tags()
        return { topic, partition, offset, metadata, error }
      })
      r.tags()
      return items
    })
    .flat()
  return { error: r.int16(), offsets }
}

export function deleteRecordsRequest(before: readonly PartitionOffset[], timeoutMs: number): NodeRequest {
  const byTopic = [...Map.groupBy(before, (item) => item.topic)]
  const body = new Writer()
    .array(byTopic, (w, [topic, items]) =>
      w.string(topic).array(items, (v, item) => v.int32(item.partition).int64(item.offset)),
    )
    .int32(timeoutMs)
    .finish()
  return { apiKey: 21, apiVersion: 1, apiName: 'DeleteRecords', flexible: false, body, timeoutMs: timeoutMs + 1000 }
}

export function readDeleteRecords(body: Buffer): readonly OffsetAnswer[] {
  const r = new Reader(body)
  r.int32()
  return r
    .array(() => {
      const topic = r.string()
      return r.array((): OffsetAnswer => ({ topic, partition: r.int32(), offset: r.int64(), error: r.int16() }))
    })
    .flat()
}

const noUserData = Buffer.alloc(0)

export function describeGroupRequest(groupId: string): NodeRequest {
  const body = new Writer().array([groupId], (w, id) => w.string(id)).finish()
  return { apiKey: 15, apiVersion: 2, apiName: 'DescribeGroups', flexible: false, body }
}

export interface GroupAnswer {
  readonly error: number
  readonly state: string
  readonly members: readonly DescribedMember[]
}

export function readDescribeGroup(body: Buffer): GroupAnswer | undefined {
  const r = new Reader(body)
  r.int32()
  return r.array((): GroupAnswer => {
    const error = r.int16()
    r.string()
    const state = r.string()
    r.string()
    const isOurs = r.string() === protocolName
    const members = r.array((): DescribedMember => {
      const member = { memberId: r.string(), clientId: r.string(), host: r.string().replace(/^\//, '') }
      const subscription = r.bytes()
      const assignment = r.bytes()
      return {
        ...member,
        userData: isOurs && subscription?.length ? decodeSubscription(subscription).userData : noUserData,
        partitions: isOurs && assignment?.length ? decodeAssignment(assignment).partitions : [],
      }
    })
    return { error, state, members }
  })[0]
}
