/** Updates held back; twins of java/Suppress.java. */

import { type KGroupedStream, type StreamsBuilder, Suppressed, string, Windows } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, results, rows, rowsShape, sessionResults, windowedResults } from './topics.ts'
import { traced } from './trace.ts'

const input = { topics: [numbersShape] }
const untilClosed = Suppressed.untilWindowCloses('unbounded')

function grouped(b: StreamsBuilder): KGroupedStream<string, number> {
  return b.stream(numbers).groupByKey()
}

export const suppress: Family = {
  tumbling: {
    input,
    build(b) {
      grouped(b)
        .windowedBy(Windows.tumbling(50, { grace: 0 }))
        .count('counts')
        .suppress('final', untilClosed)
        .toStream()
        .to(windowedResults(50))
    },
  },
  tumblingWithGrace: {
    input,
    build(b) {
      grouped(b)
        .windowedBy(Windows.tumbling(20, { grace: 60 }))
        .aggregate('traces', traced())
        .suppress('final', untilClosed)
        .toStream()
        .to(windowedResults(20))
    },
  },
  hopping: {
    input,
    build(b) {
      grouped(b)
        .windowedBy(Windows.hopping(50, { advance: 20, grace: 35 }))
        .aggregate('traces', traced())
        .suppress('final', untilClosed)
        .toStream()
        .to(windowedResults(50))
    },
  },
  sessions: {
    input,
    build(b) {
      grouped(b)
        .windowedBy(Windows.session(15, { grace: 25 }))
        .aggregate('traces', { ...traced(), merge: (before, other) => `${before}(${other})`.slice(-24) })
        .suppress('final', untilClosed)
        .toStream()
        .to(sessionResults)
    },
  },
  derived: {
    input,
    build(b) {
      grouped(b)
        .windowedBy(Windows.tumbling(40, { grace: 30 }))
        .count('counts')
        .filter((count) => count % 3n !== 2n)
        .mapValues((count, { key }) => `${key}${count}`)
        .suppress('final', untilClosed, { serde: string })
        .toStream()
        .to(windowedResults(40))
    },
  },
  windowsUntilTimeLimit: {
    input,
    build(b) {
      grouped(b)
        .windowedBy(Windows.tumbling(40, { grace: 60 }))
        .aggregate('traces', traced())
        .suppress('calm', Suppressed.untilTimeLimit(15, 'unbounded'))
        .toStream()
        .to(windowedResults(40))
    },
  },
  sessionsUntilTimeLimit: {
    input,
    build(b) {
      grouped(b)
        .windowedBy(Windows.session(10, { grace: 40 }))
        .count('counts')
        .suppress('calm', Suppressed.untilTimeLimit(20, 'unbounded'))
        .toStream()
        .to(sessionResults)
    },
  },
  table: {
    input: { topics: [rowsShape] },
    build(b) {
      b.table(rows, { store: 'rows' })
        .suppress('calm', Suppressed.untilTimeLimit(30, 'unbounded'))
        .toStream()
        .to(results)
    },
  },
  tableWithoutDelay: {
    input: { topics: [rowsShape] },
    build(b) {
      b.table(rows, { store: 'rows' })
        .suppress('calm', Suppressed.untilTimeLimit(0, { maxRecords: 1, whenFull: 'stop' }))
        .toStream()
        .to(results)
    },
  },
  emittedEarly: {
    input,
    build(b) {
      grouped(b)
        .aggregate('traces', traced())
        .suppress('calm', Suppressed.untilTimeLimit(500, { maxRecords: 2, whenFull: 'emit' }))
        .toStream()
        .to(results)
    },
  },
  windowsEmittedEarly: {
    input,
    build(b) {
      grouped(b)
        .windowedBy(Windows.hopping(60, { advance: 20, grace: 100 }))
        .count('counts')
        .suppress('calm', Suppressed.untilTimeLimit(60, { maxRecords: 3, whenFull: 'emit' }))
        .toStream()
        .to(windowedResults(60))
    },
  },
  twice: {
    input: { topics: [rowsShape] },
    build(b) {
      b.table(rows, { store: 'rows' })
        .suppress('calm', Suppressed.untilTimeLimit(20, 'unbounded'))
        .mapValues((row) => `${row}!`)
        .suppress('calmer', Suppressed.untilTimeLimit(50, 'unbounded'), { serde: string })
        .toStream()
        .to(results)
    },
  },
  joined: {
    input: { topics: [numbersShape, { ...rowsShape, weight: 3 }] },
    build(b) {
      const calm = b.table(rows, { store: 'rows' }).suppress('calm', Suppressed.untilTimeLimit(25, 'unbounded'))
      b.stream(numbers)
        .leftJoin(calm, (n, row) => `${n} ${row}`)
        .to(results)
    },
  },
  joinedAfterMapValues: {
    input: { topics: [numbersShape, { ...rowsShape, weight: 3 }] },
    build(b) {
      const lengths = b
        .table(rows, { store: 'rows' })
        .suppress('calm', Suppressed.untilTimeLimit(40, { maxRecords: 2, whenFull: 'emit' }))
        .mapValues((row) => row.length)
      b.stream(numbers)
        .join(lengths, (n, length) => `${n} ${length}`)
        .to(results)
    },
  },
}
