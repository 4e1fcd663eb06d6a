/** Sliding windows; twins of java/SlidingAggregates.java. */

import { json, type StreamsBuilder, Suppressed, string, type TimeWindowedKStream, Windows } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, resultsOf, windowedResults } from './topics.ts'
import { trace, traced } from './trace.ts'

const input = { topics: [numbersShape] }

function sliding(b: StreamsBuilder, difference: number, grace: number): TimeWindowedKStream<string, number> {
  return b.stream(numbers).groupByKey().windowedBy(Windows.sliding(difference, { grace }))
}

export const slidingAggregates: Family = {
  count: {
    input,
    build(b) {
      sliding(b, 15, 10).count('counts').toStream().to(windowedResults(15))
    },
  },
  countWithoutGrace: {
    input,
    build(b) {
      sliding(b, 20, 0).count('counts').toStream().to(windowedResults(20))
    },
  },
  countWithLongGrace: {
    input,
    build(b) {
      sliding(b, 5, 200).count('counts').toStream().to(windowedResults(5))
    },
  },
  countOfNearlyAll: {
    input,
    build(b) {
      sliding(b, 300, 50).count('counts').toStream().to(windowedResults(300))
    },
  },
  countOfOneMillisecond: {
    input,
    build(b) {
      sliding(b, 1, 30).count('counts').toStream().to(windowedResults(1))
    },
  },
  reduce: {
    input,
    build(b) {
      sliding(b, 20, 30)
        .reduce('sums', (sum, n) => ((sum * 3) % 1000) + n)
        .toStream()
        .to(windowedResults(20))
    },
  },
  reduceToNull: {
    input,
    build(b) {
      sliding(b, 25, 50)
        .reduce('sums', (sum, n) => (sum + n > 8 ? (null as never) : sum + n))
        .toStream()
        .to(windowedResults(25))
    },
  },
  aggregate: {
    input,
    build(b) {
      sliding(b, 25, 75)
        .aggregate('traces', { ...traced(), init: () => '<' })
        .toStream()
        .to(windowedResults(25))
    },
  },
  aggregateOfOddDifference: {
    input,
    build(b) {
      sliding(b, 17, 13).aggregate('traces', traced()).toStream().to(windowedResults(17))
    },
  },
  aggregateToNull: {
    input,
    build(b) {
      sliding(b, 30, 20)
        .aggregate('traces', {
          init: (): string | null => '',
          add: (before, n, key) => (n > 6 || before === null ? null : trace(before, n, key)),
          serde: json,
        })
        .toStream()
        .to(windowedResults(30))
    },
  },
  groupedByValue: {
    input,
    build(b) {
      b.stream(numbers)
        .groupBy('by-value', (n) => (n === null ? (null as never) : `${n % 3}`), { key: string })
        .windowedBy(Windows.sliding(10, { grace: 15 }))
        .aggregate('traces', traced())
        .toStream()
        .to(windowedResults(10))
    },
  },
  filterThenMapValues: {
    input,
    build(b) {
      sliding(b, 15, 20)
        .count('counts')
        .filter((count) => count > 1n)
        .mapValues((count, { key }) => `${key}${count}`)
        .toStream()
        .to(windowedResults(15))
    },
  },
  suppressed: {
    input,
    build(b) {
      sliding(b, 15, 20)
        .count('counts')
        .suppress('final', Suppressed.untilWindowCloses('unbounded'))
        .toStream()
        .to(windowedResults(15))
    },
  },
  slidingOfSliding: {
    input,
    build(b) {
      sliding(b, 10, 25)
        .count('counts')
        .toStream()
        .map((count, { key }) => [key, Number(count)])
        .groupByKey({ key: string, value: json<number>() })
        .windowedBy(Windows.sliding(15, { grace: 5 }))
        .aggregate('traces', traced())
        .toStream()
        .map((value, { key, start }) => [`${key}${start % 100}`, value])
        .to(resultsOf('results'))
    },
  },
}
