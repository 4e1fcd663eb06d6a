/** What a worker reads for its tasks: what is fetched goes into their queues, and a partition that has enough waiting is paused. */

import type { Fetcher } from '../broker/port.ts'
import { partitionName } from '../common/record.ts'
import type { Task } from './task.ts'

export class Intake {
  readonly #fetcher: Fetcher
  /** By partition. */
  readonly #owners = new Map<string, Task>()
  readonly #paused = new Set<string>()

  constructor(fetcher: Fetcher) {
    this.#fetcher = fetcher
  }

  /** Reads for these tasks from where they stand, and for no others. */
  assign(tasks: readonly Task[]): void {
    this.#owners.clear()
    this.#paused.clear()
    for (const task of tasks) {
      for (const { topic, partition } of task.inputs) this.#owners.set(partitionName(topic, partition), task)
    }
    this.#fetcher.assign(
      tasks.flatMap((task) =>
        task.queues.map(({ topic, partition, fetchPosition }) => ({ topic, partition, offset: fetchPosition })),
      ),
    )
  }

  /** Gives what has come to its tasks, which `came` is told of. */
  async take(maxWaitMs: number, came: (task: Task) => void): Promise<void> {
    for (const batch of await this.#fetcher.poll(maxWaitMs)) {
      const name = partitionName(batch.topic, batch.partition)
      const task = this.#owners.get(name)
      if (task === undefined) continue
      await task.prepare(batch)
      came(task)
      if (task.enqueue(batch).waitingBatches === 0) continue
      this.#paused.add(name)
      this.#fetcher.pause([batch])
    }
  }

  /** Goes on with partitions of which nothing waits any more. */
  resumeDrained(tasks: readonly Task[]): void {
    if (this.#paused.size === 0) return
    for (const task of tasks) {
      for (const queue of task.queues) {
        if (queue.waitingBatches === 0 && this.#paused.delete(partitionName(queue.topic, queue.partition))) {
          this.#fetcher.resume([queue])
        }
      }
    }
  }

  /** Ends a wait for records: there is something else to do. */
  wake(): void {
    this.#fetcher.wake()
  }

  close(): Promise<void> {
    return this.#fetcher.close()
  }
}
