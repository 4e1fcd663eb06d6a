/** How far topics of the user's are read that are changelogs: to where they were processed, since what is beyond is still to be. */

import type { FetchedPartition } from '../broker/port.ts'
import type { Changelog } from './gathering.ts'
import type { StartPositions } from './start-positions.ts'
import type { Task } from './task.ts'

/**
 * Where what counts of a changelog ends: Infinity for a store's own, all of which does; for a topic of the user's the position that the task goes on
 * from, and undefined if the task does not read it: as it has fewer partitions than others, the task has no rows of it.
 */
export function limitOf({ kind, task, topic }: Changelog<Task>, starts: StartPositions): number | undefined {
  if (kind === 'own') return Number.POSITIVE_INFINITY
  return starts.get(task)?.find((start) => start.topic === topic)?.offset
}

/** What of a batch lies before `end`. */
export function upTo(end: number, batch: FetchedPartition): FetchedPartition {
  if (batch.position <= end) return batch
  return { ...batch, records: batch.records.filter(({ offset }) => offset < end), position: end }
}
