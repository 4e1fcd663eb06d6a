/** Streams that look global tables up under keys of their choice; twins of java/GlobalTables.java. */

import type { Family } from '../twin.ts'
import { numbers, numbersShape, others, othersShape, results, resultsOf, rows, rowsShape } from './topics.ts'

const input = { topics: [numbersShape, rowsShape] }

/** Under another key than the record's, and sometimes none. */
function rowOf(n: number | null): string | null {
  return n === null || n === 7 ? null : n % 2 === 0 ? 'a' : 'b'
}

export const globalTables: Family = {
  inner: {
    input,
    build(b) {
      b.stream(numbers)
        .join(b.globalTable(rows, { store: 'rows' }), rowOf, (n, row, key) => `${key}${n}${row}`)
        .to(results)
    },
  },
  left: {
    input,
    build(b) {
      b.stream(numbers)
        .leftJoin(b.globalTable(rows, { store: 'rows' }), rowOf, (n, row, key) => `${key}${n}${row}`)
        .to(results)
    },
  },
  innerByKey: {
    input,
    build(b) {
      b.stream(numbers)
        .join(
          b.globalTable(rows, { store: 'rows' }),
          (_n, key) => key,
          (n, row) => (n > 4 ? null : `${n}${row}`),
        )
        .to(results)
    },
  },
  leftRekeyed: {
    input,
    build(b) {
      b.stream(numbers)
        .selectKey((n) => `${n}`)
        .leftJoin(
          b.globalTable(rows, { store: 'rows' }),
          (n) => rowOf(n) ?? 'c',
          (n, row, key) => `${key}${n}${row}`,
        )
        .to(results)
    },
  },
  twice: {
    input: { topics: [numbersShape, rowsShape, othersShape] },
    build(b) {
      const table = b.globalTable(rows, { store: 'rows' })
      const values = b.globalTable(others, { store: 'others' })
      const joined = b.stream(numbers).join(table, rowOf, (n, row) => `${n}${row}`)
      joined
        .leftJoin(
          values,
          (text) => (text.length > 2 ? 'a' : 'd'),
          (text, other) => `${text} ${other}`,
        )
        .to(results)
      joined.to(resultsOf('second'))
    },
  },
}
