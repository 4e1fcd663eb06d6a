import { defineTopology, int64, otherwise, string, topic } from 'streamctl'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { noHeaders } from '../../src/common/record.ts'
import { startApp } from '../../src/runtime/app.ts'
import { makeCounters, recordsByNode } from '../../src/runtime/counters.ts'

const input = topic('input', { key: string, value: string })
const output = topic('output', { key: string, value: string })
const counts = topic('counts', { key: string, value: int64 })

const everything = defineTopology('report', (b) => {
  const words = b
    .stream(input, { onDeserializationError: { deadLetter: 'dlq' } })
    .flatMapValues((value) => value.split(' '))
  const { short, rest } = words.split({
    short: (word) => word.length === 1,
    none: (word) => word === '',
    rest: otherwise,
  })
  short
    .mapValues((word) => word)
    .merge(rest.filter((word) => word !== 'drop'))
    .peek(() => undefined)
    .to(output)
  words
    .groupBy('by-word', (word) => word, { key: string, value: string })
    .count('word-counts')
    .toStream()
    .to(counts)
})

let broker: EmbeddedBroker
beforeEach(async () => {
  broker = await openEmbedded()
  await broker.createTopics(['input', 'output', 'counts', 'dlq'].map((name) => ({ name, partitions: 1, configs: {} })))
})
afterEach(() => broker.close())

async function send(...values: (string | Buffer)[]): Promise<void> {
  const producer = await broker.plainProducer()
  for (const [i, value] of values.entries()) {
    producer.output('input').append(0, Buffer.from('k'), Buffer.from(value), 10 + i, noHeaders)
  }
  await producer.flush()
  await producer.close()
}

test("every processor says how many records it passed on; those that change nothing take their parents' numbers", async () => {
  await send('a bb drop', 'c dd', Buffer.from([0xff]))
  let now = 1000
  const app = await startApp(everything, { broker, stateDir: null, commitIntervalMs: 5, clock: () => now })
  await app.caughtUp()
  now = 4500
  const snapshot = app.snapshot()
  const records = Object.fromEntries(
    snapshot.processors.map(({ name, kind, records: count }) => [`${kind} ${name}`, count]),
  )
  const byKind = (kind: string) => snapshot.processors.filter((node) => node.kind === kind).map((node) => node.records)
  // Three came in, one of them a dead letter; five words of which one is dropped.
  expect(byKind('source')).toEqual([3])
  expect(byKind('flat-map-values')).toEqual([5])
  expect(byKind('branch')).toEqual([2, 0, 3])
  expect(byKind('map-values')).toEqual([2])
  expect(byKind('filter')).toEqual([2])
  expect(byKind('merge')).toEqual([4])
  expect(byKind('peek')).toEqual([4])
  expect(byKind('select-key')).toEqual([5])
  expect(byKind('repartition')).toEqual([5])
  expect(byKind('aggregate')).toEqual([5])
  expect(byKind('to-stream')).toEqual([5])
  expect(byKind('sink').sort()).toEqual([4, 5])
  expect(Object.keys(records)).toHaveLength(snapshot.processors.length)
  expect(snapshot).toMatchObject({
    at: 4500,
    app: 'report',
    broker: 'embedded (memory)',
    state: 'running',
    uptimeMs: 3500,
    recordsIn: 3,
    recordsOut: 9,
    lag: 0,
    errors: { deadLetters: 1, dropped: {}, last: null },
  })
  expect(snapshot.commits.aborted).toBe(0)
  expect(snapshot.commits.count).toBeGreaterThan(0)
  await app.stop()
})

test('tasks, inputs and stores: where each stands', async () => {
  await send('a b a')
  const app = await startApp(everything, { broker, stateDir: null, commitIntervalMs: 5 })
  await app.caughtUp()
  const { tasks, stores, processors } = app.snapshot()
  expect(
    tasks.map(({ id, state, records, streamTime, restore }) => ({ id, state, records, streamTime, restore })),
  ).toEqual([
    { id: '0_0', state: 'running', records: 1, streamTime: 10, restore: [] },
    { id: '1_0', state: 'running', records: 3, streamTime: 10, restore: [] },
  ])
  expect(tasks[0]?.inputs).toEqual([{ topic: 'input', partition: 0, position: 1, committed: 1, stableEnd: 1, lag: 0 }])
  // Three records and their marker.
  expect(tasks[1]?.inputs).toMatchObject([{ topic: 'report-by-word-repartition', position: 4, committed: 4, lag: 0 }])
  expect(stores).toEqual([
    { name: 'word-counts', kind: 'key-value', tasks: 1, cachedRows: 2, diskBytes: null, restored: 0, restoreTotal: 0 },
  ])
  const aggregate = processors.find(({ kind }) => kind === 'aggregate')
  expect(aggregate).toMatchObject({ store: 'word-counts', subTopology: 1 })
  expect(processors.find(({ kind }) => kind === 'repartition')).toMatchObject({ topic: 'report-by-word-repartition' })
  await app.stop()
  expect(app.snapshot().state).toBe('stopped')
})

test('lag is what is there and not yet processed', async () => {
  let app = await startApp(everything, { broker, stateDir: null, commitIntervalMs: 5 })
  await app.caughtUp()
  await app.stop()
  await send('a', 'b', 'c')
  const held = Promise.withResolvers<void>()
  app = await startApp(everything, {
    broker: {
      ...broker,
      fetcher: (options) => {
        const real = broker.fetcher(options)
        return {
          assign: (positions) => real.assign(positions),
          pause: (partitions) => real.pause(partitions),
          resume: (partitions) => real.resume(partitions),
          wake: () => real.wake(),
          poll: async (maxWaitMs) => {
            await held.promise
            return real.poll(maxWaitMs)
          },
          close: () => real.close(),
        }
      },
    },
    stateDir: null,
    commitIntervalMs: 5,
  })
  await expect.poll(() => app.snapshot().lag).toBe(3)
  held.resolve()
  await expect.poll(() => app.snapshot().lag).toBe(0)
  await app.stop()
})

test('numbers of nodes that pass everything on are derived, through any number of them', () => {
  const topology = defineTopology('derived', (b) => {
    const stream = b.stream(input)
    stream
      .mapValues((value) => value)
      .selectKey((value) => value)
      .merge(stream)
      .to(output)
  })
  const counters = makeCounters(topology)
  for (const counter of counters.nodes) counter.count = 100
  ;(counters.nodes[0] as { count: number }).count = 7
  const records = recordsByNode(topology, counters)
  expect(topology.nodes.map(({ kind }, i) => [kind, records[i]])).toEqual([
    ['source', 7],
    ['map-values', 7],
    ['select-key', 7],
    ['merge', 14],
    ['sink', 14],
  ])
})
