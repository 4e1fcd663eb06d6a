/** Commits and crashes on the test driver. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineTopology, int64, json, type StreamsBuilder, string, topic } from 'streamctl'
import { createTestDriver, type TestDriver, type TestDriverOptions } from 'streamctl/testing'
import { afterEach, describe, expect, test } from 'vitest'

const words = topic('words', { key: string, value: string })
const counts = topic('counts', { key: string, value: int64 })
const other = topic('other', { key: string, value: json<number>() })

let driver: TestDriver | undefined
afterEach(async () => {
  await driver?.close()
  driver = undefined
})

async function run(build: (b: StreamsBuilder) => void, options: TestDriverOptions): Promise<TestDriver> {
  driver = await createTestDriver(defineTopology('t', build), options)
  return driver
}

const counting = (b: StreamsBuilder): void => b.stream(words).groupByKey().count('n').toStream().to(counts)
const byWord = (b: StreamsBuilder): void =>
  b
    .stream(words)
    .groupBy('by-word', (word) => word, { key: string })
    .count('n')
    .toStream()
    .to(counts)

const read = (d: TestDriver) => d.read(counts).map(({ key, value }) => `${key}${value}`)

describe('commits of the test', () => {
  test('nothing can be read before, and everything after', async () => {
    const d = await run(counting, { commit: 'manual' })
    await d.send(words, 'a', 'x')
    await d.send(words, 'a', 'x')
    expect([read(d), d.isCommitted]).toEqual([[], false])
    await d.commit()
    expect([read(d), d.isCommitted]).toEqual([['a1', 'a2'], true])
  })

  test('what went to a repartition topic belongs to the next one', async () => {
    const d = await run(byWord, { commit: 'manual' })
    await d.send(words, 'k', 'a')
    await d.commit()
    expect([read(d), d.isCommitted]).toEqual([[], false])
    await d.commit()
    expect([read(d), d.isCommitted]).toEqual([['a1'], true])
  })

  test('of one task leave those of others open', async () => {
    const d = await run(counting, { commit: 'manual', partitions: 2 })
    for (const key of ['a', 'b', 'a', 'b', 'c', 'd']) await d.send(words, key, 'x')
    expect(d.tasks).toEqual(['0_0', '0_1'])
    await d.commit('0_1')
    const first = read(d)
    await d.commit('0_0')
    const second = read(d)
    expect([first.length > 0, second.length > 0]).toEqual([true, true])
    expect([...first, ...second].sort()).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'd1'])
    expect(first.some((one) => second.some((other) => one[0] === other[0]))).toBe(false)
  })

  test('an input is waited for as the topology says', async () => {
    const build = (b: StreamsBuilder): void =>
      b
        .stream([words, topic('late', { key: string, value: string })])
        .groupByKey()
        .count('n')
        .toStream()
        .to(counts)
    driver = await createTestDriver(defineTopology('t', build, { maxTaskIdle: '1s' }), { commit: 'manual' })
    await driver.send(words, 'a', 'x', 1)
    await driver.send('late', 'b', 'x', 0)
    await driver.commit()
    expect(read(driver)).toEqual(['b1'])
    await driver.advanceWallClock(1000)
    await driver.commit()
    expect(read(driver)).toEqual(['a1'])
  })
})

describe('a crash', () => {
  test('undoes what is not committed, which is then processed again', async () => {
    const seen: string[] = []
    const d = await run(
      (b) =>
        b
          .stream(words)
          .peek((word) => seen.push(word))
          .groupByKey()
          .count('n')
          .toStream()
          .to(counts),
      { commit: 'manual' },
    )
    await d.send(words, 'a', 'x')
    await d.commit()
    await d.send(words, 'a', 'y')
    await d.send(words, 'b', 'z')
    await d.crash()
    await d.crash()
    expect([read(d), d.isCommitted]).toEqual([['a1'], false])
    await d.commit()
    expect(read(d)).toEqual(['a2', 'b1'])
    expect(seen).toEqual(['x', 'y', 'z', 'y', 'z', 'y', 'z'])
  })

  test('of one task leaves what others have written', async () => {
    const d = await run(byWord, { commit: 'manual' })
    await d.send(words, 'k', 'a')
    await d.commit()
    await d.send(words, 'k', 'b')
    await d.crash('1_0')
    await d.commit()
    expect(read(d)).toEqual(['a1'])
    await d.crash('0_0')
    await d.commit()
    expect(read(d)).toEqual(['b1'])
    await expect(d.crash('2_0')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      hint: expect.stringContaining('0_0, 1_0'),
    })
    await expect(d.commit('x')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('a record that fails, fails again, and what came before it is not lost', async () => {
    let isMended = false
    const d = await run(
      (b) =>
        b
          .stream(words)
          .mapValues((word) => {
            if (word === 'bad' && !isMended) throw new Error('bad word')
            return word
          })
          .groupBy('by-word', (word) => word, { key: string, value: string })
          .count('n')
          .toStream()
          .to(counts),
      {},
    )
    await d.send(words, 'k', 'a')
    await expect(d.send(words, 'k', 'bad')).rejects.toMatchObject({ code: 'PROCESSING' })
    await expect(d.crash()).rejects.toMatchObject({ code: 'PROCESSING' })
    isMended = true
    await d.crash()
    await d.send(words, 'k', 'a')
    expect(read(d)).toEqual(['a1', 'bad1', 'a2'])
  })

  test('nothing is committed or sent over a record that was processed by half, until it ends the tasks', async () => {
    const halves = topic('halves', { key: string, value: int64 })
    const d = await run(
      (b) => {
        const stream = b.stream(words)
        stream.groupByKey().count('n').toStream().to(halves)
        stream.foreach((word) => {
          if (word === 'bad') throw new Error('bad word')
        })
      },
      { commit: 'manual' },
    )
    const failure = { code: 'PROCESSING', message: expect.stringContaining('bad word') }
    await expect(d.send(words, 'k', 'bad')).rejects.toMatchObject(failure)
    await expect(d.commit()).rejects.toMatchObject(failure)
    await expect(d.send(words, 'k', 'good')).rejects.toMatchObject(failure)
    await expect(d.advanceWallClock(1)).rejects.toMatchObject(failure)
    await expect(d.restart()).rejects.toMatchObject(failure)
    expect(d.read()).toEqual([])
  })

  test('also when it was the commit that failed', async () => {
    let isMended = false
    const text = {
      ...json<string>(),
      serialize: (value: string) => {
        if (value === 'bad' && !isMended) throw new Error('does not serialize')
        return json.serialize(value)
      },
    }
    const d = await run(
      (b) =>
        b
          .stream(words)
          .groupByKey()
          .reduce('last', (_, word) => word, { serde: text })
          .toStream()
          .to(topic('last', { key: string, value: json<string>() })),
      {},
    )
    await d.send(words, 'k', 'a')
    await expect(d.send(words, 'k', 'bad')).rejects.toMatchObject({ code: 'SERIALIZATION' })
    isMended = true
    await d.crash()
    await d.send(words, 'k', 'c')
    expect(d.read('last').map(({ value }) => value)).toEqual(['a', 'bad', 'c'])
  })

  test('of a task with calls under way makes them again, and the send waits for those', async () => {
    const calls: ((value: string) => void)[] = []
    const d = await run(
      (b) =>
        b
          .stream(words)
          .mapAsync('call', () => new Promise<string>((resolve) => calls.push(resolve)))
          .groupByKey({ value: string })
          .count('n')
          .toStream()
          .to(counts),
      {},
    )
    const sent = d.send(words, 'k', 'a')
    await new Promise(setImmediate)
    const crashed = d.crash()
    while (calls.length < 2) await new Promise(setImmediate)
    for (const end of calls) end('x')
    await Promise.all([sent, crashed])
    expect(read(d)).toEqual(['k1'])
  })
})

test('state in a directory outlives a crash and a driver, and is behind the commits until the changelog is read', async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'streamctl-driver-'))
  try {
    const d = await run(counting, { stateDir })
    for (let i = 0; i < 40; i++) await d.send(words, `k${i % 3}`, 'x')
    await d.crash()
    for (let i = 0; i < 3; i++) await d.send(words, `k${i}`, 'x')
    expect(read(d).slice(-3)).toEqual(['k015', 'k114', 'k214'])
  } finally {
    await driver?.close()
    driver = undefined
    await rm(stateDir, { recursive: true })
  }
})

describe('partitions by topic', () => {
  const joined = (b: StreamsBuilder): void => {
    const table = b.table(other, { store: 'other' })
    b.stream(words)
      .join(table, (word, n) => `${word}${n}`)
      .foreach(() => undefined)
    b.stream(topic('alone', { key: string, value: string })).to(topic('out', { key: string, value: string }))
  }

  test('those that are not named have one', async () => {
    const d = await run(joined, { partitions: { words: 3, other: 3 } })
    expect(d.tasks).toEqual(['0_0', '0_1', '0_2', '1_0'])
  })

  test.each<[string, TestDriverOptions['partitions'], string]>([
    ['a topic that there is not', { word: 2 }, 'neither reads nor writes topic word'],
    ['no partition', { words: 0 }, '0 of topic words is no number of partitions'],
    ['half a partition', 1.5, 'partitions: 1.5 is no number of partitions'],
  ])('refuses %s', async (_, partitions = 1, message) => {
    await expect(run(joined, { partitions })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    })
  })

  test('inputs that are joined need the same number', async () => {
    await expect(run(joined, { partitions: { words: 2 } })).rejects.toMatchObject({ code: 'NOT_COPARTITIONED' })
  })
})
