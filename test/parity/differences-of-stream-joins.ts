/** Where joins of two streams differ; `compat: 'kafka-streams'` gives what Kafka Streams gives in each of these. */

import { type JoinWindows, type StreamsBuilder, Windows } from 'streamctl'
import type { Difference } from './difference.ts'
import type { JsonRecord } from './record.ts'
import { numbers, others, results } from './topologies/topics.ts'

const left = (key: string, timestamp: number): JsonRecord => ({
  ...{ topic: 'numbers', key, value: timestamp },
  ...{ timestamp, headers: [] },
})
const right = (key: string, timestamp: number): JsonRecord => ({ ...left(key, timestamp), topic: 'others' })
const result = (key: string, value: string, timestamp: number): JsonRecord => ({
  ...{ topic: 'results', key, value: `${key}${value}` },
  ...{ timestamp, headers: [] },
})

const pair = (value: number | null, other: number | null, key: string): string => `${key}${value}/${other}`

function inner(windows: JoinWindows): (b: StreamsBuilder) => void {
  return (b) => {
    b.stream(numbers).join(b.stream(others), pair, windows, { name: 'pairs' }).to(results)
  }
}

function leftJoin(windows: JoinWindows): (b: StreamsBuilder) => void {
  return (b) => {
    b.stream(numbers).leftJoin(b.stream(others), pair, windows, { name: 'pairs' }).to(results)
  }
}

export const streamJoinDifferences: Readonly<Record<string, Difference>> = {
  joinOfLateRecord: {
    what: 'a record of a stream-stream join that is late: its window is closed, and the grace over',
    why: 'it is what grace is for, and what the documentation of both says (KAFKA-16123)',
    streamctl: { does: 'drops it and counts it as late', output: [] },
    kafkaStreams: { does: 'joins it with what it still has', output: [result('a', '4/0', 4)] },
    input: [right('a', 0), left('b', 15), left('a', 4)],
    build: inner(Windows.join(10, { grace: 0 })),
  },
  joinWithinGrace: {
    what: 'a record without a match that comes after the end of its window, but within the grace',
    why: 'a match may still come: given out alone before, it would be told twice, and differently (KAFKA-19536)',
    streamctl: { does: 'waits until the grace is over', output: [result('b', '60/65', 65)] },
    kafkaStreams: {
      does: 'gives it out alone at once, and again when the match comes',
      output: [result('b', '60/null', 60), result('b', '60/65', 65)],
    },
    input: [left('a', 100), left('b', 60), right('b', 65)],
    build: leftJoin(Windows.join(10, { grace: 50 })),
  },
  joinAfterTheEnd: {
    what: 'a record whose match comes after it was given out alone',
    why: 'what was given out alone is final, so that whoever reads it need not wait for a second opinion',
    streamctl: { does: 'matches nothing any more', output: [result('a', '100/null', 100)] },
    kafkaStreams: {
      does: 'is joined all the same, while the match is in time by its own window',
      output: [result('a', '100/null', 100), result('a', '100/105', 105)],
    },
    input: [left('a', 100), left('b', 111), right('a', 105)],
    build: leftJoin(Windows.join(10, { grace: 0 })),
  },
  joinAsSoonAsDue: {
    what: 'when records without a match are given out, while others wait behind them',
    why: 'a result should not depend on which records happen to be looked at together',
    streamctl: {
      does: 'each at the first record that moves stream time past its window and grace',
      output: [result('a', '0/null', 0), result('b', '5/null', 5)],
    },
    kafkaStreams: {
      does: 'after a look, not before the last record that was looked at is due',
      output: [result('a', '0/null', 0)],
    },
    input: [left('a', 0), left('b', 5), left('c', 8), left('d', 11), left('e', 17)],
    build: leftJoin(Windows.join(10, { grace: 0 })),
  },
  joinOfEqualTimes: {
    what: 'a join window of 0 without grace',
    why: 'the window holds equal timestamps; that a row is in reach for before + after + grace must not make that none',
    streamctl: { does: 'joins equal timestamps', output: [result('a', '5/5', 5)] },
    kafkaStreams: { does: 'joins nothing', output: [] },
    input: [left('a', 5), right('a', 5)],
    build: inner(Windows.join(0, { grace: 0 })),
  },
  joinBeforeTheEpoch: {
    what: 'a join window that ends before 1970',
    why: 'no record lies in it',
    streamctl: { does: 'matches nothing', output: [] },
    kafkaStreams: { does: 'lets it end at 0, and matches what lies there', output: [result('a', '3/0', 3)] },
    input: [right('a', 0), left('a', 3)],
    build: inner(Windows.join(20, { after: -10, grace: 100 })),
  },
}
