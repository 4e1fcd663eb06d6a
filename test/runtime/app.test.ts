import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineTopology, int64, string, topic } from 'streamctl'
import { afterEach, expect, test } from 'vitest'
import { openEmbedded } from '../../src/broker/embedded/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { noHeaders } from '../../src/common/record.ts'
import { startApp } from '../../src/runtime/app.ts'

const lines = topic('lines', { key: string, value: string })
const counts = topic('word-counts', { key: string, value: int64 })

const wordCount = defineTopology('word-count', (b) => {
  b.stream(lines)
    .flatMapValues((line) => line.split(' '))
    .groupBy('by-word', (word) => word, { key: string, value: string })
    .count('word-counts')
    .toStream()
    .to(counts)
})

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function produce(broker: Broker, values: readonly string[]): Promise<void> {
  const producer = await broker.plainProducer()
  const output = producer.output('lines')
  for (const [i, value] of values.entries()) output.append(i % 2, null, Buffer.from(value), i, noHeaders)
  await producer.flush()
  await producer.close()
}

async function readCounts(broker: Broker): Promise<Map<string, bigint[]>> {
  const ends = await broker.offsets(
    [0, 1].map((partition) => ({ topic: 'word-counts', partition })),
    'stable',
  )
  const fetcher = broker.fetcher()
  fetcher.assign(ends.map((end) => ({ ...end, offset: 0 })))
  const left = new Map(ends.filter((end) => end.offset > 0).map((end) => [end.partition, end.offset]))
  const found = new Map<string, bigint[]>()
  while (left.size > 0) {
    for (const { partition, records, position } of await fetcher.poll(100)) {
      for (const { key, value } of records) {
        const word = (key as Buffer).toString()
        found.set(word, [...(found.get(word) ?? []), int64.deserialize(value as Buffer)])
      }
      if (position >= (left.get(partition) ?? 0)) left.delete(partition)
    }
  }
  await fetcher.close()
  return found
}

test('runs to the end of its input, stops, and goes on where it stopped', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'streamctl-app-'))
  closing.push(() => rm(dir, { recursive: true }))
  const broker = await openEmbedded({})
  closing.push(() => broker.close())
  await broker.createTopics(['lines', 'word-counts'].map((name) => ({ name, partitions: 2, configs: {} })))
  await produce(broker, ['a b', 'a', 'c a'])

  const first = await startApp(wordCount, { broker, stateDir: dir })
  await first.caughtUp()
  expect(first.snapshot()).toMatchObject({ state: 'running', lag: 0, recordsOut: 5 })
  await first.stop()
  await produce(broker, ['a'])
  const logged: string[] = []
  const second = await startApp(wordCount, { broker, stateDir: dir, log: (_level, message) => logged.push(message) })
  await second.caughtUp()
  await second.stop()

  expect(await readCounts(broker)).toEqual(
    new Map([
      ['a', [1n, 2n, 3n, 4n]],
      ['b', [1n]],
      ['c', [1n]],
    ]),
  )
})

test('a stream put in front shifts the tasks: their stores come back from the changelogs, and counting goes on', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'streamctl-app-'))
  closing.push(() => rm(dir, { recursive: true }))
  const broker = await openEmbedded({})
  closing.push(() => broker.close())
  await broker.createTopics(['lines', 'names', 'word-counts'].map((name) => ({ name, partitions: 2, configs: {} })))
  const withNames = defineTopology('word-count', (b) => {
    b.stream(topic('names', { key: string, value: string }))
      .groupByKey()
      .count('name-counts')
    b.stream(lines)
      .flatMapValues((line) => line.split(' '))
      .groupBy('by-word', (word) => word, { key: string, value: string })
      .count('word-counts')
      .toStream()
      .to(counts)
  })
  const restored: string[][] = []
  // Back again, a task finds what it left behind, older than the changelog: only the rest is replayed.
  for (const topology of [wordCount, wordCount, withNames, wordCount]) {
    await produce(broker, ['a'])
    const logged: string[] = []
    const app = await startApp(topology, { broker, stateDir: dir, log: (_level, message) => logged.push(message) })
    await app.caughtUp()
    await app.stop()
    restored.push(logged.filter((message) => message.includes('restoring')))
  }
  expect((await readCounts(broker)).get('a')).toEqual([1n, 2n, 3n, 4n])
  expect(restored).toEqual([
    [],
    ['word-counts of task 1_0: restoring 1 changelog offsets from checkpoint 1 to 2'],
    ['word-counts of task 2_0: restoring 4 changelog offsets from the start to 4'],
    ['word-counts of task 1_0: restoring 3 changelog offsets from checkpoint 3 to 6'],
  ])
})

test('a transaction may stay open longer than the commits are apart; an interval that no transaction outlasts is refused', async () => {
  const broker = await openEmbedded({})
  closing.push(() => broker.close())
  await broker.createTopics(['lines', 'word-counts'].map((name) => ({ name, partitions: 2, configs: {} })))
  const timeouts: (number | undefined)[] = []
  const watched: Broker = {
    ...broker,
    transactionalProducer: (options) => {
      timeouts.push(options.timeoutMs)
      return broker.transactionalProducer(options)
    },
  }
  for (const commitIntervalMs of [100, 30_000]) {
    await (await startApp(wordCount, { broker: watched, stateDir: null, commitIntervalMs })).stop()
  }
  expect(timeouts).toEqual([10_000, 70_000])
  await expect(
    startApp(wordCount, { broker: watched, stateDir: null, commitIntervalMs: 3_600_000 }),
  ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('3600000 ms') })
})

test('a global table is whole before the first record, and followed; what does not decode in it ends the app', async () => {
  const broker = await openEmbedded({})
  closing.push(() => broker.close())
  const names = topic('names', { key: string, value: int64 })
  const topics = ['lines', 'names', 'word-counts'].map((name) => ({ name, partitions: 2, configs: {} }))
  await broker.createTopics(topics)
  const topology = defineTopology('global', (b) => {
    const table = b.globalTable(names, { store: 'names' })
    b.stream(lines)
      .selectKey((line) => line)
      .leftJoin(
        table,
        (line) => line,
        (_line, n) => n ?? -1n,
      )
      .to(counts)
  })
  const producer = await broker.plainProducer()
  closing.push(() => producer.close())
  const name = async (key: string, value: Buffer) => {
    producer.output('names').append(1, Buffer.from(key), value, 99, noHeaders)
    await producer.flush()
  }
  await produce(broker, ['one', 'two'])
  await name('one', int64.serialize(1n))
  await name('two', int64.serialize(2n))
  const app = await startApp(topology, { broker, stateDir: null })
  await app.caughtUp()
  expect(await readCounts(broker)).toEqual(
    new Map([
      ['one', [1n]],
      ['two', [2n]],
    ]),
  )
  const rows = () => app.snapshot().stores.find((store) => store.name === 'names')
  expect(rows()).toMatchObject({ kind: 'global', cachedRows: 2, restored: 0, restoreTotal: 0 })
  await name('three', int64.serialize(3n))
  while (rows()?.cachedRows !== 3) await new Promise(setImmediate)
  await produce(broker, ['three'])
  await app.caughtUp()
  expect((await readCounts(broker)).get('three')).toEqual([3n])
  await name('bad', Buffer.from('x'))
  await expect(app.ended).rejects.toMatchObject({ code: 'DESERIALIZATION', where: { topic: 'names', node: 'names' } })
})

test('records that wait for late updates of a table survive a stop that keeps no state', async () => {
  const broker = await openEmbedded({})
  closing.push(() => broker.close())
  await broker.createTopics(['lines', 'names', 'word-counts'].map((name) => ({ name, partitions: 2, configs: {} })))
  const names = topic('names', { key: string, value: int64 })
  const topology = defineTopology('waiting', (b) => {
    b.stream(lines)
      .leftJoin(b.table(names, { store: 'names', history: 100 }), (_line, n) => n ?? -1n, { name: 'late', grace: 50 })
      .to(counts)
  })
  const producer = await broker.plainProducer()
  closing.push(() => producer.close())
  const write = async (name: string, value: Buffer, timestamp: number) => {
    producer.output(name).append(0, Buffer.from('k'), value, timestamp, noHeaders)
    await producer.flush()
  }
  const run = async () => {
    const app = await startApp(topology, { broker, stateDir: null })
    await app.caughtUp()
    await app.stop()
    return readCounts(broker)
  }
  await write('names', int64.serialize(1n), 90)
  await write('lines', Buffer.from('first'), 100)
  expect(await run()).toEqual(new Map())
  await write('names', int64.serialize(2n), 95)
  expect(await run()).toEqual(new Map())
  await write('lines', Buffer.from('second'), 150)
  expect(await run()).toEqual(new Map([['k', [2n]]]))
})
