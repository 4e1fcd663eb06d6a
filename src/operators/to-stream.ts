/** Every update of a table as a record; a deleted row is a null value (Kafka Streams: KTable.toStream). */

import type { Process, Update } from './processor.ts'

export function toStream<K, V>(next: Process<K, V | null>): Update<K, V> {
  return (key, value, _old, timestamp, headers) => {
    next(key, value, timestamp, headers)
  }
}
