import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { openLevelJournal } from '../../src/broker/embedded/level-journal.ts'
import { noHeaders } from '../../src/common/record.ts'
import {
  append,
  offsetOf,
  outsider,
  pollUntil,
  readCommitted,
  readRange,
  settledEnd,
  texts,
} from '../compliance/broker-kit.ts'
import { fieldsOf } from '../support/records.ts'

const writer = fileURLToPath(new URL('writer.ts', import.meta.url))
const size = 10
let dir: string
let broker: EmbeddedBroker | undefined

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'streamctl-embedded-'))
})
afterEach(async () => {
  await broker?.close()
  broker = undefined
  await rm(dir, { recursive: true })
})

const open = async (): Promise<EmbeddedBroker> => {
  await broker?.close()
  broker = await openEmbedded({ dir })
  return broker
}

/** Runs the writer and kills it after `commits` acknowledgements; returns the last number it acknowledged. */
async function writeAndKill(from: number, commits: number): Promise<number> {
  const child = spawn(process.execPath, [writer, dir, String(size), String(from)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  let last = from - 1
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line)
    if (last === from + commits - 1) child.kill('SIGKILL')
  }
  if (last < from) throw new Error(`the writer committed nothing: ${errors}`)
  return last
}

test('kill -9 leaves whole transactions, and every acknowledged one', async () => {
  let next = 0
  const before: { offset: number; value: string | undefined }[][] = [[], []]
  for (const commits of [1, 7, 23, 4]) {
    const acknowledged = await writeAndKill(next, commits)
    const opened = await open()
    const [committed] = await opened.committed('writers', [{ topic: 'out', partition: 0 }])
    const count = committed?.offset ?? 0
    expect(count).toBeGreaterThan(acknowledged)
    for (const partition of [0, 1]) {
      const read = await readCommitted(opened, 'out', partition)
      const values = Array.from({ length: count }, (_, n) =>
        Array.from({ length: size / 2 }, (_, i) => `${n}:${2 * i + partition}`),
      ).flat()
      expect(texts(read)).toEqual(values)
      const found = read.map(({ offset, value }) => ({ offset, value: value?.toString() }))
      expect(found.slice(0, before[partition]?.length)).toEqual(before[partition])
      before[partition] = found
    }
    await opened.close()
    next = count
  }
})

test('offsets by time are found in what is on disk alone', async () => {
  let opened = await open()
  await opened.createTopics([{ name: 'in', partitions: 1, configs: {} }])
  const producer = await opened.plainProducer()
  const value = randomBytes(100_000)
  for (let i = 0; i < 20; i++) {
    producer.output('in').append(0, null, value, 1000 + i, noHeaders)
    await producer.flush()
  }
  opened = await open()
  const found = async (since: number) => (await opened.offsets([{ topic: 'in', partition: 0 }], { since }))[0]?.offset
  for (const [since, offset] of [
    [0, 0],
    [1000, 0],
    [1013, 13],
    [1019, 19],
    [1020, 20],
  ] as const) {
    expect([since, await found(since)]).toEqual([since, offset])
  }
})

test('what was committed is there after closing and opening, at the same offsets; what was aborted or open is not', async () => {
  let opened = await open()
  await opened.createTopics([{ name: 'in', partitions: 2, configs: { 'max.message.bytes': '2000000' } }])
  const producer = await opened.transactionalProducer({ transactionalId: 'p' })
  append(producer, 'in', 'a')
  const offset = { topic: 'in', partition: 0, offset: 1, metadata: 'm' }
  await producer.commit({ group: outsider('g'), offsets: [offset] })
  append(producer, 'in', 'x'.repeat(1_500_000))
  await producer.reset()
  const afterAbort = await settledEnd(opened, 'in')
  const plain = await opened.plainProducer()
  append(plain, 'in', 'b')
  await plain.flush()
  append(producer, 'in', 'x'.repeat(1_500_000))
  append(producer, 'in', 'lost')
  const records = await readRange(opened, 'in', { to: afterAbort + 1 })
  await opened.deleteRecords([{ topic: 'in', partition: 1, offset: 0 }])

  opened = await open()
  expect([...(await opened.topics()).values()]).toEqual([{ name: 'in', partitions: 2 }])
  const again = await readRange(opened, 'in', { to: await settledEnd(opened, 'in') })
  expect(again.records.map(fieldsOf)).toEqual(records.records.map(fieldsOf))
  expect(texts(again.records)).toEqual(['a', 'b'])
  expect(again.records.at(-1)?.offset).toBe(afterAbort)
  expect(await opened.committed('g', [offset])).toEqual([offset])
  await opened.createTopics([{ name: 'more', partitions: 1, configs: {} }])
  const other = await opened.transactionalProducer({ transactionalId: 'p' })
  append(other, 'more', 'c')
  append(other, 'in', 'd')
  await other.commit(null)
  opened = await open()
  expect(texts(await readCommitted(opened, 'in'))).toEqual(['a', 'b', 'd'])
  expect(texts(await readCommitted(opened, 'more'))).toEqual(['c'])
})

test('deleted records stay deleted, even those that were never on disk', async () => {
  let opened = await open()
  await opened.createTopics([{ name: 'in', partitions: 1, configs: {} }])
  const producer = await opened.transactionalProducer({ transactionalId: 'p' })
  for (let i = 0; i < 6; i++) append(producer, 'in', `${i}`)
  await producer.commit(null)
  await opened.deleteRecords([{ topic: 'in', partition: 0, offset: 2 }])
  opened = await open()
  expect(texts(await readCommitted(opened, 'in'))).toEqual(['2', '3', '4', '5'])
  const late = await opened.transactionalProducer({ transactionalId: 'p' })
  for (let i = 0; i < 5; i++) append(late, 'in', 'x'.repeat(300_000))
  const end = await offsetOf(opened, 'in', 'end')
  expect(end).toBeGreaterThan(7)
  await opened.deleteRecords([{ topic: 'in', partition: 0, offset: end }])
  opened.crash()
  await opened.close()
  opened = await open()
  expect(await offsetOf(opened, 'in', 'earliest')).toBe(end)
  expect(await offsetOf(opened, 'in', 'end')).toBeGreaterThanOrEqual(end)
  expect(await readCommitted(opened, 'in')).toEqual([])
})

test('a log larger than its memory is read from disk, in order, while it grows and after opening', async () => {
  let opened = await open()
  await opened.createTopics([{ name: 'in', partitions: 3, configs: {} }])
  const producer = await opened.transactionalProducer({ transactionalId: 'p' })
  const expected: string[] = []
  const fill = async (from: number): Promise<void> => {
    for (let n = from; n < from + 40; n++) {
      for (let i = 0; i < 20; i++) {
        const value = `${n}:${i} ${randomBytes(3000).toString('base64')}`
        expected.push(value)
        for (const partition of [0, 1, 2]) append(producer, 'in', value, partition)
      }
      await producer.commit(null)
    }
  }
  await fill(0)
  const fetcher = opened.fetcher({ maxBytes: 300_000, maxPartitionBytes: 100_000 })
  fetcher.assign([0, 1, 2].map((partition) => ({ topic: 'in', partition, offset: 0 })))
  fetcher.pause([{ topic: 'in', partition: 2 }])
  const half = await pollUntil(fetcher, (all) => all.length > 20)
  fetcher.resume([{ topic: 'in', partition: 2 }])
  await fill(40)
  const end = await settledEnd(opened, 'in')
  const done = new Map(half.map(({ partition, position }) => [partition, position]))
  const rest = await pollUntil(fetcher, (all) => {
    const last = all.at(-1)
    if (last !== undefined) done.set(last.partition, last.position)
    for (const { partition, position } of all) done.set(partition, position)
    return [0, 1, 2].every((partition) => done.get(partition) === end)
  })
  for (const partition of [0, 1, 2]) {
    const own = [...half, ...rest].filter((one) => one.partition === partition)
    expect(texts(own.flatMap(({ records }) => records))).toEqual(expected)
  }
  opened = await open()
  for (const maxPartitionBytes of [1, 50_000, 5_000_000]) {
    const { records, position } = await readRange(opened, 'in', { to: end, partition: 1, maxPartitionBytes })
    expect(texts(records)).toEqual(expected)
    expect(position).toBe(end)
  }
  // From the middle of a batch.
  expect(texts((await readRange(opened, 'in', { from: 7, to: end })).records)).toEqual(expected.slice(7))
})

test('a directory that another broker holds is LOCKED, by name', async () => {
  await open()
  await expect(openEmbedded({ dir })).rejects.toMatchObject({ code: 'LOCKED', message: expect.stringContaining(dir) })
})

test('a directory that cannot be one is an error in words', async () => {
  const file = join(dir, 'file')
  await writeFile(file, '')
  await expect(openEmbedded({ dir: file })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining(file),
  })
})

test('a producer that is fenced on disk while its commit is on the way has committed', async () => {
  const opened = await open()
  await opened.createTopics([{ name: 'in', partitions: 1, configs: {} }])
  const old = await opened.transactionalProducer({ transactionalId: 'p' })
  old.output('in').append(0, null, Buffer.from('decided'), 0, noHeaders)
  const offset = { topic: 'in', partition: 0, offset: 1, metadata: '' }
  const committing = old.commit({ group: outsider('g'), offsets: [offset] })
  await Promise.resolve()
  const taking = opened.transactionalProducer({ transactionalId: 'p' })
  const stable = opened.committed('g', [offset])
  const [outcome] = await Promise.allSettled([committing, taking])
  const isCommitted = outcome.status === 'fulfilled'
  expect(texts(await readCommitted(opened, 'in'))).toEqual(isCommitted ? ['decided'] : [])
  expect(isCommitted).toBe(true)
  expect(await stable).toEqual([offset])
})

test('a disk that refuses settles nothing, and no later write either', async () => {
  const journal = await openLevelJournal(dir)
  await journal.close()
  let settled = 0
  const write = () => journal.write([{ kind: 'end', log: 0, end: 1 }], () => settled++)
  const [first, second] = await Promise.allSettled([write(), write()])
  await expect(write()).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME', message: expect.stringContaining(dir) })
  expect([first?.status, second?.status, settled]).toEqual(['rejected', 'rejected', 0])
})
