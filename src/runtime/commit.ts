/**
 * One commit cycle: outputs, changelog rows and positions in one transaction, then the state batch with its checkpoint.
 * The disk only ever holds what a transaction has made true.
 */

import type { CommittedOffset, GroupMetadata, TransactionalProducer } from '../broker/port.ts'
import type { StreamTimes } from '../state/checkpoint.ts'
import type { Task } from './task.ts'

interface SealedTask {
  readonly task: Task
  readonly positions: readonly CommittedOffset[]
  readonly streamTimes: StreamTimes
}

/**
 * Commits what the tasks have done. Sealing happens before this returns its promise, at one point between two records;
 * what tasks do afterwards belongs to the next cycle. A task's changelog rows never go without its positions, which the
 * group's generation fences: so a former owner cannot slip state in.
 * @returns the number of tasks that had something to commit.
 * @throws StreamError as `TransactionalProducer.commit`: nothing reached the state on disk then.
 */
export function commit(tasks: readonly Task[], producer: TransactionalProducer, group: GroupMetadata): Promise<number> {
  const sealed: SealedTask[] = []
  const idle: Task[] = []
  for (const task of tasks) {
    if (task.state !== 'running') continue
    if (task.hasWork) {
      const positions = task.positions()
      sealed.push({ task, positions, streamTimes: task.stores.seal() })
    } else if (task.stores.isFlushDue) idle.push(task)
  }
  const transaction =
    sealed.length === 0 ? undefined : producer.commit({ group, offsets: sealed.flatMap(({ positions }) => positions) })
  if (transaction === undefined && idle.length === 0) return Promise.resolve(0)
  return settle(sealed, transaction, idle)
}

/** @param idle have nothing to commit, and rows of earlier commits to write. */
async function settle(
  sealed: readonly SealedTask[],
  transaction: Promise<ReadonlyMap<string, number>> | undefined,
  idle: readonly Task[],
): Promise<number> {
  const nextOffsets = (await transaction) ?? new Map<string, number>()
  // All of them end before a failure is told: whoever closes the stores then interrupts no write.
  const settled = await Promise.allSettled([
    ...sealed.map(({ task, positions, streamTimes }) => task.stores.settle(streamTimes, nextOffsets, positions)),
    ...idle.map((task) => task.stores.flush()),
  ])
  for (const result of settled) if (result.status === 'rejected') throw result.reason
  for (const { task, positions } of sealed) task.committed(positions)
  return sealed.length
}
