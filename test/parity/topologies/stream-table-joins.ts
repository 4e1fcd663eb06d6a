/** Streams that look tables up; twins of java/StreamTableJoins.java. */

import { json, type KStream, type StreamsBuilder, string, Windows } from 'streamctl'
import type { Family } from '../twin.ts'
import {
  numbers,
  numbersShape,
  others,
  othersShape,
  results,
  resultsOf,
  rows,
  rowsShape,
  windowedResults,
} from './topics.ts'
import { traced } from './trace.ts'

const input = { topics: [numbersShape, rowsShape] }
const enriched = { name: 'enriched', key: string }

function rekeyed(b: StreamsBuilder): KStream<string, number> {
  return b.stream(numbers).selectKey((n) => (n === null || n > 5 ? (null as never) : n % 2 === 0 ? 'a' : 'b'))
}

export const streamTableJoins: Family = {
  inner: {
    input,
    build(b) {
      b.stream(numbers)
        .join(b.table(rows, { store: 'rows' }), (n, row) => n + row)
        .to(results)
    },
  },
  left: {
    input,
    build(b) {
      b.stream(numbers)
        .leftJoin(b.table(rows, { store: 'rows' }), (n, row, key) => `${key}${n}${row}`)
        .to(results)
    },
  },
  innerToNull: {
    input,
    build(b) {
      b.stream(numbers)
        .join(b.table(rows, { store: 'rows' }), (n, row) => (n > 4 ? null : n + row))
        .to(results)
    },
  },
  innerRekeyed: {
    input,
    build(b) {
      rekeyed(b)
        .join(b.table(rows, { store: 'rows' }), (n, row, key) => `${key}${n}${row}`, enriched)
        .to(results)
    },
  },
  leftRekeyed: {
    input,
    build(b) {
      rekeyed(b)
        .leftJoin(b.table(rows, { store: 'rows' }), (n, row, key) => `${key}${n}${row}`, enriched)
        .to(results)
    },
  },
  derivedTable: {
    input,
    build(b) {
      const lengths = b
        .table(rows, { store: 'rows' })
        .filter((row) => row.length > 1)
        .mapValues((row) => row.length)
      b.stream(numbers)
        .leftJoin(lengths, (n, length) => `${n} ${length}`)
        .to(results)
    },
  },
  ownCounts: {
    input: { topics: [numbersShape] },
    build(b) {
      const stream = b.stream(numbers)
      const counts = stream.groupByKey().count('counts')
      stream.leftJoin(counts, (n, count) => `${n} of ${count}`).to(results)
    },
  },
  tableOfStream: {
    input: { topics: [numbersShape, othersShape] },
    build(b) {
      const latest = b
        .stream(others)
        .filter((n) => n === null || n < 6)
        .toTable('latest')
      b.stream(numbers)
        .join(latest, (n, other) => n * 100 + other)
        .to(results)
      latest.toStream().to(resultsOf('second'))
    },
  },
  thenWindowed: {
    input,
    build(b) {
      b.stream(numbers)
        .leftJoin(b.table(rows, { store: 'rows' }), (n, row) => (row === null ? n : n + row.length * 10))
        .groupBy('by-ten', (n) => `${Math.trunc(n / 10)}`, { key: string, value: json<number>() })
        .windowedBy(Windows.hopping(60, { advance: 30, grace: 15 }))
        .aggregate('traces', traced())
        .toStream()
        .to(windowedResults(60))
    },
  },
}
