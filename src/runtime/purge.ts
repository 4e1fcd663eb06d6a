/**
 * Deletes from internal topics what nobody will read again: consumed repartition records (Kafka Streams:
 * repartition.purge.interval.ms) and changelog rows of closed windows. Failing to delete costs disk, never records.
 */

import type { Broker, PartitionOffset } from '../broker/port.ts'
import { messageOf } from '../common/errors.ts'
import type { Task } from './task.ts'

const intervalMs = 30_000

export class Purger {
  readonly #broker: Broker
  readonly #repartitionTopics: ReadonlySet<string>
  readonly #log: (level: 'warn', message: string) => void
  #due = 0
  #running: Promise<void> | undefined

  constructor(broker: Broker, repartitionTopics: readonly string[], log: (level: 'warn', message: string) => void) {
    this.#broker = broker
    this.#repartitionTopics = new Set(repartitionTopics)
    this.#log = log
  }

  /** Starts a round in the background when it is time; `now` in ms, monotonic. */
  whenDue(now: number, tasks: readonly Task[]): void {
    if (now < this.#due || this.#running !== undefined) return
    this.#due = now + intervalMs
    const before = tasks.flatMap((task) => [...this.#consumed(task), ...task.stores.expiredChangelogs()])
    if (before.length === 0) return
    this.#running = this.#broker
      .deleteRecords(before)
      .catch((error: unknown) => this.#log('warn', `internal topics were not purged: ${messageOf(error)}`))
      .finally(() => {
        this.#running = undefined
      })
  }

  close(): Promise<void> {
    return this.#running ?? Promise.resolve()
  }

  #consumed(task: Task): readonly PartitionOffset[] {
    return task.queues.flatMap(({ topic, partition }, i) => {
      const offset = task.committedPosition(i)
      return this.#repartitionTopics.has(topic) && offset !== null && offset > 0 ? [{ topic, partition, offset }] : []
    })
  }
}
