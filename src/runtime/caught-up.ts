/**
 * When an application has caught up: by committed position, never by the last record seen, because markers and aborted
 * records take offsets that are not delivered. The ends are frozen, so busy topics end too.
 */

import type { Broker, PartitionOffset } from '../broker/port.ts'
import { partitionName, partitionsOf, type TopicPartition } from '../common/record.ts'
import { externalTopics } from '../topology/external-topics.ts'
import type { Plan } from './plan.ts'

export interface CaughtUpOptions {
  readonly broker: Broker
  readonly groupId: string
  /** Awaited between two looks at the committed offsets; rejects to give up. */
  readonly pause: () => Promise<void>
}

/**
 * Resolves when the group has committed up to the last stable offset that each source had at the call, and then, once per
 * level, up to what that wrote into topics that the topology reads again: its repartition topics, and its own.
 */
export async function caughtUp(plan: Plan, options: CaughtUpOptions): Promise<void> {
  const { broker } = options
  await reached(await broker.offsets(allPartitions(plan, plan.externalSources), 'stable'), options)
  const { read, written } = externalTopics(plan.topology)
  const again = [...plan.repartitionTopics, ...read.filter((topic) => written.includes(topic))]
  const between = allPartitions(plan, again)
  // Such a topic's end may sit behind another member's open transaction: the high watermark is beyond that.
  for (let level = 0; level < again.length; level++) {
    await reached(await broker.offsets(between, 'end'), options)
  }
}

async function reached(targets: readonly PartitionOffset[], options: CaughtUpOptions): Promise<void> {
  const { broker, groupId, pause } = options
  const starts = await broker.offsets(targets, 'earliest')
  let open = targets.filter((target, i) => target.offset > (starts[i]?.offset ?? 0))
  while (open.length > 0) {
    const committed = new Map(
      (await broker.committed(groupId, open)).map(({ topic, partition, offset }) => [
        partitionName(topic, partition),
        offset,
      ]),
    )
    open = open.filter(
      ({ topic, partition, offset }) => (committed.get(partitionName(topic, partition)) ?? -1) < offset,
    )
    if (open.length > 0) await pause()
  }
}

function allPartitions(plan: Plan, topics: readonly string[]): readonly TopicPartition[] {
  return topics.flatMap((topic) => partitionsOf(topic, plan.partitions.get(topic) as number))
}
