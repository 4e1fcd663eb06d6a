/** One thing in which streamctl differs from Kafka Streams on purpose. */

import type { StreamsBuilder } from 'streamctl'
import type { JsonRecord } from './record.ts'

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
