/** Where logs begin and end, and where groups stand; every answer is complete or an error, never a partial list. */

import { StreamError } from '../../common/errors.ts'
import { partitionName, type TopicPartition } from '../../common/record.ts'
import type { CommittedOffset, GroupDescription, OffsetSpec, PartitionOffset } from '../port.ts'
import type { ClusterConnections, NodeRequest } from './connections.ts'
import {
  deleteRecordsRequest,
  describeGroupRequest,
  listOffsetsRequest,
  type OffsetAnswer,
  offsetFetchRequest,
  readDeleteRecords,
  readDescribeGroup,
  readListOffsets,
  readOffsetFetch,
} from './offsets-protocol.ts'
import { protocolError, protocolFailure } from './protocol-errors.ts'
import { AskAgain, untilAnswered } from './retry.ts'

/** ms a question is asked again for. */
const deadlineMs = 30_000
const groupIdNotFound = 69

/** @throws StreamError TOPIC_MISSING, UNREACHABLE, UNAUTHORIZED. In the order asked. */
export async function listOffsets(
  cluster: ClusterConnections,
  partitions: readonly TopicPartition[],
  at: OffsetSpec,
): Promise<readonly PartitionOffset[]> {
  if (typeof at === 'object') return offsetsSince(cluster, partitions, at)
  return offsetsAt(cluster, partitions, at)
}

async function offsetsSince(
  cluster: ClusterConnections,
  partitions: readonly TopicPartition[],
  at: OffsetSpec & object,
): Promise<readonly PartitionOffset[]> {
  // The ends first: a record that comes in between is found, or lies behind them.
  const ends = await offsetsAt(cluster, partitions, 'stable')
  const found = await offsetsAt(cluster, partitions, at)
  return found.map((each, nth) => (each.offset < 0 ? (ends[nth] as PartitionOffset) : each))
}

async function offsetsAt(
  cluster: ClusterConnections,
  partitions: readonly TopicPartition[],
  at: OffsetSpec,
): Promise<readonly PartitionOffset[]> {
  const found = await askLeaders(cluster, partitions, 'looking up offsets of', {
    request: (items) => listOffsetsRequest(items, at),
    read: readListOffsets,
  })
  return partitions.map(({ topic, partition }) => {
    const offset = found.get(partitionName(topic, partition))
    if (offset === undefined) throw new StreamError('INTERNAL', `no offset for ${partitionName(topic, partition)}`)
    return { topic, partition, offset }
  })
}

/** Deletes what lies before the offsets. @throws StreamError OFFSET_OUT_OF_RANGE for one beyond the high watermark. */
export async function deleteRecords(cluster: ClusterConnections, before: readonly PartitionOffset[]): Promise<void> {
  await askLeaders(cluster, before, 'deleting records of', {
    request: (items) => deleteRecordsRequest(items, deadlineMs),
    read: readDeleteRecords,
  })
}

interface LeaderQuestion<P extends TopicPartition> {
  request(partitions: readonly P[]): NodeRequest
  read(body: Buffer): readonly OffsetAnswer[]
}

/** One request per leader; what a leader cannot answer is asked again, elsewhere if the leader has moved. */
async function askLeaders<P extends TopicPartition>(
  cluster: ClusterConnections,
  partitions: readonly P[],
  what: string,
  { request, read }: LeaderQuestion<P>,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  const missing = (): readonly P[] => partitions.filter((item) => !found.has(partitionName(item.topic, item.partition)))
  await untilAnswered(
    { deadlineMs, closed: cluster.closed },
    async () => {
      const left = missing()
      const leaders = await Promise.all(left.map((item) => cluster.leader(item.topic, item.partition)))
      const byLeader = Map.groupBy(left.entries(), ([index]) => leaders[index] as number)
      let again: StreamError | null = null
      await Promise.all(
        [...byLeader].map(async ([nodeId, entries]) => {
          const connection = await cluster.node(nodeId)
          for (const answer of read(await connection.send(request(entries.map(([, item]) => item))))) {
            const { topic, partition, error, offset } = answer
            const name = partitionName(topic, partition)
            if (error === 0) {
              found.set(name, offset)
              continue
            }
            const failure = protocolFailure(error, `${what} ${name}`, { where: { topic, partition } })
            if (!protocolError(error).retriable) throw failure
            again = failure
          }
        }),
      )
      if (again !== null) throw new AskAgain(again)
    },
    () => cluster.refresh([...new Set(missing().map((item) => item.topic))]).catch(() => {}),
  )
  return found
}

/**
 * Committed offsets, waiting out transactions that hold a pending one.
 * @param stableDeadlineMs ms to wait for them; a transaction ends at its own timeout at the latest.
 * @throws StreamError TIMEOUT when a transaction stays open, UNREACHABLE, UNAUTHORIZED.
 */
export async function committedOffsets(
  cluster: ClusterConnections,
  groupId: string,
  partitions: readonly TopicPartition[],
  stableDeadlineMs: number,
): Promise<readonly CommittedOffset[]> {
  if (partitions.length === 0) return []
  const what = `fetching the offsets of group '${groupId}'`
  return untilAnswered(
    { deadlineMs: stableDeadlineMs, closed: cluster.closed, backoff: { firstMs: 10, maxMs: 100 } },
    async () => {
      const connection = await cluster.coordinator('group', groupId)
      const { error, offsets } = readOffsetFetch(await connection.send(offsetFetchRequest(groupId, partitions)))
      refuse(error, what)
      for (const { topic, partition, error: own } of offsets)
        refuse(own, `${what} on ${partitionName(topic, partition)}`)
      return offsets
        .filter(({ offset }) => offset >= 0)
        .map(({ topic, partition, offset, metadata }) => ({ topic, partition, offset, metadata }))
    },
    () => cluster.forgetCoordinator('group', groupId),
  )
}

/** A group nobody has heard of is `Dead`, as Kafka's own tools say. */
export async function describeGroup(cluster: ClusterConnections, groupId: string): Promise<GroupDescription> {
  return untilAnswered(
    { deadlineMs, closed: cluster.closed },
    async () => {
      const connection = await cluster.coordinator('group', groupId)
      const group = readDescribeGroup(await connection.send(describeGroupRequest(groupId)))
      if (group === undefined || group.error === groupIdNotFound) return { state: 'Dead', members: [] }
      refuse(group.error, `describing group '${groupId}'`)
      return { state: group.state, members: group.members }
    },
    () => cluster.forgetCoordinator('group', groupId),
  )
}

function refuse(error: number, what: string): void {
  if (error === 0) return
  const failure = protocolFailure(error, what)
  throw protocolError(error).retriable ? new AskAgain(failure) : failure
}
