/** Windows that are closed when inputs are idle, through compiler, tasks and driver. */

import {
  defineTopology,
  int64,
  json,
  type StreamsBuilder,
  Suppressed,
  string,
  type TopologyOptions,
  topic,
  Windows,
  windowed,
} from 'streamctl'
import { createTestDriver, type TestDriver } from 'streamctl/testing'
import { afterEach, expect, test } from 'vitest'

const input = topic('input', { key: string, value: string })
const others = topic('others', { key: string, value: string })
const counts = topic('counts', { key: windowed(string, 10), value: int64 })
const late = topic('late', { key: string, value: string })
const out = topic('out', { key: string, value: json<string>() })

const texts = topic('texts', { key: string, value: string })

const open: TestDriver[] = []
afterEach(async () => {
  for (const driver of open.splice(0)) await driver.close()
})

async function run(
  build: (b: StreamsBuilder) => void,
  options: TopologyOptions = { idleClose: '30s' },
): Promise<TestDriver> {
  const driver = await createTestDriver(defineTopology('idle', build, options))
  open.push(driver)
  return driver
}

const shown = (driver: TestDriver): readonly string[] =>
  driver.read().map(({ key, value, timestamp, headers }) => {
    expect(headers).toEqual([])
    const { key: inner, start, end } = key as { key: string; start: number; end: number }
    return `${inner}[${start},${end}]=${value}@${timestamp}`
  })

const finals = (b: StreamsBuilder) =>
  b
    .stream(input)
    .groupByKey()
    .windowedBy(Windows.tumbling(10, { grace: 5 }))
    .count('counts', { emit: 'final', late })
    .toStream()
    .to(counts)

test('a window closes when its inputs have been quiet for long enough, once, and later records are late for it', async () => {
  const d = await run(finals)
  await d.send(input, 'a', 'x', 3)
  await d.send(input, 'b', 'x', 12)
  await d.advanceWallClock(29_999)
  expect(shown(d)).toEqual([])
  await d.advanceWallClock(1)
  expect(shown(d)).toEqual(['a[0,10]=1@3', 'b[10,20]=1@12'])
  await d.advanceWallClock(100_000)
  expect(shown(d)).toEqual([])
  await d.send(input, 'b', 'x', 13)
  expect(
    d.read().map(({ topic, headers }) => [topic, headers.map(({ key, value }) => `${key}=${value}`).at(-1)]),
  ).toEqual([['late', 'streamctl.late.stream-time=25']])
  // The newest window was [10, 20): what comes after it is in time.
  await d.send(input, 'b', 'x', 20)
  await d.advanceWallClock(30_000)
  expect(shown(d)).toEqual(['b[20,30]=1@20'])
})

test('a record begins the time of quiet anew', async () => {
  const d = await run(finals)
  await d.send(input, 'a', 'x', 3)
  await d.advanceWallClock(20_000)
  await d.send(input, 'a', 'x', 4)
  await d.advanceWallClock(20_000)
  expect(shown(d)).toEqual([])
  await d.advanceWallClock(10_000)
  expect(shown(d)).toEqual(['a[0,10]=2@4'])
})

test('without idleClose only records close windows', async () => {
  const d = await run(finals, {})
  await d.send(input, 'a', 'x', 3)
  await d.advanceWallClock(1_000_000)
  expect(shown(d)).toEqual([])
})

test('every kind of window closes, and what one passes on is in the next, which is quiet from then', async () => {
  const d = await run((b) => {
    b.stream(input)
      .groupByKey()
      .windowedBy(Windows.session(5, { grace: 0 }))
      .count('visits', { emit: 'final' })
      .toStream()
      .map((n, { key }) => [key, String(n)])
      .groupByKey({ name: 'again', key: string, value: string })
      .windowedBy(Windows.sliding(10, { grace: 3 }))
      .reduce('near', (all, n) => `${all}${n}`, { emit: 'final' })
      .toStream()
      .map((all, { key, start, end }) => [key, `[${start},${end}]=${all}`])
      .to(out)
  })
  await d.send(input, 'a', 'x', 20)
  await d.send(input, 'b', 'x', 22)
  await d.send(input, 'a', 'x', 24)
  await d.advanceWallClock(30_000)
  expect(d.read()).toEqual([])
  await d.advanceWallClock(30_000)
  expect(d.read(out).map(({ value }) => value)).toEqual(['[12,22]=1', '[14,24]=2'])
})

test('a suppressed window is let go, and the aggregate before it takes no more records for it', async () => {
  const d = await run((b) => {
    b.stream(input)
      .groupByKey()
      .windowedBy(Windows.tumbling(10, { grace: 5 }))
      .count('counts')
      .filter((n) => n > 0n)
      .transformValues('kept', { serde: int64, transform: (n) => n })
      .suppress('final', Suppressed.untilWindowCloses('unbounded'))
      .toStream()
      .to(counts)
  })
  await d.send(input, 'a', 'x', 3)
  await d.send(input, 'a', 'x', 4)
  await d.advanceWallClock(30_000)
  expect(d.read(counts).map(({ value }) => value)).toEqual([2n])
  await d.send(input, 'a', 'x', 5)
  await d.advanceWallClock(30_000)
  expect(d.read()).toEqual([])
  await d.send(input, 'a', 'x', 17)
  await d.advanceWallClock(30_000)
  expect(d.read(counts).map(({ key, value }) => [key?.start, value])).toEqual([[10, 1n]])
})

test('an aggregate whose windows nobody waits for takes late records as ever', async () => {
  const d = await run((b) => {
    b.stream(input)
      .groupByKey()
      .windowedBy(Windows.tumbling(10, { grace: 5 }))
      .count('counts')
      .toStream()
      .to(counts)
  })
  await d.send(input, 'a', 'x', 3)
  await d.advanceWallClock(30_000)
  await d.send(input, 'a', 'x', 4)
  expect(d.read(counts).map(({ value }) => value)).toEqual([1n, 2n])
})

test('records without a match are given out alone', async () => {
  const d = await run((b) => {
    b.stream(input)
      .leftJoin(b.stream(others), (value, other) => `${value}/${other}`, Windows.join(10, { grace: 5 }), {
        name: 'joined',
      })
      .to(topic('out', { key: string, value: string }))
  })
  await d.send(input, 'a', 'x', 3)
  await d.send(others, 'b', 'y', 3)
  expect(d.read()).toEqual([])
  await d.advanceWallClock(30_000)
  expect(d.read().map(({ value }) => value)).toEqual(['x/null'])
  await d.send(others, 'a', 'y', 4)
  expect(d.read()).toEqual([])
})

test('records without a match of a join as in Kafka Streams are given out alone, and can be matched all the same', async () => {
  const d = await run((b) => {
    const windows = Windows.join(10, { grace: 5 })
    b.stream(input)
      .outerJoin(b.stream(others), (value, other) => `${value}/${other}`, windows, {
        name: 'joined',
        compat: 'kafka-streams',
      })
      .to(texts)
  })
  const read = () => d.read(texts).map(({ value, timestamp, headers }) => [value, timestamp, headers])
  await d.send(others, 'b', 'y', 4)
  await d.send(input, 'a', 'x', 3)
  await d.send(input, 'c', 'x', 4)
  await d.send(others, 'c', 'y', 4)
  expect(read()).toEqual([['x/y', 4, []]])
  await d.advanceWallClock(30_000)
  expect(read()).toEqual([
    ['x/null', 3, []],
    ['null/y', 4, []],
  ])
  await d.advanceWallClock(100_000)
  expect(read()).toEqual([])
  // Stream time is 4 + 10 + 5 + 1: what can only meet what has closed is not held any more.
  await d.send(others, 'a', 'z', 5)
  await d.send(input, 'd', 'old', 9)
  await d.send(input, 'd', 'new', 10)
  expect(read()).toEqual([
    ['x/z', 5, []],
    ['old/null', 9, []],
  ])
  await d.advanceWallClock(30_000)
  expect(read()).toEqual([['new/null', 10, []]])
})

const settled = (b: StreamsBuilder) =>
  b
    .stream(input)
    .leftJoin(b.table(others, { store: 'versions', history: 100 }), (value, other) => `${value}/${other}`, {
      name: 'settled',
      grace: 10,
    })

test('records that wait for the grace of a join look up what is known when the inputs are idle, in the order of their time', async () => {
  const d = await run((b) => settled(b).to(texts))
  const read = () => d.read(texts).map(({ value, timestamp }) => [value, timestamp])
  await d.send(input, 'a', 'x', 20)
  await d.send(input, 'b', 'x', 15)
  await d.send(others, 'a', 'row', 18)
  await d.advanceWallClock(29_999)
  expect(read()).toEqual([])
  await d.advanceWallClock(1)
  expect(read()).toEqual([
    ['x/null', 15],
    ['x/row', 20],
  ])
  await d.advanceWallClock(100_000)
  expect(read()).toEqual([])
  await d.send(input, 'a', 'y', 20)
  await d.send(input, 'a', 'z', 21)
  expect(read()).toEqual([['y/row', 20]])
  await d.send(others, 'a', 'later', 19)
  await d.advanceWallClock(30_000)
  expect(read()).toEqual([['z/later', 21]])
})

const counted = (b: StreamsBuilder, through: (stream: ReturnType<typeof settled>) => ReturnType<typeof settled>) =>
  through(settled(b))
    .groupByKey()
    .windowedBy(Windows.tumbling(10, { grace: 0 }))
    .count('counts', { emit: 'final' })
    .toStream()
    .to(counts)

test('what has waited is in the windows behind it when they close', async () => {
  const d = await run((b) => counted(b, (stream) => stream))
  await d.send(input, 'a', 'x', 28)
  // Older than the grace, so that its window is open already.
  await d.send(input, 'a', 'x', 17)
  await d.send(input, 'a', 'x', 19)
  await d.advanceWallClock(30_000)
  expect(shown(d)).toEqual(['a[10,20]=2@19', 'a[20,30]=1@28'])
})

test('windows behind calls close when the calls have ended', async () => {
  const d = await run((b) =>
    counted(b, (stream) => stream.mapAsync('call', async (value) => value, { concurrency: 1 })),
  )
  await d.send(input, 'a', 'x', 28)
  // Older than the grace, so that its window is open already.
  await d.send(input, 'a', 'x', 17)
  await d.send(input, 'a', 'x', 19)
  await d.advanceWallClock(30_000)
  expect(shown(d)).toEqual(['a[10,20]=2@19', 'a[20,30]=1@28'])
  expect(d.read()).toEqual([])
})
