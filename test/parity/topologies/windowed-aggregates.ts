/** Tumbling and hopping windows; twins of java/WindowedAggregates.java. */

import { json, type StreamsBuilder, string, type TimeWindowedKStream, Windows } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, windowedResults } from './topics.ts'
import { trace, traced } from './trace.ts'

const input = { topics: [numbersShape] }

function tumbling(b: StreamsBuilder, grace: number): TimeWindowedKStream<string, number> {
  return b.stream(numbers).groupByKey().windowedBy(Windows.tumbling(50, { grace }))
}

function hopping(b: StreamsBuilder, size: number, advance: number, grace: number): TimeWindowedKStream<string, number> {
  return b.stream(numbers).groupByKey().windowedBy(Windows.hopping(size, { advance, grace }))
}

export const windowedAggregates: Family = {
  tumblingCount: {
    input,
    build(b) {
      tumbling(b, 0).count('counts').toStream().to(windowedResults(50))
    },
  },
  tumblingReduce: {
    input,
    build(b) {
      tumbling(b, 30)
        .reduce('sums', (sum, n) => ((sum * 3) % 1000) + (n === null ? 500 : n))
        .toStream()
        .to(windowedResults(50))
    },
  },
  tumblingAggregate: {
    input,
    build(b) {
      tumbling(b, 75).aggregate('traces', traced()).toStream().to(windowedResults(50))
    },
  },
  tumblingAggregateToNull: {
    input,
    build(b) {
      tumbling(b, 75)
        .aggregate('traces', {
          init: (): string | null => '',
          add: (before, n, key) => (n === null || n > 6 || before === null ? null : trace(before, n, key)),
          serde: json,
        })
        .toStream()
        .to(windowedResults(50))
    },
  },
  hoppingCount: {
    input,
    build(b) {
      hopping(b, 50, 25, 0).count('counts').toStream().to(windowedResults(50))
    },
  },
  hoppingReduce: {
    input,
    build(b) {
      hopping(b, 60, 20, 100)
        .reduce('sums', (sum, n) => (n === null || sum + n > 12 ? (null as never) : sum + n))
        .toStream()
        .to(windowedResults(60))
    },
  },
  hoppingAggregate: {
    input,
    build(b) {
      hopping(b, 50, 17, 40).aggregate('traces', traced()).toStream().to(windowedResults(50))
    },
  },
  groupedByValue: {
    input,
    build(b) {
      b.stream(numbers)
        .groupBy('by-value', (n) => (n === null ? (null as never) : `${n % 3}`), { key: string })
        .windowedBy(Windows.tumbling(40, { grace: 20 }))
        .aggregate('traces', traced())
        .toStream()
        .to(windowedResults(40))
    },
  },
  twoSizes: {
    input,
    build(b) {
      const grouped = b.stream(numbers).groupByKey()
      const small = grouped.windowedBy(Windows.tumbling(20, { grace: 10 })).count('small')
      small.toStream().to(windowedResults(20, 'first'))
      const large = grouped.windowedBy(Windows.tumbling(200, { grace: '1s' })).count('large')
      large.toStream().to(windowedResults(200))
    },
  },
  countOfCounts: {
    input,
    build(b) {
      hopping(b, 50, 25, 25)
        .count('counts')
        .toStream()
        .map((count, { key, start }) => [`${key}${start % 100}`, Number(count)])
        .groupByKey({ key: string, value: json<number>() })
        .windowedBy(Windows.tumbling(100, { grace: 10 }))
        .aggregate('traces', traced())
        .toStream()
        .to(windowedResults(100))
    },
  },
}
