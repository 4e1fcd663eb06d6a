/** Count, reduce and aggregate per key; twins of java/Aggregates.java. */

import { json, string } from 'streamctl'
import type { Family } from '../twin.ts'
import { lines, linesShape, numbers, numbersShape, results, resultsOf } from './topics.ts'
import { trace, traced } from './trace.ts'

const input = { topics: [numbersShape] }

export const aggregates: Family = {
  count: {
    input,
    build(b) {
      b.stream(numbers).groupByKey().count('counts').toStream().to(results)
    },
  },
  reduce: {
    input,
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .reduce('sums', (sum, n) => ((sum * 3) % 1000) + n)
        .toStream()
        .to(results)
    },
  },
  reduceToNull: {
    input,
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .reduce('sums', (sum, n) => (sum + n > 12 ? (null as never) : sum + n))
        .toStream()
        .to(results)
    },
  },
  aggregate: {
    input,
    build(b) {
      b.stream(numbers).groupByKey().aggregate('traces', traced()).toStream().to(results)
    },
  },
  aggregateToNull: {
    input,
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .aggregate('traces', {
          init: (): string | null => '',
          add: (before, n, key) => (n > 6 || before === null ? null : trace(before, n, key)),
          serde: json,
        })
        .toStream()
        .to(results)
    },
  },
  groupByCount: {
    input,
    build(b) {
      b.stream(numbers)
        .groupBy('by-parity', (n, key) => (n === null ? 'gone' : n > 5 ? (null as never) : `${key}${n % 2}`), {
          key: string,
        })
        .count('counts')
        .toStream()
        .to(results)
    },
  },
  mapThenReduce: {
    input,
    build(b) {
      b.stream(numbers)
        .map((n, key) => [key === null ? 'none' : 'k', n === null ? (null as never) : n + 1])
        .groupByKey({ key: string, value: json<number>() })
        .reduce('sums', (sum, n) => ((sum * 3) % 1000) + n)
        .toStream()
        .to(results)
    },
  },
  sharedGrouping: {
    input,
    build(b) {
      const grouped = b.stream(numbers).groupBy('by-key', (n, key) => (n === null ? (null as never) : key), {
        key: string,
      })
      grouped.count('counts').toStream().to(resultsOf('first'))
      grouped.aggregate('traces', traced()).toStream().to(results)
    },
  },
  countOfCounts: {
    input,
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .count('counts')
        .toStream()
        .groupBy('by-count', (count) => `${count % 3n}`, { key: string })
        .aggregate('counts-of-counts', traced())
        .toStream()
        .to(results)
    },
  },
  wordCount: {
    input: { topics: [linesShape] },
    build(b) {
      b.stream(lines)
        .flatMapValues((line) => (line === null ? [] : line.split(' ')))
        .groupBy('by-word', (word) => word, { key: string, value: json<string>() })
        .count('words')
        .toStream()
        .to(results)
    },
  },
}
