/** Several grouped streams in one table; twins of java/Cogroup.java. */

import { type CogroupedKStream, json, type StreamsBuilder, Suppressed, string, Windows } from 'streamctl'
import type { Family } from '../twin.ts'
import {
  lines,
  linesShape,
  numbers,
  numbersShape,
  others,
  othersShape,
  results,
  sessionResults,
  windowedResults,
} from './topics.ts'
import { trace } from './trace.ts'

const two = { topics: [numbersShape, othersShape] }
const three = { topics: [numbersShape, othersShape, linesShape] }

const upper = (before: string, value: unknown, key: string): string => trace(before, value, key.toUpperCase())
const text = { init: () => '', serde: json<string>() }
/** Longer than any record is late: the two sides take another stream time for late ones (differences.ts). */
const grace = 400

function both(b: StreamsBuilder): CogroupedKStream<string, string> {
  return b.stream(numbers).groupByKey().cogroup<string>(trace).cogroup(b.stream(others).groupByKey(), upper)
}

export const cogroup: Family = {
  two: {
    input: two,
    build(b) {
      both(b).aggregate('traces', text).toStream().to(results)
    },
  },
  one: {
    input: { topics: [numbersShape] },
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .cogroup<string>(trace)
        .aggregate('traces', { ...text, init: () => '<' })
        .toStream()
        .to(results)
    },
  },
  threeOfOtherTypes: {
    input: three,
    build(b) {
      both(b)
        .cogroup(b.stream(lines).groupByKey(), (before, line) => trace(before, line.length, '.'))
        .aggregate('traces', text)
        .toStream()
        .to(results)
    },
  },
  toNull: {
    input: two,
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .cogroup<string | null>((before, n, key) => (n > 5 ? null : trace(before ?? '-', n, key)))
        .cogroup(b.stream(others).groupByKey(), (before, n, key) => (n === 0 ? null : upper(before ?? '-', n, key)))
        .aggregate('traces', { init: () => '', serde: json<string>() })
        .toStream()
        .to(results)
    },
  },
  rekeyed: {
    input: two,
    build(b) {
      b.stream(numbers)
        .groupBy('by-number', (n) => (n === null ? (null as never) : `${n % 3}`), { key: string })
        .cogroup<string>(trace)
        .cogroup(b.stream(others).groupByKey(), upper)
        .aggregate('traces', text)
        .toStream()
        .to(results)
    },
  },
  sameStream: {
    input: { topics: [numbersShape] },
    build(b) {
      const stream = b.stream(numbers)
      stream
        .groupByKey()
        .cogroup<string>(trace)
        .cogroup(stream.filter((n) => n !== null && n > 2).groupByKey(), upper)
        .aggregate('traces', text)
        .toStream()
        .to(results)
    },
  },
  filteredTable: {
    input: two,
    build(b) {
      both(b)
        .aggregate('traces', text)
        .filter((traced) => traced.length % 2 === 1)
        .toStream()
        .to(results)
    },
  },
  tumbling: {
    input: two,
    build(b) {
      both(b).windowedBy(Windows.tumbling(40, { grace })).aggregate('traces', text).toStream().to(windowedResults(40))
    },
  },
  // In time, so that windows close often: of what is late Kafka Streams has another opinion for each stream.
  suppressed: {
    input: { ...two, lateMs: 0 },
    build(b) {
      both(b)
        .windowedBy(Windows.tumbling(40, { grace: 0 }))
        .aggregate('traces', text)
        .suppress('held', Suppressed.untilWindowCloses('unbounded'))
        .toStream()
        .to(windowedResults(40))
    },
  },
  suppressedByTime: {
    input: two,
    build(b) {
      both(b)
        .aggregate('traces', text)
        .suppress('held', Suppressed.untilTimeLimit(30, 'unbounded'))
        .toStream()
        .to(results)
    },
  },
  hopping: {
    input: three,
    build(b) {
      both(b)
        .cogroup(b.stream(lines).groupByKey(), (before, line, key) => trace(before, line?.length ?? null, key))
        .windowedBy(Windows.hopping(50, { advance: 20, grace }))
        .aggregate('traces', text)
        .toStream()
        .to(windowedResults(50))
    },
  },
  sliding: {
    input: two,
    build(b) {
      both(b).windowedBy(Windows.sliding(20, { grace })).aggregate('traces', text).toStream().to(windowedResults(20))
    },
  },
  sessions: {
    input: two,
    build(b) {
      both(b)
        .windowedBy(Windows.session(10, { grace }))
        .aggregate('traces', { ...text, merge: (before, other) => `${before}(${other})`.slice(-24) })
        .toStream()
        .to(sessionResults)
    },
  },
}
