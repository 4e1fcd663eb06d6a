/** Where streamctl gives something else than Kafka Streams on purpose: all there is, each with the input that shows it. */

import type { StreamsBuilder } from 'streamctl'
import type { JsonRecord } from './record.ts'
import { numbers, results } from './topologies/topics.ts'

interface Side {
  readonly does: string
  readonly output: readonly JsonRecord[]
}

export interface Difference {
  readonly what: string
  readonly why: string
  readonly streamctl: Side
  readonly kafkaStreams: Side
  readonly input: readonly JsonRecord[]
  readonly build: (b: StreamsBuilder) => void
}

const keyed: JsonRecord = { topic: 'numbers', key: 'a', value: 1, timestamp: 5, headers: [] }
const keyless: JsonRecord = { topic: 'numbers', key: null, value: 2, timestamp: 6, headers: [] }

/** By the name of the method in java/Differences.java. */
export const differences: Readonly<Record<string, Difference>> = {
  repartitionWithoutKey: {
    what: 'a record without key at repartition()',
    why: 'nothing after it may need a key, and data would be lost without a word; what needs one drops and counts it there',
    streamctl: {
      does: 'passes it on, round the partitions',
      output: [
        { ...keyed, topic: 'results' },
        { ...keyless, topic: 'results' },
      ],
    },
    kafkaStreams: {
      does: 'drops it, unless a left or outer join follows (KIP-962)',
      output: [{ ...keyed, topic: 'results' }],
    },
    input: [keyed, keyless],
    build(b) {
      b.stream(numbers).repartition('again').to(results)
    },
  },
}
