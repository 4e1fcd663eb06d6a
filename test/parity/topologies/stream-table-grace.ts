/** Streams that wait for late updates of the versioned tables they look up; twins of java/StreamTableGrace.java. */

import { json, type KStream, type StreamsBuilder, string } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, results, rows, rowsShape } from './topics.ts'

const input = { topics: [numbersShape, rowsShape] }

/** In Kafka Streams a record without a key ends the application. */
function keyed(b: StreamsBuilder): KStream<string, number> {
  return b.stream(numbers).filter((_n, key) => key !== null)
}

export const streamTableGrace: Family = {
  inner: {
    input,
    build(b) {
      keyed(b)
        .join(b.table(rows, { store: 'rows', history: 200 }), (n, row) => `${n}${row}`, { name: 'late', grace: 40 })
        .to(results)
    },
  },
  left: {
    input,
    build(b) {
      keyed(b)
        .leftJoin(b.table(rows, { store: 'rows', history: 60 }), (n, row, key) => `${key}${n}${row}`, {
          name: 'late',
          grace: 25,
        })
        .to(results)
    },
  },
  leftWithoutGrace: {
    input,
    build(b) {
      keyed(b)
        .leftJoin(b.table(rows, { store: 'rows', history: 60 }), (n, row) => `${n}${row}`, { name: 'late', grace: 0 })
        .to(results)
    },
  },
  innerRekeyed: {
    input,
    build(b) {
      const rekeyed: KStream<string, number> = b
        .stream(numbers)
        .selectKey((n) => (n === null || n % 2 === 0 ? 'a' : 'b'))
      rekeyed
        .join(b.table(rows, { store: 'rows', history: 100 }), (n, row, key) => `${key}${n}${row}`, {
          name: 'late',
          grace: 50,
          key: string,
          value: json<number>(),
        })
        .to(results)
    },
  },
}
