/** Tables that remember what was valid when, and streams that look them up at their own time; twins of java/VersionedTables.java. */

import { type KStream, string } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, results, resultsOf, rows, rowsShape } from './topics.ts'

/** Late by more than the history too, and several versions of a key within it. */
const rowsOnly = { topics: [rowsShape] }
const input = { topics: [numbersShape, rowsShape] }
const history = 60

export const versionedTables: Family = {
  table: {
    input: rowsOnly,
    build(b) {
      b.table(rows, { store: 'rows', history }).toStream().to(results)
    },
  },
  toTableByValue: {
    input: { topics: [numbersShape] },
    build(b) {
      b.stream(numbers)
        .selectKey((n, key) => (n === null ? key : n > 5 ? (null as never) : `${n % 3}`))
        .toTable('latest', { key: string, history })
        .toStream()
        .to(results)
    },
  },
  filterThenMapValues: {
    input: rowsOnly,
    build(b) {
      b.table(rows, { store: 'rows', history })
        .filter((row) => row.length > 1)
        .mapValues((row, key) => `${key}:${row.length}`)
        .toStream()
        .to(results)
    },
  },
  mapValuesThenFilterNot: {
    input: rowsOnly,
    build(b) {
      b.table(rows, { store: 'rows', history })
        .mapValues((row) => row.length)
        .filterNot((length) => length > 2)
        .toStream()
        .to(results)
    },
  },
  inner: {
    input,
    build(b) {
      b.stream(numbers)
        .join(b.table(rows, { store: 'rows', history }), (n, row) => `${n} ${row}`)
        .to(results)
    },
  },
  left: {
    input,
    build(b) {
      const table = b.table(rows, { store: 'rows', history })
      b.stream(numbers)
        .leftJoin(table, (n, row, key) => `${key}${n}${row}`)
        .to(results)
      table.toStream().to(resultsOf('second'))
    },
  },
  leftWithoutHistory: {
    input,
    build(b) {
      b.stream(numbers)
        .leftJoin(b.table(rows, { store: 'rows', history: 0 }), (n, row, key) => `${key}${n}${row}`)
        .to(results)
    },
  },
  leftOfDerived: {
    input,
    build(b) {
      const lengths = b
        .table(rows, { store: 'rows', history: 500 })
        .filter((row) => row.length > 1)
        .mapValues((row) => row.length)
      b.stream(numbers)
        .leftJoin(lengths, (n, length) => `${n} ${length}`)
        .to(results)
    },
  },
  leftRekeyed: {
    input,
    build(b) {
      const rekeyed: KStream<string, number> = b
        .stream(numbers)
        .selectKey((n) => (n === null || n > 5 ? (null as never) : n % 2 === 0 ? 'a' : 'b'))
      rekeyed
        .leftJoin(b.table(rows, { store: 'rows', history }), (n, row, key) => `${key}${n}${row}`, {
          name: 'enriched',
          key: string,
        })
        .to(results)
    },
  },
}
