/** Session windows; twins of java/SessionAggregates.java. */

import { json, type SessionWindowedKStream, type StreamsBuilder, string, Windows } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, resultsOf, sessionResults } from './topics.ts'
import { trace, traced } from './trace.ts'

const input = { topics: [numbersShape] }

function sessions(b: StreamsBuilder, gap: number, grace: number): SessionWindowedKStream<string, number> {
  return b.stream(numbers).groupByKey().windowedBy(Windows.session(gap, { grace }))
}

const merge = (before: string, other: string, key: string): string => `${before}(${key}${other})`.slice(-24)

export const sessionAggregates: Family = {
  count: {
    input,
    build(b) {
      sessions(b, 15, 10).count('counts').toStream().to(sessionResults)
    },
  },
  countWithoutGrace: {
    input,
    build(b) {
      sessions(b, 10, 0).count('counts').toStream().to(sessionResults)
    },
  },
  countWithLongGrace: {
    input,
    build(b) {
      sessions(b, 5, 200).count('counts').toStream().to(sessionResults)
    },
  },
  reduce: {
    input,
    build(b) {
      sessions(b, 20, 30)
        .reduce('sums', (sum, n) => ((sum * 3) % 1000) + (n === null ? 500 : n))
        .toStream()
        .to(sessionResults)
    },
  },
  reduceToNull: {
    input,
    build(b) {
      sessions(b, 10, 50)
        .reduce('sums', (sum, n) => (n === null || sum + n > 8 ? (null as never) : sum + n))
        .toStream()
        .to(sessionResults)
    },
  },
  aggregate: {
    input,
    build(b) {
      sessions(b, 10, 75)
        .aggregate('traces', { ...traced(), init: () => '<', merge })
        .toStream()
        .to(sessionResults)
    },
  },
  aggregateOfOddGap: {
    input,
    build(b) {
      sessions(b, 17, 13)
        .aggregate('traces', { ...traced(), merge })
        .toStream()
        .to(sessionResults)
    },
  },
  aggregateToNull: {
    input,
    build(b) {
      sessions(b, 15, 20)
        .aggregate('traces', {
          init: (): string | null => '',
          add: (before, n, key) => (n === null || n > 6 || before === null ? null : trace(before, n, key)),
          merge: (before, other, key) => (before === null ? null : merge(before, other, key)),
          serde: json,
        })
        .toStream()
        .to(sessionResults)
    },
  },
  groupedByValue: {
    input,
    build(b) {
      b.stream(numbers)
        .groupBy('by-value', (n) => (n === null ? (null as never) : `${n % 3}`), { key: string })
        .windowedBy(Windows.session(5, { grace: 15 }))
        .aggregate('traces', { ...traced(), merge })
        .toStream()
        .to(sessionResults)
    },
  },
  filterThenMapValues: {
    input,
    build(b) {
      sessions(b, 10, 20)
        .count('counts')
        .filter((count) => count % 2n === 0n)
        .mapValues((count, { key }) => `${key}${count}`)
        .toStream()
        .to(sessionResults)
    },
  },
  sessionsOfSessions: {
    input,
    build(b) {
      sessions(b, 5, 25)
        .count('counts')
        .toStream()
        .map((count, { key }) => [key, count === null ? (null as never) : Number(count)])
        .groupByKey({ key: string, value: json<number>() })
        .windowedBy(Windows.session(25, { grace: 5 }))
        .aggregate('traces', { ...traced(), merge })
        .toStream()
        .map((value, { key, end }) => [`${key}${end % 100}`, value])
        .to(resultsOf('results'))
    },
  },
}
