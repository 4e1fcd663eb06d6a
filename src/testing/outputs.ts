/** What a topology wrote to the user's topics in a test and was committed, decoded, until the test has read it. */

import type { ConsumerRecord, Headers } from '../common/record.ts'
import type { TestTopics } from './topics.ts'

/** A record that the topology wrote. Dead letters come with the bytes of their key and value. */
export interface TestRecord<K = unknown, V = unknown> {
  readonly topic: string
  readonly partition: number
  readonly key: K | null
  readonly value: V | null
  readonly timestamp: number
  readonly headers: Headers
}

export class TestOutputs {
  readonly #topics: TestTopics
  #records: TestRecord[] = []

  constructor(topics: TestTopics) {
    this.#topics = topics
  }

  /** @throws what its serdes throw. */
  add(topic: string, partition: number, { key, value, timestamp, headers }: ConsumerRecord): void {
    const serdes = this.#topics.serdes.get(topic)
    this.#records.push({
      topic,
      partition,
      key: key === null || serdes === undefined ? key : serdes.key.deserialize(key),
      value: value === null || serdes === undefined ? value : serdes.value.deserialize(value),
      timestamp,
      headers,
    })
  }

  /** Takes what came since the last call, in order; of one topic when it is named. */
  take(topic?: string): readonly TestRecord[] {
    const all = this.#records
    if (topic === undefined) {
      this.#records = []
      return all
    }
    this.#records = all.filter((record) => record.topic !== topic)
    return all.filter((record) => record.topic === topic)
  }
}
