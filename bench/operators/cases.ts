/** Every operator that is measured: a line each, in the order of docs/operators.md. A test says which one is missing. */

import { type KStream, otherwise, type StreamsBuilder, Suppressed, store, Windows } from '../../src/index.ts'
import { numbers, type OperatorCase, others, results, type WidthCase } from './case.ts'

const read = (b: StreamsBuilder): KStream<string, number> => b.stream(numbers)
const table = (b: StreamsBuilder) => b.table(numbers, { store: 'numbers' })
const byRest = (b: StreamsBuilder) =>
  table(b).groupBy('by-rest', (n) => [n % 10, n], { key: numbers.value, value: numbers.value })
const grouped = (b: StreamsBuilder) => read(b).groupByKey()
const minutes = Windows.tumbling('1m', { grace: '1m' })
const hops = Windows.hopping('1m', { advance: '12s', grace: '1m' })
const visits = Windows.session('30s', { grace: '1m' })
const second = Windows.join('1s', { grace: '1s' })
const sum = { init: () => 0, add: (total: number, n: number) => total + n, serde: numbers.value }
const sums = { ...sum, merge: (total: number, other: number) => total + other }
const cogrouped = (b: StreamsBuilder) => grouped(b).cogroup(sum.add).cogroup(b.stream(others).groupByKey(), sum.add)

/** Ends a stream, so that what comes out of the operator is passed on once and costs nothing more. */
const seen = (stream: { foreach: (action: () => void) => void }): void => stream.foreach(() => undefined)

export const cases: readonly OperatorCase[] = [
  { name: 'stream', build: (b) => seen(read(b)) },
  { name: 'filter', build: (b) => seen(read(b).filter((n) => n >= 0)) },
  { name: 'filterNot', build: (b) => seen(read(b).filterNot((n) => n < 0)) },
  { name: 'map', build: (b) => seen(read(b).map((n, key) => [key, n + 1])) },
  { name: 'mapValues', build: (b) => seen(read(b).mapValues((n) => n + 1)) },
  {
    // A result that is there at once: what waiting costs is not the operator's.
    name: 'mapAsync',
    build: (b) => seen(read(b).mapAsync('next', ((n: number) => n + 1) as unknown as (n: number) => Promise<number>)),
  },
  { name: 'flatMap', build: (b) => seen(read(b).flatMap((n, key) => [[key, n + 1] as const])) },
  { name: 'flatMapValues', build: (b) => seen(read(b).flatMapValues((n) => [n + 1])) },
  { name: 'selectKey', build: (b) => seen(read(b).selectKey((n) => n)) },
  { name: 'peek', build: (b) => seen(read(b).peek(() => undefined)) },
  { name: 'foreach', build: (b) => void [seen(read(b)), seen(read(b))] },
  { name: 'merge', reads: 'both', build: (b) => seen(read(b).merge(b.stream(others))) },
  {
    name: 'split',
    build: (b) => {
      const { low, rest } = read(b).split({ low: (n) => n < 50, rest: otherwise })
      seen(low)
      seen(rest)
    },
  },
  // A record each ms, 100 keys: one in ten is a duplicate, or over the limit.
  { name: 'dedupe', build: (b) => seen(read(b).dedupe('once', { within: 100 })) },
  {
    name: 'rateLimit',
    build: (b) => {
      const { within, over } = read(b).rateLimit('limit', { limit: 9, per: '1s' })
      seen(within)
      seen(over)
    },
  },
  {
    name: 'process',
    build: (b) =>
      seen(
        read(b).process('sums', {
          stores: { sums: store({ key: numbers.key, value: numbers.value }) },
          out: numbers,
          on({ key, value }, { stores, forward }) {
            const total = (stores.sums.get(key) ?? 0) + value
            stores.sums.put(key, total)
            forward(key, total)
          },
        }),
      ),
  },
  {
    name: 'processValues',
    build: (b) =>
      seen(read(b).processValues('next', { out: numbers, on: ({ value }, { forward }) => forward(value + 1) })),
  },
  { name: 'to', build: (b) => read(b).to(results) },
  { name: 'print', build: (b) => read(b).print({ limit: 0 }) },
  { name: 'repartition', build: (b) => seen(read(b).repartition('again')) },
  { name: 'table', build: (b) => seen(table(b).toStream()) },
  { name: 'table with a ttl', build: (b) => seen(b.table(numbers, { store: 'numbers', ttl: '1m' }).toStream()) },
  { name: 'toTable', build: (b) => seen(read(b).toTable('rows').toStream()) },
  {
    name: 'KTable.filter',
    over: 'table',
    build: (b) =>
      seen(
        table(b)
          .filter((n) => n >= 0)
          .toStream(),
      ),
  },
  {
    name: 'KTable.filterNot',
    over: 'table',
    build: (b) =>
      seen(
        table(b)
          .filterNot((n) => n < 0)
          .toStream(),
      ),
  },
  {
    name: 'KTable.mapValues',
    over: 'table',
    build: (b) =>
      seen(
        table(b)
          .mapValues((n) => n + 1)
          .toStream(),
      ),
  },
  {
    name: 'join',
    reads: 'table first',
    build: (b) => seen(read(b).join(b.table(others, { store: 'rows' }), (n, row) => n + row)),
  },
  {
    name: 'leftJoin',
    reads: 'table first',
    build: (b) => seen(read(b).leftJoin(b.table(others, { store: 'rows' }), (n, row) => n + (row ?? 0))),
  },
  {
    name: 'globalTable',
    reads: 'table first',
    build: (b) => {
      const table = b.globalTable(others, { store: 'rows' })
      seen(
        read(b).leftJoin(
          table,
          (_n, key) => key,
          (n, row) => n + (row ?? 0),
        ),
      )
    },
  },
  {
    name: 'join of streams',
    reads: 'both',
    over: 'merge',
    build: (b) => seen(read(b).join(b.stream(others), (n, other) => n + other, second, { name: 'pairs' })),
  },
  {
    name: 'leftJoin of streams',
    reads: 'both',
    over: 'merge',
    build: (b) => seen(read(b).leftJoin(b.stream(others), (n, other) => n + (other ?? 0), second, { name: 'pairs' })),
  },
  {
    name: 'outerJoin',
    reads: 'both',
    over: 'merge',
    build: (b) => {
      const joiner = (n: number | null, other: number | null) => (n ?? 0) + (other ?? 0)
      seen(read(b).outerJoin(b.stream(others), joiner, second, { name: 'pairs' }))
    },
  },
  {
    name: 'KTable.join',
    over: 'table',
    reads: 'table first',
    build: (b) =>
      seen(
        table(b)
          .join(b.table(others, { store: 'others' }), (n, row) => n + row)
          .toStream(),
      ),
  },
  {
    name: 'KTable.leftJoin',
    over: 'table',
    reads: 'table first',
    build: (b) =>
      seen(
        table(b)
          .leftJoin(b.table(others, { store: 'others' }), (n, row) => n + (row ?? 0))
          .toStream(),
      ),
  },
  {
    name: 'KTable.outerJoin',
    over: 'table',
    reads: 'table first',
    build: (b) =>
      seen(
        table(b)
          .outerJoin(b.table(others, { store: 'others' }), (n, row) => (n ?? 0) + (row ?? 0))
          .toStream(),
      ),
  },
  {
    name: 'KTable.transformValues',
    over: 'table',
    build: (b) =>
      seen(
        table(b)
          .transformValues('sums', {
            stores: { sums: store({ key: numbers.key, value: numbers.value }) },
            serde: numbers.value,
            transform(n, key, { stores }) {
              const total = (stores.sums.get(key) ?? 0) + (n ?? 0)
              stores.sums.put(key, total)
              return total
            },
          })
          .toStream(),
      ),
  },
  {
    name: 'KTable.join by a foreign key',
    over: 'table',
    reads: 'table first',
    build: (b) =>
      seen(
        table(b)
          .join(b.table(others, { store: 'others' }), {
            name: 'joined',
            foreignKey: (_, key) => key,
            joiner: (n, row) => n + row,
            serde: numbers.value,
          })
          .toStream(),
      ),
  },
  { name: 'KTable.groupBy', over: 'table', build: (b) => void byRest(b) },
  {
    name: 'KGroupedTable.count',
    over: 'table',
    build: (b) => seen(byRest(b).count('rows-per-rest').toStream()),
  },
  {
    name: 'KGroupedTable.reduce',
    over: 'table',
    build: (b) =>
      seen(
        byRest(b)
          .reduce(
            'totals',
            (total, n) => total + n,
            (total, n) => total - n,
          )
          .toStream(),
      ),
  },
  {
    name: 'KGroupedTable.aggregate',
    over: 'table',
    build: (b) =>
      seen(
        byRest(b)
          .aggregate('totals', { ...sum, subtract: (total, n) => total - n })
          .toStream(),
      ),
  },
  { name: 'count with a ttl', build: (b) => seen(grouped(b).count('counts', { ttl: '1m' }).toStream()) },
  { name: 'count', build: (b) => seen(grouped(b).count('counts').toStream()) },
  {
    name: 'reduce',
    build: (b) =>
      seen(
        grouped(b)
          .reduce('sums', (total, n) => total + n)
          .toStream(),
      ),
  },
  { name: 'aggregate', build: (b) => seen(grouped(b).aggregate('sums', sum).toStream()) },
  {
    name: 'groupBy',
    build: (b) => {
      const byLast = read(b).groupBy('by-last', (n) => n % 10, { key: numbers.value })
      seen(byLast.count('counts').toStream())
    },
  },
  {
    name: 'TimeWindowedKStream.count',
    build: (b) => seen(grouped(b).windowedBy(minutes).count('counts').toStream()),
  },
  {
    name: 'TimeWindowedKStream.reduce',
    build: (b) =>
      seen(
        grouped(b)
          .windowedBy(minutes)
          .reduce('sums', (total, n) => total + n)
          .toStream(),
      ),
  },
  {
    name: 'TimeWindowedKStream.aggregate',
    build: (b) => seen(grouped(b).windowedBy(minutes).aggregate('sums', sum).toStream()),
  },
  {
    name: 'TimeWindowedKStream.aggregate, 5 windows a record',
    build: (b) => seen(grouped(b).windowedBy(hops).aggregate('sums', sum).toStream()),
  },
  {
    name: 'TimeWindowedKStream.count, sliding',
    build: (b) =>
      seen(
        grouped(b)
          .windowedBy(Windows.sliding('10s', { grace: '1m' }))
          .count('counts')
          .toStream(),
      ),
  },
  {
    name: 'final count of windows',
    build: (b) => seen(grouped(b).windowedBy(minutes).count('counts', { emit: 'final' }).toStream()),
  },
  {
    name: 'SessionWindowedKStream.count',
    build: (b) => seen(grouped(b).windowedBy(visits).count('counts').toStream()),
  },
  {
    name: 'KTable.suppress',
    over: 'TimeWindowedKStream.count',
    build: (b) =>
      seen(
        grouped(b)
          .windowedBy(minutes)
          .count('counts')
          .suppress('final', Suppressed.untilWindowCloses('unbounded'))
          .toStream(),
      ),
  },
  {
    name: 'SessionWindowedKStream.reduce',
    build: (b) =>
      seen(
        grouped(b)
          .windowedBy(visits)
          .reduce('sums', (total, n) => total + n)
          .toStream(),
      ),
  },
  {
    name: 'SessionWindowedKStream.aggregate',
    build: (b) => seen(grouped(b).windowedBy(visits).aggregate('sums', sums).toStream()),
  },
  { name: 'cogroup', build: (b) => seen(grouped(b).cogroup(sum.add).aggregate('sums', sum).toStream()) },
  {
    name: 'CogroupedKStream.cogroup',
    reads: 'both',
    build: (b) => seen(cogrouped(b).aggregate('sums', sum).toStream()),
  },
  { name: 'CogroupedKStream.aggregate', build: (b) => seen(cogrouped(b).aggregate('sums', sum).toStream()) },
  {
    name: 'TimeWindowedCogroupedKStream.aggregate',
    build: (b) => seen(cogrouped(b).windowedBy(minutes).aggregate('sums', sum).toStream()),
  },
  {
    name: 'SessionWindowedCogroupedKStream.aggregate',
    build: (b) => seen(cogrouped(b).windowedBy(visits).aggregate('sums', sums).toStream()),
  },
]

export const widthCases: readonly WidthCase[] = [
  {
    name: 'KTable.suppress',
    summary: 'windows of 1 s of one key, all of them held back under the grace; a record meets one',
    narrow: 10_000,
    wide: 1_000_000,
    stepMs: 100,
    build: (b, grace) =>
      seen(
        grouped(b)
          .windowedBy(Windows.tumbling('1s', { grace }))
          .count('counts')
          .suppress('final', Suppressed.untilWindowCloses('unbounded'))
          .toStream(),
      ),
  },
  {
    name: 'TimeWindowedKStream.count',
    summary: 'windows of 1 s of one key, all of them open under the grace; a record meets one',
    narrow: 10_000,
    wide: 1_000_000,
    stepMs: 100,
    build: (b, grace) => seen(grouped(b).windowedBy(Windows.tumbling('1s', { grace })).count('counts').toStream()),
  },
  {
    name: 'leftJoin, as of its time',
    summary:
      'a versioned table of one key, all versions of which are kept; a record looks one up, and each other one is an update',
    narrow: 10_000,
    wide: 1_000_000,
    stepMs: 100,
    reads: 'both',
    build: (b, history) =>
      seen(read(b).leftJoin(b.table(others, { store: 'rows', history }), (n, row) => n + (row ?? 0))),
  },
  {
    name: 'final count of windows',
    summary:
      'windows of 1 s of one key, all of them open under the grace; a record meets one, and closes one in ten times',
    narrow: 10_000,
    wide: 1_000_000,
    stepMs: 100,
    build: (b, grace) => {
      const counts = grouped(b).windowedBy(Windows.tumbling('1s', { grace })).count('counts', { emit: 'final' })
      seen(counts.toStream())
    },
  },
  {
    name: 'final count of sessions',
    summary: 'sessions of one key with a record each, all of them open under the grace; a record meets none',
    narrow: 1000,
    wide: 100_000,
    stepMs: 10,
    build: (b, grace) => {
      const visits = grouped(b).windowedBy(Windows.session(5, { grace })).count('counts', { emit: 'final' })
      seen(visits.toStream())
    },
  },
  {
    name: 'join',
    summary: 'two streams of one key, all records of which are kept under the grace; a record meets one',
    narrow: 10_000,
    wide: 1_000_000,
    stepMs: 100,
    reads: 'both',
    build: (b, grace) => {
      const windows = Windows.join(100, { grace })
      seen(read(b).join(b.stream(others), (n, other) => n + other, windows, { name: 'pairs' }))
    },
  },
  {
    name: 'outerJoin',
    summary: 'two streams of one key, no record of which meets another; all of them wait under the grace',
    narrow: 10_000,
    wide: 1_000_000,
    stepMs: 100,
    reads: 'both',
    build: (b, grace) => {
      const joiner = (n: number | null, other: number | null) => (n ?? 0) + (other ?? 0)
      seen(read(b).outerJoin(b.stream(others), joiner, Windows.join(50, { grace }), { name: 'pairs' }))
    },
  },
  {
    name: 'TimeWindowedKStream.count, sliding',
    summary: 'sliding windows of 100 ms of one key, all of them kept under the grace; a record meets ten others',
    narrow: 1000,
    wide: 100_000,
    stepMs: 10,
    build: (b, grace) => seen(grouped(b).windowedBy(Windows.sliding(100, { grace })).count('counts').toStream()),
  },
  {
    name: 'SessionWindowedKStream.count',
    summary: 'sessions of one key with a record each, all of them live under the grace; a record meets none',
    narrow: 100,
    wide: 10_000,
    stepMs: 10,
    build: (b, grace) => seen(grouped(b).windowedBy(Windows.session(5, { grace })).count('counts').toStream()),
  },
]
