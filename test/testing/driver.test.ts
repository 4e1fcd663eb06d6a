import { defineTopology, int64, json, type StreamsBuilder, string, topic, topicPattern } from 'streamctl'
import { createTestDriver, type TestDriver, type TestDriverOptions } from 'streamctl/testing'
import { afterEach, expect, test } from 'vitest'

const lines = topic('lines', { key: string, value: string })
const counts = topic('word-counts', { key: string, value: int64 })

const wordCount = defineTopology('word-count', (b) => {
  b.stream(lines)
    .flatMapValues((line) => line.toLowerCase().split(/\W+/).filter(Boolean))
    .groupBy('by-word', (word) => word, { key: string, value: string })
    .count('word-counts')
    .toStream()
    .to(counts)
})

test('counts words over a repartition, in order, over several partitions', async () => {
  const driver = await createTestDriver(wordCount, { partitions: 3 })
  await driver.send(lines, null, 'a b a', 5)
  await driver.send(lines, null, 'b', 3)
  const seen = driver.read(counts).map(({ key, value, timestamp }) => [key, value, timestamp])
  expect(seen.filter(([key]) => key === 'a')).toEqual([
    ['a', 1n, 5],
    ['a', 2n, 5],
  ])
  expect(seen.filter(([key]) => key === 'b')).toEqual([
    ['b', 1n, 5],
    ['b', 2n, 5],
  ])
  expect(driver.read()).toEqual([])
  await driver.close()
})

const input = topic('input', { key: string, value: string })
const output = topic('output', { key: string, value: string })
const dates = topic('dates', { key: string, value: json<{ readonly at: Date }>() })

let driver: TestDriver | undefined
afterEach(async () => {
  await driver?.close()
  driver = undefined
})

async function run(build: (b: StreamsBuilder) => void, options?: TestDriverOptions): Promise<TestDriver> {
  driver = await createTestDriver(defineTopology('driven', build), options)
  return driver
}

test.each<[ms: unknown, says: string]>([
  [Number.NaN, 'NaN'],
  [-1, '-1'],
  [0.5, '0.5'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  ['5', '"5"'],
  [undefined, 'undefined'],
])('the clock does not go on by %s, and stands where it stood', async (ms, says) => {
  const d = await run((b) => void b.stream(input).to(output), { startMs: 7 })
  await expect(d.advanceWallClock(ms as number)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: `advanceWallClock: ${says} is no time in ms`,
    hint: expect.stringContaining('the clock never goes back'),
  })
  expect(d.now).toBe(7)
  await d.advanceWallClock(0)
  await d.send(input, 'a', 'b')
  expect(d.read(output)).toMatchObject([{ key: 'a', value: 'b', timestamp: 7 }])
})

test.each<[options: unknown, says: string, hint: string]>([
  [{ commit: 'each' }, 'commit is "each"', "Give 'each-send'"],
  [{ commit: null }, 'commit is null', "Give 'each-send'"],
  [{ startMs: Number.NaN }, 'startMs: NaN is no time in ms', 'since the epoch'],
  [{ startMs: -1 }, 'startMs: -1 is no time in ms', 'since the epoch'],
])('options %j are refused', async (options, says, hint) => {
  await expect(createTestDriver(wordCount, options as TestDriverOptions)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: says,
    hint: expect.stringContaining(hint),
  })
})

test('after close nothing goes on, and what was written can be read', async () => {
  const d = await run((b) => void b.stream(input).to(output))
  await d.send(input, 'a', 'b', 1)
  await d.close()
  const refused = { code: 'INVALID_ARGUMENT', message: 'the test driver is closed', hint: expect.any(String) }
  for (const use of [
    () => d.send(input, 'a', 'c', 2),
    () => d.sendBytes('input', null, null, 2),
    () => d.advanceWallClock(1),
    () => d.commit(),
    () => d.crash(),
    () => d.restart(),
  ]) {
    await expect(use()).rejects.toMatchObject(refused)
  }
  expect(d.now).toBe(0)
  expect(d.read(output)).toMatchObject([{ key: 'a', value: 'b' }])
  await d.close()
})

test('a value that does not survive the serde of its store shows at the next record', async () => {
  const d = await run((b) =>
    b
      .stream(input)
      .groupByKey()
      .aggregate('seen', {
        init: () => ({ at: new Date(0) }),
        add: (seen, value) => ({ at: new Date(seen.at.getTime() + value.length) }),
        serde: json<{ readonly at: Date }>(),
      })
      .toStream()
      .mapValues(() => 'ok')
      .to(output),
  )
  await d.send(input, 'k', 'v', 1)
  // The date came back as text, as it would after a restart.
  await expect(d.send(input, 'k', 'v', 2)).rejects.toMatchObject({
    code: 'PROCESSING',
    message: expect.stringContaining('getTime is not a function'),
  })
})

test('outputs are read back through their serde, inputs are written through theirs', async () => {
  const d = await run((b) => b.stream(dates).to(topic('copies', { key: string, value: json<{ readonly at: Date }>() })))
  await d.send(dates, 'k', { at: new Date(0) })
  expect(d.read('copies')).toMatchObject([{ value: { at: '1970-01-01T00:00:00.000Z' } }])
})

test('a failure names the processor and the record', async () => {
  const d = await run((b) =>
    b
      .stream(input)
      .mapValues('parse', (value) => {
        if (value === 'bad') throw new Error('cannot be parsed')
        return value
      })
      .to(output),
  )
  await d.send(input, 'k', 'good', 1)
  await expect(d.send(input, 'k', 'bad', 1)).rejects.toMatchObject({
    code: 'PROCESSING',
    where: { node: 'parse', topic: 'input', partition: 0, offset: 1, task: '0_0' },
  })
})

test('bytes of any producer: dead letters come with their bytes, or the send fails', async () => {
  const bytes = Buffer.from([0xff, 0xfe])
  const d = await run((b) => b.stream(input, { onDeserializationError: { deadLetter: 'dlq' } }).to(output))
  await d.sendBytes('input', Buffer.from('k'), bytes, 3)
  const [letter] = d.read('dlq')
  expect(letter).toMatchObject({ key: Buffer.from('k'), value: bytes, timestamp: 3 })
  expect(d.read()).toEqual([])
  await d.close()
  const strict = await run((b) => b.stream(input).to(output))
  await expect(strict.sendBytes('input', null, bytes, 3)).rejects.toMatchObject({ code: 'DESERIALIZATION' })
})

test('the clock stands until it is moved, and gives the timestamps that are not given', async () => {
  const d = await run((b) => b.stream(input).to(output), { startMs: 1000 })
  await d.send(input, 'k', 'a')
  await d.advanceWallClock(500)
  await d.send(input, 'k', 'b')
  expect(d.now).toBe(1500)
  expect(d.read(output).map(({ timestamp }) => timestamp)).toEqual([1000, 1500])
})

test('read takes what it gives, of one topic or of all', async () => {
  const d = await run((b) => {
    b.stream(input).to(output)
    b.stream(input).to(topic('second', { key: string, value: string }))
  })
  await d.send(input, 'k', 'a', 1)
  expect(d.read('second')).toHaveLength(1)
  expect(d.read('second')).toEqual([])
  expect(d.read()).toHaveLength(1)
  expect(d.read()).toEqual([])
})

test('keys go to the partitions that Kafka would choose, keyless records round all of them', async () => {
  const d = await run((b) => b.stream(input).to(output), { partitions: 3 })
  for (const key of ['21', 'foobar', 'abc']) await d.send(input, key, 'v', 1)
  // toPositive(murmur2) % 3 of Kafka's own vectors.
  expect(d.read().map(({ partition }) => partition)).toEqual(
    [-973932308, -790332482, 479470107].map((hash) => (hash & 0x7fffffff) % 3),
  )
  for (let i = 0; i < 9; i++) await d.send(input, null, 'v', 1)
  expect(new Set(d.read().map(({ partition }) => partition)).size).toBe(3)
})

test('a topic that the topology does not read is refused by name', async () => {
  const d = await run((b) => b.stream(input).to(output))
  await expect(d.send(output, 'k', 'v')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('output'),
    hint: expect.stringContaining('input'),
  })
})

test('after a restart counts go on, and what only a variable knew is gone', async () => {
  let seen = 0
  const topology = defineTopology('restarted', (b) => {
    b.stream(lines)
      .peek(() => seen++)
      .groupByKey()
      .count('lines')
      .toStream()
      .to(counts)
  })
  const d = await createTestDriver(topology, { partitions: 2 })
  driver = d
  for (const key of ['a', 'b', 'a']) await d.send(lines, key, 'x', 1)
  await d.restart()
  await d.restart()
  for (const key of ['a', 'b', 'c']) await d.send(lines, key, 'x', 2)
  expect(d.read(counts).map(({ key, value }) => `${key}${value}`)).toEqual(['a1', 'b1', 'a2', 'a3', 'b2', 'c1'])
  expect(seen, 'no record is processed again').toBe(6)
})

test('a topic that a pattern matches is there when it is first sent to; state goes on, and the largest has the partitions of all', async () => {
  const shops = topicPattern(/shop-.*/, { key: string, value: string })
  const d = await run(
    (b) => {
      const seen = b.globalTable(input, { store: 'seen' })
      b.stream(shops)
        .leftJoin(
          seen,
          (_, key) => key,
          (value, name) => `${name} ${value}`,
        )
        .groupByKey({ value: string })
        .reduce('all', (all, value) => `${all}, ${value}`)
        .toStream()
        .to(output)
    },
    { partitions: 2 },
  )
  await d.send(input, 'a', 'A')
  await d.send('shop-eu', 'a', '1')
  await d.send('shop-us', 'a', '2')
  await d.sendBytes('shop-apac', Buffer.from('a'), Buffer.from('3'))
  await d.send('shop-eu', 'a', '4')
  expect(d.read(output).map(({ value }) => value)).toEqual(['A 1', 'A 1, A 2', 'A 1, A 2, A 3', 'A 1, A 2, A 3, A 4'])
  await expect(d.send('shed-eu', 'a', 'x')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    hint: 'It reads: input, shop-apac, shop-eu, shop-us, /shop-.*/.',
  })
  await expect(d.send('driven-all-changelog', 'a', 'x')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})

test('topics that are given are there from the start', async () => {
  const shops = topicPattern(/shop-.*/, { key: string, value: string })
  let fired = 0
  const build = (b: StreamsBuilder): void =>
    b
      .stream(shops)
      .process('p', {
        on: () => undefined,
        punctuators: [{ type: 'wall-clock-time', every: '10s', punctuate: () => void fired++ }],
      })
      .foreach(() => undefined)
  const d = await run(build, { topics: ['shop-eu', 'shop-us'] })
  await d.advanceWallClock(6000)
  await d.send('shop-us', 'a', '1')
  await d.advanceWallClock(6000)
  expect(fired, 'no task has started anew').toBe(1)
})

test('a topic that comes while calls are under way waits for them: none is lost', async () => {
  const shops = topicPattern(/shop-.*/, { key: string, value: string })
  const waiting: (() => void)[] = []
  const d = await run((b) =>
    b
      .stream(shops)
      .mapAsync('call', (value) => new Promise<string>((resolve) => waiting.push(() => resolve(`${value}!`))))
      .to(topic('output', { key: string, value: string })),
  )
  const first = d.send('shop-eu', 'k', '0 eu')
  await expect.poll(() => waiting.length).toBe(1)
  const others = ['us', 'eu', 'apac'].map((shop, i) => d.send(`shop-${shop}`, 'k', `${i + 1} ${shop}`))
  const answering = setInterval(() => waiting.shift()?.(), 1)
  await Promise.all([first, ...others]).finally(() => clearInterval(answering))
  expect(d.read().map(({ value }) => value)).toEqual(['0 eu!', '1 us!', '2 eu!', '3 apac!'])
})
