/** Windows that are passed on when they close; twins of java/EmitFinal.java. */

import { json, type StreamsBuilder, string, Windows } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, resultsOf, sessionResults, windowedResults } from './topics.ts'
import { traced } from './trace.ts'

const input = { topics: [numbersShape] }
/** No record comes near a session that is closed, which Kafka Streams would open again (differences.ts). */
const inTime = { ...input, lateMs: 0 }
const nearlyInTime = { ...input, lateMs: 40 }
const emit = 'final'

const grouped = (b: StreamsBuilder) => b.stream(numbers).groupByKey()
const merge = (before: string, other: string, key: string): string => `${before}(${key}${other})`.slice(-24)

export const emitFinal: Family = {
  tumblingCount: {
    input,
    build(b) {
      const counts = grouped(b)
        .windowedBy(Windows.tumbling(20, { grace: 0 }))
        .count('counts', { emit })
      counts.toStream().to(windowedResults(20))
    },
  },
  tumblingAggregate: {
    input,
    build(b) {
      const traces = grouped(b)
        .windowedBy(Windows.tumbling(25, { grace: 35 }))
        .aggregate('traces', { ...traced(), emit })
      traces.toStream().to(windowedResults(25))
    },
  },
  tumblingReduceToNull: {
    input,
    build(b) {
      const sums = grouped(b)
        .windowedBy(Windows.tumbling(30, { grace: 20 }))
        .reduce('sums', (sum, n) => (n === null || sum + n > 6 ? (null as never) : sum + n), { emit })
      sums.toStream().to(windowedResults(30))
    },
  },
  hoppingCount: {
    input,
    build(b) {
      const counts = grouped(b)
        .windowedBy(Windows.hopping(50, { advance: 10, grace: 5 }))
        .count('counts', { emit })
      counts.toStream().to(windowedResults(50))
    },
  },
  hoppingAggregate: {
    input,
    build(b) {
      const traces = grouped(b)
        .windowedBy(Windows.hopping(40, { advance: 17, grace: 60 }))
        .aggregate('traces', { ...traced(), emit })
      traces.toStream().to(windowedResults(40))
    },
  },
  slidingCount: {
    input,
    build(b) {
      const counts = grouped(b)
        .windowedBy(Windows.sliding(15, { grace: 0 }))
        .count('counts', { emit })
      counts.toStream().to(windowedResults(15))
    },
  },
  slidingAggregate: {
    input,
    build(b) {
      const traces = grouped(b)
        .windowedBy(Windows.sliding(20, { grace: 45 }))
        .aggregate('traces', { ...traced(), emit })
      traces.toStream().to(windowedResults(20))
    },
  },
  slidingReduceToNull: {
    input,
    build(b) {
      const sums = grouped(b)
        .windowedBy(Windows.sliding(25, { grace: 20 }))
        .reduce('sums', (sum, n) => (sum + n > 8 ? (null as never) : sum + n), { emit })
      sums.toStream().to(windowedResults(25))
    },
  },
  sessionCount: {
    input: inTime,
    build(b) {
      const counts = grouped(b)
        .windowedBy(Windows.session(10, { grace: 5 }))
        .count('counts', { emit })
      counts.toStream().to(sessionResults)
    },
  },
  sessionAggregate: {
    input: nearlyInTime,
    build(b) {
      const traces = grouped(b)
        .windowedBy(Windows.session(5, { grace: 60 }))
        .aggregate('traces', { ...traced(), init: () => '<', merge, emit })
      traces.toStream().to(sessionResults)
    },
  },
  sessionReduceToNull: {
    input: nearlyInTime,
    build(b) {
      const sums = grouped(b)
        .windowedBy(Windows.session(7, { grace: 45 }))
        .reduce('sums', (sum, n) => (n === null || sum + n > 8 ? (null as never) : sum + n), { emit })
      sums.toStream().to(sessionResults)
    },
  },
  countOfFinalCounts: {
    input,
    build(b) {
      grouped(b)
        .windowedBy(Windows.tumbling(10, { grace: 10 }))
        .count('counts', { emit })
        .toStream()
        .map((count, { key }) => [key, Number(count)])
        .groupByKey({ key: string, value: json<number>() })
        .windowedBy(Windows.hopping(30, { advance: 15, grace: 5 }))
        .aggregate('traces', { ...traced(), emit })
        .toStream()
        .map((value, { key, end }) => [`${key}${end % 100}`, value])
        .to(resultsOf('results'))
    },
  },
}
