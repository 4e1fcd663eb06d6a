/** The topics of the embedded broker and their partition logs. A topic is never removed, and its partition count never changes. */

import { StreamError } from '../../common/errors.ts'
import type { TopicDescription, TopicSpec } from '../port.ts'
import type { Journal } from './journal.ts'
import { PartitionLog } from './log.ts'

interface Topic extends TopicDescription {
  readonly logs: readonly PartitionLog[]
  readonly configs: Readonly<Record<string, string>>
}

export interface TopicDefaults {
  readonly partitions: number
  /** Topics come to be when they are first asked for, as with Kafka's `auto.create.topics.enable`. */
  readonly autoCreate: boolean
}

/** Kafka's default of `max.message.bytes`. */
const defaultMaxBytes = 1_048_588

export class TopicRegistry {
  readonly #topics = new Map<string, Topic>()
  readonly #journal: Journal
  readonly #defaults: TopicDefaults
  readonly #created: (name: string) => void
  #nextLog = 0

  constructor(journal: Journal, defaults: TopicDefaults, created: (name: string) => void) {
    this.#journal = journal
    this.#defaults = defaults
    this.#created = created
    for (const { name, logs, configs } of journal.stored.topics) {
      this.#add(
        name,
        configs,
        logs.map((state, partition) => new PartitionLog(name, partition, state, journal.tailLimit)),
      )
      for (const { id } of logs) this.#nextLog = Math.max(this.#nextLog, id + 1)
    }
  }

  names(): readonly string[] {
    return [...this.#topics.keys()]
  }

  find(name: string): Topic | undefined {
    const topic = this.#topics.get(name)
    if (topic !== undefined || !this.#defaults.autoCreate) return topic
    // The write is ordered before any that uses the topic; its failure fails those.
    this.create({ name, partitions: this.#defaults.partitions, configs: {} }).catch(() => {})
    return this.#topics.get(name)
  }

  /** @throws StreamError TOPIC_MISSING. */
  log(name: string, partition: number): PartitionLog {
    const topic = this.find(name)
    const log = topic?.logs[partition]
    if (log !== undefined) return log
    const what = topic === undefined ? `topic ${name} does not exist` : `topic ${name} has no partition ${partition}`
    throw new StreamError('TOPIC_MISSING', `${what} on the embedded broker`, {
      hint:
        topic === undefined ? 'Create the topic first.' : `Its partitions are 0 to ${topic.partitions - 1}: use those.`,
      where: { topic: name, partition },
    })
  }

  maxRecordBytes(name: string): number {
    return Number(this.#topics.get(name)?.configs['max.message.bytes'] ?? defaultMaxBytes)
  }

  /** Visible at once, durable when the promise resolves. */
  create(spec: TopicSpec): Promise<void> {
    const { name, partitions, configs } = spec
    if (this.#topics.has(name)) return Promise.resolve()
    const problem = invalid(spec)
    if (problem !== null) {
      return Promise.reject(
        new StreamError('INVALID_ARGUMENT', `topic ${JSON.stringify(name)} cannot be created: ${problem}`, {
          where: { topic: name },
        }),
      )
    }
    const states = Array.from({ length: partitions }, () => ({ id: this.#nextLog++, start: 0, end: 0 }))
    const logs = states.map((state, partition) => new PartitionLog(name, partition, state, this.#journal.tailLimit))
    this.#add(name, configs, logs)
    const topic = { name, logs: states, configs }
    return this.#journal.write([{ kind: 'topic', topic }], () => this.#created(name))
  }

  #add(name: string, configs: Readonly<Record<string, string>>, logs: readonly PartitionLog[]): void {
    this.#topics.set(name, { name, partitions: logs.length, logs, configs })
  }
}

/** The rules of org.apache.kafka.common.internals.Topic. */
function invalid({ name, partitions }: TopicSpec): string | null {
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..') {
    return 'a name has 1 to 249 letters, digits, dots, underscores and dashes'
  }
  if (!Number.isSafeInteger(partitions) || partitions < 1) return `it cannot have ${partitions} partitions`
  return null
}
