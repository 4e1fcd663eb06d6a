/** Rows that end by event time; twins of java/Ttl.java. */

import { json, string } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, others, othersShape, results } from './topics.ts'

const input = { topics: [numbersShape] }
const twoInputs = { topics: [numbersShape, othersShape] }
const numbered = { key: string, value: json<number>() }

export const ttl: Family = {
  table: {
    input,
    build(b) {
      b.table(numbers, { store: 'rows', ttl: 50 }).toStream().to(results)
    },
  },
  shortTable: {
    input: twoInputs,
    build(b) {
      b.stream(numbers)
        .merge(b.stream(others))
        .toTable('rows', { ...numbered, ttl: 5 })
        .toStream()
        .to(results)
    },
  },
  count: {
    input,
    build(b) {
      b.stream(numbers).groupByKey().count('counts', { ttl: 40 }).toStream().to(results)
    },
  },
  reduceToNull: {
    input,
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .reduce('sums', (sum, n) => (sum + n > 8 ? (null as unknown as number) : sum + n), { ttl: 30 })
        .toStream()
        .to(results)
    },
  },
  rekeyed: {
    input,
    build(b) {
      b.stream(numbers)
        .selectKey((n) => (n === null ? (null as unknown as string) : `n${n % 3}`))
        .toTable('rows', { ...numbered, ttl: 25 })
        .toStream()
        .to(results)
    },
  },
  downstream: {
    input,
    build(b) {
      b.table(numbers, { store: 'rows', ttl: 50 })
        .filter((n) => n > 1)
        .groupBy('by-rest', (n) => [`${n % 2}`, n], numbered)
        .count('counts')
        .toStream()
        .to(results)
    },
  },
  joined: {
    input: twoInputs,
    build(b) {
      const table = b.table(numbers, { store: 'rows', ttl: 60 })
      b.stream(others)
        .leftJoin(table, (n, row) => `${n}+${row}`)
        .to(results)
    },
  },
}
