/** What tasks write in a test, from the open transaction to the topics: a commit brings out all of a task's at once, a crash nothing. */

import { recordOutput } from '../broker/output.ts'
import type { CommittedOffset, Output } from '../broker/port.ts'
import { type ConsumerRecord, partitionName, type TopicPartition } from '../common/record.ts'
import type { Plan } from '../runtime/plan.ts'
import type { StartPosition, Task } from '../runtime/task.ts'
import { tablesBySourceTopic } from '../topology/source-changelogs.ts'
import type { TestLog } from './log.ts'

/** A record that its transaction has not brought out yet. */
interface Write extends TopicPartition {
  readonly task: string
  readonly record: ConsumerRecord
}

export interface TransactionParts {
  /** That of now: with a topic that comes to match a pattern there is another. */
  readonly plan: () => Plan
  readonly log: TestLog
  /** Records cross repartition topics as they are written, before their commit. */
  readonly crossAtOnce: boolean
  /** Takes a record of a repartition topic. */
  readonly deliver: (topic: string, partition: number, record: ConsumerRecord) => Promise<void>
  /** Takes a record of one of the user's topics. */
  readonly written: (topic: string, partition: number, record: ConsumerRecord) => void
}

export class Transactions {
  readonly #parts: TransactionParts
  /** By partition, what each input's commit says. */
  readonly #committed = new Map<string, CommittedOffset>()
  /** In order. */
  #writes: Write[] = []
  /** Where records are that crossed a repartition topic before their commit. */
  #ahead: (TopicPartition & { readonly offset: number })[] = []

  constructor(parts: TransactionParts) {
    this.#parts = parts
  }

  /** Whether something was written and not committed. */
  get areOpen(): boolean {
    return this.#writes.length + this.#ahead.length > 0
  }

  /** What a task writes to a topic. */
  output(task: string, topic: string): Output {
    const { crossAtOnce, log, deliver, plan } = this.#parts
    if (!crossAtOnce || !plan().repartitionTopics.includes(topic)) {
      return recordOutput((partition, record) => this.#writes.push({ task, topic, partition, record }))
    }
    return recordOutput((partition, record) => {
      this.#ahead.push({ topic, partition, offset: log.endOf(topic, partition) })
      void deliver(topic, partition, record)
    })
  }

  /** Where a task begins to read: where it has committed. */
  startOf({ topic, partition }: TopicPartition): StartPosition {
    const known = this.#committed.get(partitionName(topic, partition))
    const { offset, metadata } = known ?? { offset: 0, metadata: '' }
    const stableEnd = this.#parts.log.endOf(topic, partition)
    return { topic, partition, offset, metadata, stableEnd, committed: known !== undefined }
  }

  /** One transaction of these tasks: positions, rows of changelogs and outputs together. */
  async commit(tasks: readonly Task[]): Promise<void> {
    const { log, plan } = this.#parts
    // What tables are restored from.
    const kept = tablesBySourceTopic(plan().topology)
    // A task with calls under way is of another send that came meanwhile, which commits itself.
    const ready = tasks.filter((task) => task.hasWork && task.inFlight === 0)
    const commits = ready.map((task) => {
      const positions = task.positions()
      return { task, positions, streamTimes: task.stores.seal() }
    })
    const arrivals = this.#takeOf(new Set(ready.map(({ name }) => name))).map((write) => this.#bringOut(write))
    this.#ahead = []
    for (const { task, positions, streamTimes } of commits) {
      for (const position of positions) {
        this.#committed.set(partitionName(position.topic, position.partition), position)
        if (!kept.has(position.topic)) log.forget(position.topic, position.partition, position.offset)
      }
      task.committed(positions)
      await task.stores.settle(streamTimes, log.ends, positions)
    }
    await Promise.all(arrivals)
  }

  /** Nothing was written by these tasks, nor crossed a topic before its commit. */
  abort(tasks: ReadonlySet<string>): void {
    this.#takeOf(tasks)
    for (const { topic, partition, offset } of this.#ahead) this.#parts.log.cut(topic, partition, offset)
    this.#ahead = []
  }

  #takeOf(tasks: ReadonlySet<string>): readonly Write[] {
    const taken = this.#writes.filter(({ task }) => tasks.has(task))
    this.#writes = this.#writes.filter(({ task }) => !tasks.has(task))
    return taken
  }

  #bringOut({ topic, partition, record }: Write): Promise<void> {
    const { log, deliver, written, plan } = this.#parts
    if (plan().repartitionTopics.includes(topic)) return deliver(topic, partition, record)
    if (plan().internalTopics.some(({ name }) => name === topic)) log.appendRow(topic, partition, record)
    else written(topic, partition, record)
    return Promise.resolve()
  }
}
