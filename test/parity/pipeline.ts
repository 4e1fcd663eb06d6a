/**
 * Operators in any sequence, each making numbers of numbers; the twin of java/Pipeline.java, which has the same stages. Left out are those that need more
 * than that to agree with Kafka Streams: outer joins of streams give out what is alone when its window closes, and rows that one update of a foreign
 * key answers have no order. Both have twins of their own, as have global tables.
 */

import fc from 'fast-check'
import {
  json,
  type KStream,
  type KTable,
  otherwise,
  type StreamsBuilder,
  Suppressed,
  store,
  string,
  Windows,
} from 'streamctl'
import type { Shape } from './shape.ts'
import { numbers, numbersShape, others, othersShape, results, resultsOf, rows, rowsShape } from './topologies/topics.ts'

type Numbers = KStream<string, number>

/** What a stage may use besides the stream. */
interface Surroundings {
  readonly b: StreamsBuilder
  /** Base of the names it gives. */
  readonly name: string
  /** One table, however often it is joined. */
  readonly rows: () => KTable<string, string | null>
}

const serdes = { key: string, value: json<number>() }
const none = null as never

const repartitioned = (stream: Numbers, name: string): Numbers =>
  stream.filter((_, key) => key !== null).repartition(name, serdes)

const operators: Readonly<Record<string, (stream: Numbers, at: Surroundings) => Numbers>> = {
  filter: (stream) => stream.filter((n) => n === null || n % 2 === 0),
  filterNot: (stream) => stream.filterNot((n, key) => key !== null && n !== null && n > 5),
  mapValues: (stream) => stream.mapValues((n) => (n === null ? 4 : n > 6 ? none : n + 1)),
  map: (stream) => stream.map((n, key) => [key === null ? 'none' : `${key[0]}${n}`, n]),
  selectKey: (stream) => stream.selectKey((n) => (n === null ? none : `${n % 3}`)),
  flatMap: (stream) =>
    stream.flatMap((n) =>
      Array.from({ length: n === null ? 0 : Math.max(0, n % 3) }, (_, i) => [`f${i}`, n + i] as const),
    ),
  flatMapValues: (stream) => stream.flatMapValues((n) => Array<number>(n === null ? 1 : n % 2 === 0 ? 2 : 0).fill(n)),
  merge: (stream, { b }) => stream.merge(b.stream(others)),
  split: (stream) => {
    const { large, rest } = stream.split({ large: (n) => n !== null && n > 3, rest: otherwise })
    return large.mapValues((n) => n - 3).merge(rest)
  },
  repartition: (stream, { name }) => repartitioned(stream, name),
  toTable: (stream, { name }) => stream.toTable(name, serdes).toStream() as Numbers,
  join: (stream, { name, rows }) => stream.join(rows(), (n, row) => n + row.length, { name, ...serdes }),
  leftJoin: (stream, { name, rows }) =>
    stream.leftJoin(rows(), (n, row) => (row === null ? n : n + row.length), { name, ...serdes }),
  count: (stream, { name }) => stream.groupByKey(serdes).count(name).toStream().mapValues(Number),
  reduce: (stream, { name }) =>
    stream
      .groupByKey(serdes)
      .reduce(name, (sum, n) => (sum + n > 12 ? none : (sum % 5) * 2 + n))
      .toStream(),
  process: (stream, { name }) =>
    stream.process(name, {
      stores: { sums: store({ key: string, value: json<number>(), name }) },
      out: serdes,
      on({ key, value, timestamp }, { stores, forward }) {
        const sum = ((stores.sums.get(String(key)) ?? 0) + (value ?? 1)) % 10
        if (sum === 7) stores.sums.delete(String(key))
        else stores.sums.put(String(key), sum)
        forward(key, sum)
        if (sum % 2 !== 0) forward(`p${sum}`, value, { timestamp: timestamp + sum + 10 })
      },
    }),
  processValues: (stream, { name }) =>
    stream.processValues(name, {
      stores: { last: store({ key: string, value: json<number>(), name }) },
      out: { value: json<number>() },
      on({ key, value }, { stores, forward }) {
        const before = stores.last.get(String(key))
        stores.last.put(String(key), value)
        forward(before === undefined || value === null ? value : value - before)
      },
    }),
  windowedCount: (stream, { name }) =>
    stream
      .groupByKey(serdes)
      .windowedBy(Windows.hopping(40, { advance: 20, grace: 10 }))
      .count(name)
      .toStream()
      .selectKey((_, { key, start }) => `${key}${start % 40}`)
      .mapValues(Number),
  slidingCount: (stream, { name }) =>
    stream
      .groupByKey(serdes)
      .windowedBy(Windows.sliding(15, { grace: 40 }))
      .count(name)
      .toStream()
      .selectKey((_, { key, start }) => `${key}${start % 7}`)
      .mapValues(Number),
  sessionCount: (stream, { name }) =>
    stream
      .groupByKey(serdes)
      .windowedBy(Windows.session(12, { grace: 30 }))
      .count(name)
      .toStream()
      .selectKey((_, { key, start }) => `${key}${start % 5}`)
      .mapValues((n) => (n === null ? none : Number(n))),
  finalCount: (stream, { name }) =>
    stream
      .groupByKey(serdes)
      .windowedBy(Windows.tumbling(30, { grace: 50 }))
      .count(name, { emit: 'final' })
      .toStream()
      .selectKey((_, { key, start }) => `${key}${start % 90}`)
      .mapValues(Number),
  suppressedCount: (stream, { name }) =>
    stream
      .groupByKey(serdes)
      .windowedBy(Windows.tumbling(25, { grace: 60 }))
      .count(name)
      .suppress(`${name}-held`, Suppressed.untilWindowCloses('unbounded'))
      .toStream()
      .selectKey((_, { key, start }) => `${key}${start % 75}`)
      .mapValues(Number),
  limited: (stream, { name }) =>
    stream
      .toTable(name, serdes)
      .suppress(`${name}-held`, Suppressed.untilTimeLimit(20, 'unbounded'))
      .toStream() as Numbers,
  aggregate: (stream, { name }) =>
    stream
      .groupByKey(serdes)
      .aggregate(name, { init: () => 1, add: (total, n) => (total * 2 + n) % 97, serde: json<number>() })
      .toStream(),
  cogroup: (stream, { b, name }) =>
    stream
      .groupByKey(serdes)
      .cogroup<number>((total, n) => (total * 3 + n) % 100)
      .cogroup(b.stream(others).groupByKey(), (total, n) => (total + n) % 100)
      .aggregate(name, { init: () => 0, serde: json<number>() })
      .toStream(),
  // Of a grace that nothing is late for: Kafka Streams joins what is late (differences-of-stream-joins.ts).
  joinOfStreams: (stream, { b, name }) =>
    stream.join(b.stream(others), (n, other) => (n + other) % 100, Windows.join(20, { grace: '1m' }), {
      name,
      ...serdes,
    }),
  // Of one topic: a stream whose key was changed would come to the join on two, one for each side, whose records have no order among each other.
  selfJoin: (stream, { name }) => {
    const again = repartitioned(stream, `${name}-again`)
    return again.join(again, (n, other) => (n * 2 + other) % 100, Windows.join(10, { after: 5, grace: '1m' }), { name })
  },
  tableOfTable: (stream, { name }) =>
    stream
      .toTable(name, serdes)
      .filter((n) => n > 1)
      .mapValues((n) => (n * 2) % 50)
      .toStream() as Numbers,
  groupedTable: (stream, { name }) =>
    stream
      .toTable(`${name}-rows`, serdes)
      .groupBy(`${name}-by`, (n) => [`g${n % 3}`, n], serdes)
      .reduce(
        name,
        (total, n) => total + n,
        (total, n) => total - n,
      )
      .toStream() as Numbers,
  transformValues: (stream, { name }) =>
    stream
      .toTable(`${name}-rows`, serdes)
      .transformValues(name, {
        stores: { updates: store({ key: string, value: json<number>(), name: `${name}-updates` }) },
        serde: json<number>(),
        transform(n, key, { stores }) {
          const updates = (stores.updates.get(key) ?? 0) + 1
          stores.updates.put(key, updates)
          return n === null || updates % 4 === 0 ? null : (n + updates) % 50
        },
      })
      .toStream() as Numbers,
  tableJoin: (stream, { name, rows }) =>
    stream
      .toTable(name, serdes)
      .join(rows(), (n, row) => n + row.length)
      .toStream() as Numbers,
  tableLeftJoin: (stream, { name, rows }) =>
    stream
      .toTable(name, serdes)
      .leftJoin(rows(), (n, row) => n + (row?.length ?? 10))
      .toStream() as Numbers,
  tableOuterJoin: (stream, { name, rows }) =>
    stream
      .toTable(name, serdes)
      .outerJoin(rows(), (n, row) => (n ?? 20) + (row?.length ?? 10))
      .toStream() as Numbers,
  punctuate: (stream, { name }) =>
    stream.process(name, {
      stores: { since: store({ key: string, value: json<number>(), name }) },
      out: serdes,
      on({ key, value }, { stores, forward }) {
        stores.since.put('all', (stores.since.get('all') ?? 0) + 1)
        forward(key, value)
      },
      punctuators: [
        {
          type: 'stream-time',
          every: 40,
          punctuate(time, { stores, forward }) {
            forward(`t${time % 200}`, stores.since.get('all') ?? none)
            stores.since.delete('all')
          },
        },
      ],
    }),
}

export const operatorNames: readonly string[] = Object.keys(operators)

export interface Stage {
  readonly operator: string
  /** Whether what it passes on is also written to a topic. */
  readonly tapped: boolean
}

const readOthers = ['merge', 'cogroup', 'joinOfStreams']
const readRows = ['join', 'leftJoin', 'tableJoin', 'tableLeftJoin', 'tableOuterJoin']

/**
 * A punctuator by stream time stands first or not at all, and alone reads topics, and none makes records younger: TopologyTestDriver runs all
 * sub-topologies as one task, whose stream time is that of all topics; ours have one each, as in an application.
 */
const agrees = (stages: readonly Stage[]): boolean => {
  const at = stages.findLastIndex(({ operator }) => operator === 'punctuate')
  const movesTime = ['process', ...readOthers, ...readRows]
  return at < 0 || (at === 0 && !stages.some(({ operator }) => movesTime.includes(operator)))
}

const stage = (names: readonly string[]): fc.Arbitrary<Stage> =>
  fc.record({ operator: fc.constantFrom(...names), tapped: fc.boolean() })

export const stages: fc.Arbitrary<readonly Stage[]> = fc
  .tuple(stage(['punctuate', ...operatorNames]), fc.array(stage(operatorNames), { maxLength: 6, size: 'max' }))
  .map(([first, others]) => [first, ...others])
  .filter(agrees)

/** What any pipeline reads; a topic that one does not read gets no records. */
export function pipelineInput(stages: readonly Stage[]): Shape {
  const uses = (...operators: readonly string[]) => stages.some(({ operator }) => operators.includes(operator))
  return {
    topics: [numbersShape, ...(uses(...readOthers) ? [othersShape] : []), ...(uses(...readRows) ? [rowsShape] : [])],
  }
}

export function pipeline(stages: readonly Stage[]): (b: StreamsBuilder) => void {
  return (b) => {
    let table: KTable<string, string | null> | undefined
    const tableOfRows = () => {
      table ??= b.table(rows, { store: 'rows' })
      return table
    }
    let stream: Numbers = b.stream(numbers)
    for (const [step, { operator, tapped }] of stages.entries()) {
      const apply = operators[operator] as (typeof operators)[string]
      stream = apply(stream, { b, name: `s${step}`, rows: tableOfRows })
      if (tapped) stream.to(resultsOf(`tap${step}`))
    }
    stream.to(results)
  }
}
