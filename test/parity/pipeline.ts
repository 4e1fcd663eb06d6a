/** Operators in any sequence, each making numbers of numbers; the twin of java/Pipeline.java, which has the same stages. */

import fc from 'fast-check'
import { json, type KStream, type KTable, otherwise, type StreamsBuilder, store, string, Windows } from 'streamctl'
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
  repartition: (stream, { name }) => stream.filter((_, key) => key !== null).repartition(name, serdes),
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
}

export interface Stage {
  readonly operator: string
  /** Whether what it passes on is also written to a topic. */
  readonly tapped: boolean
}

export const stages: fc.Arbitrary<readonly Stage[]> = fc.array(
  fc.record({ operator: fc.constantFrom(...Object.keys(operators)), tapped: fc.boolean() }),
  { minLength: 1, maxLength: 7, size: 'max' },
)

/** What any pipeline reads; a topic that one does not read gets no records. */
export function pipelineInput(stages: readonly Stage[]): Shape {
  const uses = (...operators: readonly string[]) => stages.some(({ operator }) => operators.includes(operator))
  return {
    topics: [numbersShape, ...(uses('merge') ? [othersShape] : []), ...(uses('join', 'leftJoin') ? [rowsShape] : [])],
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
