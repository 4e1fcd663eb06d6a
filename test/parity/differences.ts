/** Where streamctl gives something else than Kafka Streams on purpose: all there is, each with the input that shows it. */

import { Suppressed, string, Windows } from 'streamctl'
import type { Difference } from './difference.ts'
import { streamJoinDifferences } from './differences-of-stream-joins.ts'
import type { JsonRecord } from './record.ts'
import { numbers, others, results, rows, sessionResults, windowedResults } from './topologies/topics.ts'

const keyed: JsonRecord = { topic: 'numbers', key: 'a', value: 1, timestamp: 5, headers: [] }
const keyless: JsonRecord = { topic: 'numbers', key: null, value: 2, timestamp: 6, headers: [] }

const row = (key: string, value: string, timestamp: number): JsonRecord => ({
  topic: 'rows',
  key,
  value,
  timestamp,
  headers: [],
})

const answer = (value: string, timestamp: number): JsonRecord => ({ ...row('a', value, timestamp), topic: 'results' })

const at = (timestamp: number): JsonRecord => ({ ...keyed, timestamp })

/** The update of a window of 10 ms. */
const counted = (start: number, count: number, timestamp: number): JsonRecord => ({
  ...keyed,
  topic: 'results',
  key: { key: 'a', start, end: start + 10 },
  value: count,
  timestamp,
})

const total = (key: string, value: number | null, timestamp: number): JsonRecord => ({
  ...at(timestamp),
  topic: 'results',
  key,
  value,
})

const session = (start: number, end: number, count: number): JsonRecord => ({
  ...counted(start, count, end),
  key: { key: 'a', start, end },
})

const firstThree = [counted(60, 1, 70), counted(89, 1, 99), counted(100, 1, 100), counted(90, 2, 100)]

/** By the name of the method in java/Differences.java. */
export const differences: Readonly<Record<string, Difference>> = {
  repartitionWithoutKey: {
    what: 'a record without key at repartition()',
    why: 'nothing after it may need a key, and data would be lost without a word; what needs one drops and counts it there',
    streamctl: {
      does: 'passes it on, round the partitions',
      output: [
        { ...keyed, topic: 'results' },
        { ...keyless, topic: 'results' },
      ],
    },
    kafkaStreams: {
      does: 'drops it, unless a left or outer join follows (KIP-962)',
      output: [{ ...keyed, topic: 'results' }],
    },
    input: [keyed, keyless],
    build(b) {
      b.stream(numbers).repartition('again').to(results)
    },
  },
  lateForACogroup: {
    what: 'a record of a cogrouped stream that lags behind the others, in a window',
    why: 'a table has one stream time: what suppress has called final stays so, whichever stream a record comes from',
    streamctl: {
      does: 'drops it as late when stream time over all streams has closed its window',
      output: [counted(0, 1, 0), counted(50, 1, 50)],
    },
    kafkaStreams: {
      does: 'takes it by the stream time of its own stream alone, and begins the closed window anew',
      output: [counted(0, 1, 0), counted(50, 1, 50), counted(0, 100, 5)],
    },
    input: [
      { ...keyed, timestamp: 0 },
      { ...keyed, timestamp: 50 },
      { ...keyed, topic: 'others', timestamp: 5 },
    ],
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .cogroup<number>((sum, n) => sum + n)
        .cogroup(b.stream(others).groupByKey(), (sum, n) => sum + n * 100)
        .windowedBy(Windows.tumbling(10, { grace: 0 }))
        .aggregate('sums', { init: () => 0, serde: numbers.value })
        .toStream()
        .to(windowedResults(10))
    },
  },
  oldValueOfFirstAggregate: {
    what: 'the old value beside the first aggregate of a key',
    why: 'there was no row: a filter must not delete one that nobody has seen, a table aggregate not subtract it',
    streamctl: { does: 'gives none', output: [] },
    kafkaStreams: {
      does: "gives the initializer's value",
      output: [{ topic: 'results', key: 'a', value: null, timestamp: 5, headers: [] }],
    },
    input: [keyed],
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .aggregate('sums', { init: () => 0, add: (sum, n) => sum + n, serde: numbers.value })
        .filter((sum) => sum === 0)
        .toStream()
        .to(results)
    },
  },
  oldValueOfSuppressed: {
    what: 'the old value beside an update that suppress lets go',
    why: 'what came and went while the key was held back nobody has seen: a join would read it, an aggregate of the table would subtract it',
    streamctl: { does: 'gives the value before the key was held back: the join finds no row yet', output: [] },
    kafkaStreams: {
      does: 'gives the value before the last update: the join finds a row that no update has made',
      output: [{ topic: 'results', key: 'a', value: '7 x', timestamp: 40, headers: [] }],
    },
    input: [
      row('a', 'x', 0),
      row('a', 'y', 10),
      row('b', 'z', 40),
      { topic: 'numbers', key: 'a', value: 7, timestamp: 40, headers: [] },
    ],
    build(b) {
      const calm = b
        .table(rows, { store: 'rows' })
        .suppress('calm', Suppressed.untilTimeLimit(30, 'unbounded'))
        .suppress('calmer', Suppressed.untilTimeLimit(100, 'unbounded'))
      b.stream(numbers)
        .join(calm, (n, row) => `${n} ${row}`)
        .to(results)
    },
  },
  suppressedRowOnItsWay: {
    what: 'a row of a suppressed table, read by what its own update leads to',
    why: 'the row of any other table is there before its update goes on',
    streamctl: {
      does: 'shows the new row',
      output: [{ topic: 'results', key: 'a', value: 'y y', timestamp: 10, headers: [] }],
    },
    kafkaStreams: {
      does: 'shows the row before, until the update has been passed on',
      output: [{ topic: 'results', key: 'a', value: 'y null', timestamp: 10, headers: [] }],
    },
    input: [row('a', 'x', 0), row('a', 'y', 10), row('b', 'z', 40)],
    build(b) {
      const calm = b.table(rows, { store: 'rows' }).suppress('calm', Suppressed.untilTimeLimit(30, 'unbounded'))
      calm
        .toStream()
        .leftJoin(calm, (one, other) => `${one} ${other}`)
        .to(results)
    },
  },
  deletedBeforeItWasThere: {
    what: 'the first update of a window, where a filter follows that the initial aggregate passes and the update does not',
    why: 'the row was never there: an initial aggregate, or that of a neighbouring sliding window, is no old value',
    streamctl: { does: 'says nothing', output: [] },
    kafkaStreams: {
      does: 'deletes it, since it takes the initial aggregate for an old row',
      output: [{ ...keyed, topic: 'results', key: { key: 'a', start: 0, end: 50 }, value: null }],
    },
    input: [keyed],
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .windowedBy(Windows.tumbling(50, { grace: 0 }))
        .count('counts')
        .filter((count) => count % 2n === 0n)
        .toStream()
        .to(windowedResults(50))
    },
  },
  subtractedBeforeItWasAdded: {
    what: 'the first update of an aggregate, where its table is grouped',
    why: 'the initial aggregate was never a row of the table, and never added to a group: subtracting it makes the totals wrong',
    streamctl: {
      does: 'adds the row to its group',
      output: [total('1', 1, 1), total('1', 0, 2), total('0', 1, 2), total('1', 1, 3)],
    },
    kafkaStreams: {
      does: 'subtracts the initial aggregate first: group 0 loses the row of a',
      output: [
        total('0', null, 1),
        total('1', 1, 1),
        total('1', 0, 2),
        total('0', 1, 2),
        total('0', 0, 3),
        total('1', 1, 3),
      ],
    },
    input: [at(1), at(2), { ...at(3), key: 'b' }],
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .count('counts')
        .groupBy('by-count', (count, key) => [`${count % 2n}`, key], { key: string, value: string })
        .count('keys-per-count')
        .toStream()
        .to(results)
    },
  },
  windowsThatAJumpCloses: {
    what: 'a final result whose window closed long before the record that closes it',
    why: 'a result that was promised must come; Kafka Streams deletes what is older than the retention of its store first, which on disk is a jump of minutes',
    streamctl: { does: 'emits it', output: [counted(0, 1, 5)] },
    kafkaStreams: { does: 'has deleted it', output: [] },
    input: [keyed, at(100)],
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .windowedBy(Windows.tumbling(10, { grace: 0 }))
        .count('counts', { emit: 'final' })
        .toStream()
        .to(windowedResults(10))
    },
  },
  sessionsThatWereFinal: {
    what: 'a record that is near a session whose final result is out, and not late itself',
    why: 'a result that is final does not come again, and a record counts in one of them',
    streamctl: {
      does: 'begins a session of its own',
      output: [session(0, 0, 1), session(10, 10, 1)],
    },
    kafkaStreams: {
      does: 'opens the closed session again, as long as its store still has it, and emits that too',
      output: [session(0, 0, 1), session(0, 10, 2)],
    },
    input: [at(0), { ...at(11), key: 'b' }, at(10), { ...at(21), key: 'b' }],
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .windowedBy(Windows.session(10, { grace: 0 }))
        .count('counts', { emit: 'final' })
        .toStream()
        .to(sessionResults)
    },
  },
  neighboursOfLateRecords: {
    what: 'a record just young enough for a sliding window, beside an older one of its window',
    why: 'a window holds what its key says it holds; Kafka Streams keeps rows for 2 time differences + grace, and looks for older ones',
    streamctl: {
      does: 'finds the window before it, so that both records are in theirs',
      output: [...firstThree, counted(71, 1, 80), counted(70, 2, 80)],
    },
    kafkaStreams: {
      does: 'has deleted the window before it, and leaves the older record out',
      output: [...firstThree, counted(70, 1, 80)],
    },
    input: [at(70), at(99), at(100), at(80)],
    build(b) {
      b.stream(numbers)
        .groupByKey()
        .windowedBy(Windows.sliding(10, { grace: 20 }))
        .count('counts')
        .toStream()
        .to(windowedResults(10))
    },
  },
  transformedOlderVersion: {
    what: 'an older version that comes late to a versioned table with transformed values behind it',
    why: 'the results are the rows as they are now; Kafka Streams keeps them by arrival, so that the older row stays',
    streamctl: {
      does: 'keeps the result of the newest version',
      output: [answer('X', 20)],
    },
    kafkaStreams: {
      does: 'transforms the older version and puts it in the place of the newer one',
      output: [answer('X', 20), answer('Y', 10)],
    },
    input: [row('a', 'x', 20), row('a', 'y', 10)],
    build(b) {
      b.table(rows, { store: 'rows', history: 100 })
        .transformValues('upper', { serde: string, transform: (row) => row?.toUpperCase() ?? null })
        .toStream()
        .to(results)
    },
  },
  ...streamJoinDifferences,
}
