/**
 * Deletes from internal topics what nobody will read again: consumed repartition records (Kafka Streams:
 * repartition.purge.interval.ms) and changelog rows of closed windows. Failing to delete costs disk, never records.
 */

import type { Broker, PartitionOffset } from '../broker/port.ts'
import { Background } from './background.ts'
import type { Task } from './task.ts'

const intervalMs = 30_000

export class Purger {
  readonly #broker: Broker
  readonly #repartitionTopics: ReadonlySet<string>
  readonly #rounds: Background

  constructor(broker: Broker, repartitionTopics: readonly string[], log: (level: 'warn', message: string) => void) {
    this.#broker = broker
    this.#repartitionTopics = new Set(repartitionTopics)
    this.#rounds = new Background(intervalMs, (message) => log('warn', `internal topics were not purged: ${message}`))
  }

  /** Starts a round in the background when it is time; `now` in ms, monotonic. */
  whenDue(now: number, tasks: readonly Task[]): void {
    this.#rounds.whenDue(now, () => {
      const before = tasks.flatMap((task) => [...this.#consumed(task), ...task.stores.expiredChangelogs()])
      return before.length === 0 ? undefined : this.#broker.deleteRecords(before)
    })
  }

  /** Resolves when no round is under way. */
  finished(): Promise<void> {
    return this.#rounds.finished()
  }

  #consumed(task: Task): readonly PartitionOffset[] {
    return task.queues.flatMap(({ topic, partition }, i) => {
      const offset = task.committedPosition(i)
      return this.#repartitionTopics.has(topic) && offset !== null && offset > 0 ? [{ topic, partition, offset }] : []
    })
  }
}
