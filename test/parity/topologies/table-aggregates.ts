/** Tables grouped by another key; twins of java/TableAggregates.java. */

import { json, type KGroupedTable, type StreamsBuilder, string } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, others, othersShape, results, rows, rowsShape } from './topics.ts'
import { trace, traced } from './trace.ts'

const input = { topics: [numbersShape] }
const numbered = { key: string, value: json<number>() }

/** A row moves between groups, leaves all of them, and stays where it is with another value. */
function grouped(b: StreamsBuilder): KGroupedTable<string, number> {
  return b
    .table(numbers, { store: 'numbers' })
    .groupBy('by-rest', (n, key) => [n === 7 ? null : `${n % 2}`, n === 6 ? null : n + key.length], numbered)
}

export const tableAggregates: Family = {
  count: {
    input,
    build(b) {
      grouped(b).count('counts').toStream().to(results)
    },
  },
  reduce: {
    input,
    build(b) {
      grouped(b)
        .reduce(
          'sums',
          (sum, n) => sum + n,
          (sum, n) => sum - n,
        )
        .toStream()
        .to(results)
    },
  },
  reduceToNull: {
    input,
    build(b) {
      grouped(b)
        .reduce(
          'sums',
          (sum, n) => (sum + n > 8 ? null : sum + n),
          (sum, n) => (sum === n ? null : sum - n),
        )
        .toStream()
        .to(results)
    },
  },
  aggregate: {
    input,
    build(b) {
      grouped(b)
        .aggregate('traces', { ...traced(), subtract: (before, n, key) => trace(`${before}-`, n, key) })
        .toStream()
        .to(results)
    },
  },
  aggregateToNull: {
    input,
    build(b) {
      grouped(b)
        .aggregate('traces', {
          init: (): string | null => '<',
          add: (before, n, key) => (n === 4 ? null : trace(before ?? '', n, key)),
          subtract: (before, n, key) => (n === 2 ? null : trace(`${before}-`, n, key)),
          serde: json<string>(),
        })
        .toStream()
        .to(results)
    },
  },
  ofFilteredTable: {
    input,
    build(b) {
      b.table(numbers, { store: 'numbers' })
        .filter((n) => n > 1)
        .mapValues((n) => n * 10)
        .groupBy('by-key', (n, key) => [key === 'a' ? 'a' : 'other', n], numbered)
        .reduce(
          'sums',
          (sum, n) => sum + n,
          (sum, n) => sum - n,
        )
        .toStream()
        .to(results)
    },
  },
  ofJoin: {
    input: { topics: [numbersShape, rowsShape] },
    build(b) {
      b.table(numbers, { store: 'numbers' })
        .leftJoin(b.table(rows, { store: 'rows' }), (n, row) => `${n}${row}`)
        .groupBy('by-length', (value, key) => [`${value.length}`, `${key}${value}`], {
          key: string,
          value: json<string>(),
        })
        .aggregate('traces', { ...traced(), subtract: (before, n, key) => trace(`${before}-`, n, key) })
        .toStream()
        .to(results)
    },
  },
  ofAggregate: {
    input,
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .reduce('totals', (total, n) => total + n)
        .groupBy('by-total', (total, key) => [`${total % 3}`, key], { key: string, value: json<string>() })
        .count('keys-per-total')
        .toStream()
        .to(results)
    },
  },
  joined: {
    input: { topics: [numbersShape, othersShape] },
    build(b) {
      const sums = grouped(b).reduce(
        'sums',
        (sum, n) => sum + n,
        (sum, n) => sum - n,
      )
      b.stream(others)
        .selectKey((n) => (n === null ? '0' : `${Math.abs(n % 2)}`))
        .leftJoin(sums, (n, sum) => `${n}:${sum}`, { name: 'with-sums', key: string })
        .to(results)
    },
  },
  twoAggregatesOfOneGrouping: {
    input,
    build(b) {
      const one = grouped(b)
      one.count('counts').toStream().to(results)
      one
        .reduce(
          'sums',
          (sum, n) => sum + n,
          (sum, n) => sum - n,
        )
        .filter((sum) => sum > 3)
        .toStream()
        .to(results)
    },
  },
}
