/** Tables joined by a key that one has in its values; twins of java/ForeignKeyJoins.java. */

import { json, type KTable, type StreamsBuilder } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, results, rows, rowsShape } from './topics.ts'

const input = {
  topics: [
    { ...numbersShape, weight: 2 },
    { ...rowsShape, weight: 2 },
  ],
}
/** A foreign row's update answers all who refer to it: in the order of their keys there, in that of arrival here. */
const unordered = true as const

const both = (left: unknown, right: unknown): string => `${left}+${right}`
const joined = { name: 'joined', joiner: both, serde: json<string>() }
/** Rows of numbers refer to a, b, c and (6) no row; 7 refers to a row that never is. */
const referred = (n: number): string | null =>
  n === 6 ? null : n === 7 ? 'nobody' : (['a', 'b', 'c'][Math.abs(n % 3)] as string)

function sides(b: StreamsBuilder): [KTable<string, number | null>, KTable<string, string | null>] {
  return [b.table(numbers, { store: 'numbers' }), b.table(rows, { store: 'rows' })]
}

export const foreignKeyJoins: Family = {
  inner: {
    input,
    unordered,
    build(b) {
      const [left, right] = sides(b)
      left
        .join(right, { ...joined, foreignKey: referred })
        .toStream()
        .to(results)
    },
  },
  left: {
    input,
    unordered,
    build(b) {
      const [left, right] = sides(b)
      left
        .leftJoin(right, { ...joined, foreignKey: referred })
        .toStream()
        .to(results)
    },
  },
  byOwnKey: {
    input,
    unordered,
    build(b) {
      const [left, right] = sides(b)
      left
        .join(right, { ...joined, foreignKey: (_, key) => (key === 'd' ? 'a' : key) })
        .toStream()
        .to(results)
    },
  },
  ofDerivedTables: {
    input,
    unordered,
    build(b) {
      const [left, right] = sides(b)
      left
        .filter((n) => n > 0)
        .leftJoin(
          right.filterNot((row) => row === 'yy').mapValues((row) => `${row}!`),
          { ...joined, foreignKey: referred, otherValue: json<string>() },
        )
        .toStream()
        .to(results)
    },
  },
  filteredResult: {
    input,
    unordered,
    build(b) {
      const [left, right] = sides(b)
      left
        .join(right, { ...joined, foreignKey: referred })
        .filter((value) => !value.endsWith('x'))
        .toStream()
        .to(results)
    },
  },
  nullResults: {
    input,
    unordered,
    build(b) {
      const [left, right] = sides(b)
      left
        .leftJoin(right, { ...joined, foreignKey: referred, joiner: (n, row) => (n > 3 ? null : both(n, row)) })
        .toStream()
        .to(results)
    },
  },
  withItself: {
    input: { topics: [numbersShape] },
    unordered,
    build(b) {
      const left = b.table(numbers, { store: 'numbers' })
      left
        .join(left, { ...joined, foreignKey: referred })
        .toStream()
        .to(results)
    },
  },
  joinedAgain: {
    input,
    unordered,
    build(b) {
      const [left, right] = sides(b)
      left
        .leftJoin(right, { ...joined, foreignKey: referred })
        .join(left, both)
        .toStream()
        .to(results)
    },
  },
}
