/** Topics that hold nothing, of which `run` says why they are caught up at once. */

import type { Broker, PartitionOffset } from '../../broker/port.ts'
import { partitionsOf } from '../../common/record.ts'

/** Those of the topics with nothing committed that could be read; those that are not there are none. */
export async function emptyTopics(broker: Broker, topics: readonly string[]): Promise<readonly string[]> {
  const empty: string[] = []
  for (const [topic, { partitions }] of await broker.topics(topics)) {
    const all = partitionsOf(topic, partitions)
    const start = await broker.offsets(all, 'earliest')
    if (isEmptyRange(start, await broker.offsets(all, 'stable'))) empty.push(topic)
  }
  return empty
}

/** Whether nothing lies between two lists of offsets of the same partitions. */
function isEmptyRange(from: readonly PartitionOffset[], to: readonly PartitionOffset[]): boolean {
  return from.every((start) =>
    to.some((end) => end.topic === start.topic && end.partition === start.partition && end.offset <= start.offset),
  )
}
