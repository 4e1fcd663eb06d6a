/** The producer without transactions: what one flush wrote is readable when it is durable. */

import type { StreamError } from '../../common/errors.ts'
import { partitionName } from '../../common/record.ts'
import type { Output, PlainProducer } from '../port.ts'
import { Gather } from './gather.ts'
import type { Journal, JournalEntry } from './journal.ts'
import type { PartitionLog } from './log.ts'
import type { TopicRegistry } from './topics.ts'

const sendBytes = 1024 * 1024

export class EmbeddedPlainProducer implements PlainProducer {
  readonly #topics: TopicRegistry
  readonly #journal: Journal
  readonly #gather: Gather
  #next = new Map<string, number>()
  #sent: Promise<unknown> = Promise.resolve()
  #failure: StreamError | null = null

  constructor(topics: TopicRegistry, journal: Journal) {
    this.#topics = topics
    this.#journal = journal
    this.#gather = new Gather({
      maxRecordBytes: (topic) => topics.maxRecordBytes(topic),
      appended: (bytes) => {
        if (bytes >= sendBytes) this.#send()
      },
      refused: (error) => this.fail(error),
    })
  }

  output(topic: string): Output {
    return this.#gather.output(topic)
  }

  async flush(): Promise<ReadonlyMap<string, number>> {
    this.#send()
    const next = this.#next
    this.#next = new Map()
    await this.#sent
    if (this.#failure !== null) throw this.#failure
    return next
  }

  async close(): Promise<void> {
    this.#send()
    await this.#sent
  }

  fail(error: StreamError): void {
    this.#failure ??= error
  }

  #send(): void {
    const gathered = this.#gather.take()
    if (this.#failure !== null || gathered.length === 0) return
    try {
      const logs = gathered.map(({ topic, partition }) => this.#topics.log(topic, partition))
      const writer = {}
      const entries: JournalEntry[] = []
      for (const [i, log] of logs.entries()) {
        for (const batch of log.append(writer, gathered[i]?.runs ?? []))
          entries.push({ kind: 'batch', log: log.id, batch })
        entries.push({ kind: 'end', log: log.id, end: log.end })
        this.#next.set(partitionName(log.topic, log.partition), log.end)
      }
      this.#sent = this.#journal.write(entries, () => settle(logs, writer)).catch((error) => this.fail(error))
    } catch (error) {
      this.fail(error as StreamError)
    }
  }
}

function settle(logs: readonly PartitionLog[], writer: object): void {
  for (const log of logs) log.settle(writer)
}
