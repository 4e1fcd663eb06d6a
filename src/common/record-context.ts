/** Where the record at hand comes from, for user code that asks (Kafka Streams: RecordContext). */

import type { Headers } from './record.ts'

/** In a punctuation no record is at hand: topic null, partition and offset -1, no headers, and the punctuation's time. */
export interface RecordContext {
  /** Topic that the record was read from: the user's, or a repartition topic by its full name. */
  readonly topic: string | null
  readonly partition: number
  readonly offset: number
  /** Of the record as it reached this operator, ms since the epoch. */
  readonly timestamp: number
  /** Of the record as it reached this operator. */
  readonly headers: Headers
}
