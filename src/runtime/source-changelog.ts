/** How far topics of the user's are read that are changelogs: to where they were processed, since what is beyond is still to be. */

import type { Broker, FetchedPartition } from '../broker/port.ts'
import { type Extent, extentsAt } from './gathering.ts'
import type { StartPositions } from './start-positions.ts'
import type { Task } from './task.ts'

/**
 * The end of each is the position that its task goes on from. A task that does not read the topic, as that has fewer partitions than others, has no
 * rows of it.
 */
export async function sourceExtentsOf(
  broker: Broker,
  tasks: readonly Task[],
  starts: StartPositions,
): Promise<readonly Extent<Task>[]> {
  const found = tasks.flatMap((task) =>
    task.stores.sourceChangelogs().flatMap(({ store, topic }) => {
      const start = starts.get(task)?.find((start) => start.topic === topic)
      return start === undefined ? [] : [{ task, store, topic, partition: start.partition, position: start.offset }]
    }),
  )
  const extents = await extentsAt(broker, found, 'end')
  // A position beyond the log is refused when the task reads there: it is not waited for.
  return extents.map((extent, i) => ({ ...extent, end: Math.min(extent.end, found[i]?.position ?? 0) }))
}

/** What of a batch lies before `end`. */
export function upTo(end: number, batch: FetchedPartition): FetchedPartition {
  if (batch.position <= end) return batch
  return { ...batch, records: batch.records.filter(({ offset }) => offset < end), position: end }
}
