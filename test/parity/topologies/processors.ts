/** Processors of the user's; twins of java/Processors.java. */

import { json, type KStream, store, string } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, others, othersShape, results, resultsOf, rows, rowsShape } from './topics.ts'

const text = { key: string, value: json<string | null>() }
const number = { key: string, value: json<number>() }
const input = { topics: [numbersShape] }
const twoInputs = { topics: [numbersShape, othersShape] }
const texts = () => store({ key: string, value: string })
// As String.valueOf of Java; null keys and values come as they are.
const said = (value: unknown) => String(value)

/** Says every `every` ms of stream time what has come since, and passes records on. */
function punctuated(stream: KStream<string, number>, every: number): KStream<string, string | null> {
  return stream.process('ticks', {
    stores: { pending: texts() },
    out: text,
    on({ key, value }, { stores, forward }) {
      stores.pending.put('since', `${stores.pending.get('since') ?? ''}${said(value)}`)
      forward(key, said(value))
    },
    punctuators: [
      {
        type: 'stream-time',
        every,
        punctuate(time, { stores, forward }) {
          forward(`at ${time}`, stores.pending.get('since') ?? null)
          stores.pending.delete('since')
        },
      },
    ],
  })
}

export const processors: Family = {
  store: {
    input,
    build(b) {
      b.stream(numbers)
        .process('history', {
          stores: { said: texts() },
          out: text,
          on({ key, value }, { stores, forward }) {
            const name = said(key)
            const before = stores.said.get(name) ?? null
            const now = `${before ?? ''}${said(value)}`
            if (now.length > 8) stores.said.delete(name)
            else if (now.length > 6) stores.said.put(name, null)
            else stores.said.put(name, now)
            forward(`${name}${now.length}`, before)
            if (value === null) return
            for (let i = 0; i < value; i += 3) forward(key, `${now}${i}`)
          },
        })
        .to(results)
    },
  },
  keyChanges: {
    input,
    build(b) {
      b.stream(numbers)
        .process('by-parity', {
          out: number,
          on({ value }, { forward }) {
            if (value !== null) forward(`k${value % 2}`, value)
          },
        })
        .groupByKey()
        .count('counts')
        .toStream()
        .to(results)
    },
  },
  fixedKey: {
    input,
    build(b) {
      b.stream(numbers)
        .processValues('changes', {
          stores: { last: texts() },
          out: number,
          on({ key, value }, { stores, forward }) {
            const name = said(key)
            if (stores.last.get(name) === said(value)) return
            stores.last.put(name, said(value))
            forward(value)
            if (stores.last.putIfAbsent(`${name}!`, said(value)) === undefined) {
              forward(value === null ? (null as never) : 0 - value)
            }
          },
        })
        .groupByKey()
        .reduce('sums', (sum, n) => sum + n)
        .toStream()
        .to(results)
    },
  },
  timestampsAndHeaders: {
    input,
    build(b) {
      b.stream(numbers)
        .process('edit', {
          out: text,
          on({ key, timestamp, headers }, { forward }) {
            forward(key, 'more', { headers: [...headers, { key: 'seen', value: Buffer.from(said(key)) }] })
            forward(key, 'later', { timestamp: timestamp + 7 })
            forward(key, 'bare', { headers: [], timestamp: 3 })
            forward(key, 'as it was')
          },
        })
        .to(results)
    },
  },
  timestampsDownstream: {
    input,
    build(b) {
      b.stream(numbers)
        .process('later', {
          out: number,
          on({ key, value, timestamp }, { forward }) {
            if (value !== null) forward(key, value, { timestamp: timestamp + value * 10 + 30 })
          },
        })
        .processValues('tell', {
          out: text,
          on: ({ value, timestamp }, { forward, currentStreamTimeMs }) =>
            forward(`${value}@${timestamp}/${currentStreamTimeMs}`),
        })
        .to(results)
    },
  },
  metadata: {
    input: twoInputs,
    build(b) {
      b.stream(numbers)
        .merge(b.stream(others))
        .selectKey((n, key) => (n === null ? 'gone' : `${key}${n % 2}`))
        .processValues('offsets', {
          out: number,
          on: (_, { forward, topic, offset }) => forward(topic === 'others' ? offset : offset + 1000),
        })
        .repartition('again', { key: string })
        .processValues('places', {
          out: text,
          on: ({ value }, { forward, topic, partition, offset }) => forward(`${topic}/${partition}/${offset}/${value}`),
        })
        .to(results)
    },
  },
  sharedStore: {
    input: twoInputs,
    build(b) {
      const shared = store({ key: string, value: string, name: 'shared' })
      for (const [from, to] of [
        [numbers, 'first'],
        [others, 'second'],
      ] as const) {
        b.stream(from)
          .process(to, {
            stores: { shared },
            out: text,
            on({ key, value }, { stores, forward }) {
              const before = stores.shared.get('all') ?? null
              stores.shared.put('all', `${before ?? ''}${said(value)}`)
              forward(key, before)
            },
          })
          .to(resultsOf(to))
      }
    },
  },
  table: {
    input: { topics: [numbersShape, rowsShape] },
    build(b) {
      const table = b.table(rows, { store: 'rows' })
      b.stream(numbers)
        .process('look-up', {
          tables: { table },
          out: text,
          on: ({ key, value }, { tables, forward }) =>
            forward(key, tables.table.get(value === null ? 'a' : said(key)) ?? 'none'),
        })
        .to(results)
    },
  },
  punctuateEveryTen: {
    input,
    build(b) {
      punctuated(b.stream(numbers), 10).to(results)
    },
  },
  punctuateEveryHundred: {
    input: twoInputs,
    build(b) {
      punctuated(b.stream(numbers).merge(b.stream(others)), 100).to(results)
    },
  },
  punctuateThenGroup: {
    input,
    build(b) {
      punctuated(b.stream(numbers), 15)
        .selectKey((words) => `${said(words).length % 2}`)
        .groupByKey({ key: string, value: json<string | null>() })
        .reduce('all', (all, words) => `${all},${words}`.slice(Math.max(0, all.length - 20)))
        .toStream()
        .to(results)
    },
  },
}
