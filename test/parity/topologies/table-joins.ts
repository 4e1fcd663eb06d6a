/** Tables joined with tables; twins of java/TableJoins.java. */

import { type KTable, type StreamsBuilder, string } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, others, othersShape, results, rows, rowsShape } from './topics.ts'

const input = { topics: [{ ...numbersShape, weight: 2 }, rowsShape] }

const both = (left: unknown, right: unknown): string => `${left}+${right}`

function sides(b: StreamsBuilder): [KTable<string, number | null>, KTable<string, string | null>] {
  return [b.table(numbers, { store: 'numbers' }), b.table(rows, { store: 'rows' })]
}

export const tableJoins: Family = {
  inner: {
    input,
    build(b) {
      const [left, right] = sides(b)
      left.join(right, both).toStream().to(results)
    },
  },
  left: {
    input,
    build(b) {
      const [left, right] = sides(b)
      left.leftJoin(right, both).toStream().to(results)
    },
  },
  outer: {
    input,
    build(b) {
      const [left, right] = sides(b)
      left.outerJoin(right, both).toStream().to(results)
    },
  },
  derivedSides: {
    input,
    build(b) {
      const [left, right] = sides(b)
      left
        .filter((n) => n > 2)
        .outerJoin(
          right.filterNot((row) => row === 'yy').mapValues((row) => row.length),
          both,
        )
        .toStream()
        .to(results)
    },
  },
  filteredResult: {
    input,
    build(b) {
      const [left, right] = sides(b)
      left
        .leftJoin(right, both)
        .filter((value) => !value.endsWith('null'))
        .toStream()
        .to(results)
    },
  },
  nullResults: {
    input,
    build(b) {
      const [left, right] = sides(b)
      left
        .leftJoin(right, (n, row) => (n > 4 ? null : `${n}${row}`))
        .outerJoin(right, both)
        .toStream()
        .to(results)
    },
  },
  joinOfJoins: {
    input: { topics: [...input.topics, othersShape] },
    build(b) {
      const [left, right] = sides(b)
      const third = b.table(others, { store: 'others' })
      left.outerJoin(right, both).leftJoin(third.join(left, both), both).toStream().to(results)
    },
  },
  withItself: {
    input: { topics: [numbersShape] },
    build(b) {
      const left = b.table(numbers, { store: 'numbers' })
      left.join(left, both).toStream().to(results)
    },
  },
  ofAggregates: {
    input: { topics: [numbersShape, othersShape] },
    build(b) {
      const counts = b.stream(numbers).groupByKey().count('counts')
      const highest = b
        .stream(others)
        .selectKey((n, key) => (n === null ? key : n > 5 ? (null as never) : n % 2 === 0 ? 'a' : 'b'))
        .groupByKey({ name: 'by-parity', key: string })
        .reduce('highest', (a, b) => Math.max(a, b))
      counts.outerJoin(highest, both).toStream().to(results)
    },
  },
  streamAgainstJoin: {
    input: { topics: [...input.topics, othersShape] },
    build(b) {
      const [left, right] = sides(b)
      b.stream(others).leftJoin(left.outerJoin(right, both), both).to(results)
    },
  },
}
