/** Tables of topics and streams; twins of java/Tables.java. */

import { string } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, results, rows, rowsShape } from './topics.ts'

const input = { topics: [numbersShape] }

export const tables: Family = {
  table: {
    input: { topics: [rowsShape] },
    build(b) {
      b.table(rows, { store: 'rows' }).toStream().to(results)
    },
  },
  filter: {
    input: { topics: [rowsShape] },
    build(b) {
      b.table(rows, { store: 'rows' })
        .filter((row) => row.length > 1)
        .toStream()
        .to(results)
    },
  },
  filterNotThenMapValues: {
    input: { topics: [rowsShape] },
    build(b) {
      b.table(rows, { store: 'rows' })
        .filterNot((row) => row.length > 2)
        .mapValues((row, key) => `${key}:${row.length}`)
        .toStream()
        .to(results)
    },
  },
  toTable: {
    input,
    build(b) {
      b.stream(numbers).toTable('latest').toStream().to(results)
    },
  },
  toTableByValue: {
    input,
    build(b) {
      b.stream(numbers)
        .selectKey((n, key) => (n === null ? key : n > 5 ? (null as never) : `${n % 3}`))
        .toTable('latest', { key: string })
        .toStream()
        .to(results)
    },
  },
}
