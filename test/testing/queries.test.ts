import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import {
  defineTopology,
  int64,
  json,
  type StreamsBuilder,
  store,
  string,
  topic,
  topicPattern,
  Windows,
} from 'streamctl'
import { createTestDriver, type TestDriver, type TestDriverOptions } from 'streamctl/testing'
import { afterEach, describe, expect, test } from 'vitest'

const input = topic('input', { key: string, value: string })
const other = topic('other', { key: string, value: string })
const output = topic('output', { key: string, value: int64 })

let driver: TestDriver | undefined
afterEach(async () => {
  await driver?.close()
  driver = undefined
})

async function run(build: (b: StreamsBuilder) => void, options?: TestDriverOptions): Promise<TestDriver> {
  driver = await createTestDriver(defineTopology('queried', build), options)
  return driver
}

async function list<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const row of rows) found.push(row)
  return found
}

const counted = (b: StreamsBuilder): void => {
  b.stream(input).groupByKey().count('counts')
}

describe('a key-value store of the driver', () => {
  test('holds what the records have made of it, over all partitions, in the order of keys', async () => {
    const d = await run(counted, { partitions: 4 })
    for (let n = 0; n < 30; n++) await d.send(input, `k${n % 20}`, 'x', n)
    const counts = d.store<string, bigint>('counts')
    expect(await counts.get('k3')).toEqual({ value: 2n, timestamp: 23 })
    expect(await counts.get('nobody')).toBeUndefined()
    const all = await list(counts.all())
    expect(all.map(({ key }) => key)).toEqual(Array.from({ length: 20 }, (_, n) => `k${n}`).sort())
    expect(await list(counts.reverseAll())).toEqual(all.toReversed())
    expect((await list(counts.range('k12', 'k15'))).map(({ key }) => key)).toEqual(['k12', 'k13', 'k14', 'k15'])
    expect((await list(counts.prefixScan('k1', string))).map(({ key }) => key)).toHaveLength(11)
    expect(await counts.approximateNumEntries()).toBe(20)
    expect([counts.kind, counts.name]).toEqual(['key-value', 'counts'])
  })

  test('is of no task while no topic matches the pattern that it is read by', async () => {
    const eu = topic('orders-eu', { key: string, value: string })
    const d = await run((b) => {
      b.stream(topicPattern(/orders-.*/, { key: string, value: string }))
        .groupByKey()
        .count('counts')
    })
    const counts = d.store<string, bigint>('counts')
    const refused = {
      code: 'REBALANCE',
      message: 'store counts: there is no task yet that has it',
      hint: expect.stringContaining('No topic matches'),
    }
    await expect(counts.get('a')).rejects.toMatchObject(refused)
    await expect(list(counts.all())).rejects.toMatchObject(refused)
    expect(() => d.store('counts', 'key-value', { partition: 0 })).toThrow(expect.objectContaining(refused))
    await d.send(eu, 'a', 'x', 1)
    expect(await counts.get('a')).toEqual({ value: 1n, timestamp: 1 })
  })

  test.each<[string, (b: StreamsBuilder) => void]>([
    ['counts', counted],
    ['counts', (b) => [b.stream(input), b.globalTable(other, { store: 'counts' })]],
  ])('is not scanned by a prefix without its serde: %#', async (name, build) => {
    const d = await run(build)
    const table = d.store<string, unknown>(name)
    for (const serde of [undefined, null, {}]) {
      expect(() => table.prefixScan('k', serde as never)).toThrow(
        expect.objectContaining({
          code: 'INVALID_ARGUMENT',
          message: 'store counts was asked for the keys of a prefix without its serde',
          hint: expect.stringContaining("prefixScan('a', string)"),
        }),
      )
    }
  })

  test('of one partition, when it is named; each row is in the one of its key', async () => {
    const d = await run(counted, { partitions: 3 })
    for (let n = 0; n < 12; n++) await d.send(input, `k${n}`, 'x', n)
    const parts = await Promise.all(
      [0, 1, 2].map((partition) => list(d.store<string, bigint>('counts', 'key-value', { partition }).all())),
    )
    expect(parts.every((rows) => rows.length > 0)).toBe(true)
    const keys = parts.flat().map(({ key }) => key)
    expect(keys.toSorted()).toEqual((await list(d.store<string, bigint>('counts').all())).map(({ key }) => key))
    const [first] = parts[0] ?? []
    const elsewhere = d.store<string, bigint>('counts', 'key-value', { partition: 1 })
    expect(await elsewhere.get(first?.key as string)).toBeUndefined()
    expect(() => d.store('counts', 'key-value', { partition: 3 })).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: 'store counts has no partition 3',
        hint: 'Its partitions are 0 to 2.',
      }),
    )
  })

  test('is the same handle after a restart, and over a repartition', async () => {
    const d = await run(
      (b) =>
        b
          .stream(input)
          .groupBy('by-value', (value) => value, { key: string, value: string })
          .count('values')
          .toStream()
          .to(output),
      { partitions: 3 },
    )
    const values = d.store<string, bigint>('values')
    await d.send(input, 'a', 'x', 1)
    await d.send(input, 'b', 'x', 2)
    await d.send(input, 'c', 'y', 3)
    const before = await list(values.all())
    expect(before).toEqual([
      { key: 'x', value: 2n, timestamp: 2 },
      { key: 'y', value: 1n, timestamp: 3 },
    ])
    await d.restart()
    expect(await list(values.all())).toEqual(before)
    await d.send(input, 'a', 'y', 4)
    expect(await values.get('y')).toEqual({ value: 2n, timestamp: 4 })
  })

  test('of a processor: a key of its own is found in whatever partition it is', async () => {
    const totals = store({ key: string, value: json<number>(), name: 'totals' })
    const d = await run(
      (b) => {
        b.stream(input).process('total', {
          stores: { totals },
          on: ({ value }, { stores }) => stores.totals.put(value, value.length),
        })
      },
      { partitions: 5 },
    )
    for (const value of ['one', 'three', 'thirteen']) await d.send(input, 'same', value, 1)
    const stored = d.store<string, number>('totals')
    for (const value of ['one', 'three', 'thirteen']) {
      expect(await stored.get(value)).toEqual({ value: value.length, timestamp: 1 })
    }
  })

  test('what a failed record wrote before it failed is not seen', async () => {
    const totals = store({ key: string, value: json<number>(), name: 'totals' })
    const d = await run((b) => {
      b.stream(input).process('total', {
        stores: { totals },
        on: ({ key, value }, { stores }) => {
          stores.totals.put(key, value.length)
          if (value === 'bad') throw new Error('no')
        },
      })
    })
    await d.send(input, 'k', 'good', 1)
    await expect(d.send(input, 'k', 'bad', 2)).rejects.toThrow('no')
    expect(await d.store('totals').get('k')).toEqual({ value: 4, timestamp: 1 })
  })

  test('a table is one, with a ttl too', async () => {
    const d = await run((b) => {
      b.table(input, { store: 'names' })
      b.table(other, { store: 'short', ttl: 10 })
    })
    await d.send(input, 'k', 'name', 1)
    await d.send(other, 'k', 'x', 1)
    await d.send(other, 'l', 'y', 11)
    expect(await list(d.store('names').all())).toEqual([{ key: 'k', value: 'name', timestamp: 1 }])
    expect(await list(d.store('short').all())).toEqual([{ key: 'l', value: 'y', timestamp: 11 }])
  })
})

describe('windows of the driver', () => {
  test('tumbling and hopping ones, with the keys of the DSL, until they have ended', async () => {
    const d = await run(
      (b) => {
        b.stream(input)
          .groupByKey()
          .windowedBy(Windows.hopping(10, { advance: 5, grace: 5 }))
          .count('counts')
      },
      { partitions: 3 },
    )
    await d.send(input, 'a', 'x', 7)
    await d.send(input, 'b', 'x', 7)
    await d.send(input, 'a', 'x', 11)
    const counts = d.store<string, bigint>('counts', 'window')
    expect(await counts.fetch('a', 5)).toEqual({ value: 2n, timestamp: 11 })
    expect(await counts.fetch('a', 6)).toBeUndefined()
    expect(await list(counts.fetch('a', 0, 5))).toEqual([
      { key: { key: 'a', start: 0, end: 10 }, value: 1n, timestamp: 7 },
      { key: { key: 'a', start: 5, end: 15 }, value: 2n, timestamp: 11 },
    ])
    expect((await list(counts.all())).map(({ key }) => [key.start, key.key])).toEqual([
      [0, 'a'],
      [0, 'b'],
      [5, 'a'],
      [5, 'b'],
      [10, 'a'],
    ])
    await d.send(input, 'a', 'x', 15)
    expect(await counts.fetch('a', 0)).toBeUndefined()
    expect((await list(counts.fetchAll(0, 5))).map(({ key }) => [key.start, key.key])).toContainEqual([5, 'a'])
  })

  test('sliding ones', async () => {
    const d = await run((b) => {
      b.stream(input)
        .groupByKey()
        .windowedBy(Windows.sliding(10, { grace: 5 }))
        .count('counts')
    })
    await d.send(input, 'a', 'x', 20)
    await d.send(input, 'a', 'x', 25)
    const counts = d.store<string, bigint>('counts', 'window')
    expect((await list(counts.fetch('a', 0, 100))).map(({ key, value }) => [key.start, key.end, value])).toEqual([
      [10, 20, 1n],
      [15, 25, 2n],
      [21, 31, 1n],
    ])
    expect(await counts.fetch('a', 15)).toEqual({ value: 2n, timestamp: 25 })
  })

  test('sessions', async () => {
    const d = await run(
      (b) => {
        b.stream(input)
          .groupByKey()
          .windowedBy(Windows.session(10, { grace: 5 }))
          .count('counts')
      },
      { partitions: 2 },
    )
    for (const time of [1, 5, 14, 30]) await d.send(input, 'a', 'x', time)
    await d.send(input, 'b', 'x', 30)
    const counts = d.store<string, bigint>('counts', 'session')
    expect(await list(counts.fetch('a'))).toEqual([{ key: { key: 'a', start: 30, end: 30 }, value: 1n, timestamp: 30 }])
    await d.send(input, 'a', 'x', 28)
    expect(await list(counts.all())).toEqual([
      { key: { key: 'a', start: 28, end: 30 }, value: 2n, timestamp: 30 },
      { key: { key: 'b', start: 30, end: 30 }, value: 1n, timestamp: 30 },
    ])
    expect(await counts.fetchSession('a', 28, 30)).toEqual({ value: 2n, timestamp: 30 })
    expect(await list(counts.findSessions('a', 31, 40))).toEqual([])
  })

  test('a versioned table, as of any time within its history', async () => {
    const d = await run(
      (b) => {
        b.table(input, { store: 'names', history: 100 })
      },
      { partitions: 3 },
    )
    for (const time of [10, 30, 20, 40]) await d.send(input, 'a', `at ${time}`, time)
    await d.send(input, 'b', 'one', 5)
    await d.send(input, 'b', null, 50)
    const names = d.store<string, string>('names', 'versioned')
    expect(
      await Promise.all([undefined, 40, 39, 25, 10, 9].map(async (time) => (await names.get('a', time))?.value)),
    ).toEqual(['at 40', 'at 40', 'at 30', 'at 20', 'at 10', undefined])
    expect(await names.get('b')).toBeUndefined()
    expect(await names.get('b', 49)).toEqual({ value: 'one', timestamp: 5 })
    expect(await list(names.all())).toEqual([{ key: 'a', value: 'at 40', timestamp: 40 }])
    await d.send(input, 'a', 'later', 125)
    expect(await names.get('a', 25)).toEqual({ value: 'at 20', timestamp: 20 })
    expect(await names.get('a', 24)).toBeUndefined()
  })

  test('are asked for as what they are', async () => {
    const d = await run((b) => {
      counted(b)
      b.stream(input)
        .groupByKey()
        .windowedBy(Windows.session(10, { grace: 5 }))
        .count('sessions')
    })
    const refused = (message: string, hint: string) =>
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message, hint })
    expect(() => d.store('sessions')).toThrow(
      refused(
        'store sessions is a session store, and was asked for as key-value',
        "Read it with store('sessions', 'session').",
      ),
    )
    expect(() => d.store('counts', 'window')).toThrow(
      refused(
        'store counts is a key-value store, and was asked for as window',
        "Read it with store('counts', 'key-value').",
      ),
    )
  })
})

describe('between two commits', () => {
  test('what an open transaction has written is not seen, nor after a crash', async () => {
    const d = await run(counted, { commit: 'manual' })
    const counts = d.store<string, bigint>('counts')
    await d.send(input, 'k', 'x', 1)
    expect(await counts.get('k')).toBeUndefined()
    await d.commit()
    await d.send(input, 'k', 'x', 2)
    expect(await counts.get('k')).toEqual({ value: 1n, timestamp: 1 })
    await d.crash()
    expect(await list(counts.all())).toEqual([{ key: 'k', value: 1n, timestamp: 1 }])
    await d.commit()
    expect(await counts.get('k')).toEqual({ value: 2n, timestamp: 2 })
  })

  test('a scan that goes on while records are processed and committed sees what was there', async () => {
    const d = await run(counted, { partitions: 2 })
    for (let n = 0; n < 10; n++) await d.send(input, `k${n}`, 'x', n)
    let seen = 0
    for await (const { key, value } of d.store<string, bigint>('counts').all()) {
      expect([key, value]).toEqual([`k${seen++}`, 1n])
      await d.send(input, 'k9', 'x', 10 + seen)
      await d.send(input, `k0${seen}`, 'x', 10 + seen)
    }
    expect(seen).toBe(10)
  })

  test('a scan that a restart cuts off says so', async () => {
    const d = await run(counted)
    for (let n = 0; n < 3; n++) await d.send(input, `k${n}`, 'x', n)
    const rows = d.store('counts').all()[Symbol.asyncIterator]()
    await rows.next()
    await d.restart()
    await expect(rows.next()).rejects.toMatchObject({
      code: 'REBALANCE',
      message: 'the store was closed while it was read',
    })
  })

  test('a store holds what has come out of it, whatever is sent, committed and crashes', {
    timeout: 60_000,
  }, async () => {
    const topology = defineTopology('queried', (b) =>
      b
        .stream(input)
        .groupBy('by-value', (value) => value, { key: string, value: string })
        .count('counts')
        .toStream()
        .to(output),
    )
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('send' as const), value: fc.constantFrom(...'abcdef') }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('commit' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
    )
    const steps = fc.array(step, { maxLength: 60, size: 'max' })
    const directory = await mkdtemp(join(tmpdir(), 'streamctl-queries-'))
    let count = 0
    const property = fc.asyncProperty(steps, fc.boolean(), async (steps, onDisk) => {
      const stateDir = join(directory, `${count++}`)
      const d = await createTestDriver(topology, { partitions: 2, commit: 'manual', ...(onDisk && { stateDir }) })
      const counts = d.store<string, bigint>('counts')
      const expected = new Map<string, bigint>()
      for (const [time, one] of steps.entries()) {
        if (one.kind === 'send') await d.send(input, `${time}`, one.value, time)
        else if (one.kind === 'commit') await d.commit()
        else await d.crash()
        for (const { key, value } of d.read(output)) expected.set(key as string, value as bigint)
        const found = (await list(counts.all())).map(({ key, value }) => [key, value])
        expect(found).toEqual([...expected].sort(([a], [b]) => (a < b ? -1 : 1)))
        for (const key of 'abcdef') expect((await counts.get(key))?.value).toBe(expected.get(key))
      }
      await d.close()
    })
    try {
      await fc.assert(property, { numRuns: 25 })
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})

test('a global table is one of the stores, without partitions', async () => {
  const d = await run(
    (b) => {
      const names = b.globalTable(other, { store: 'names' })
      b.stream(input)
        .join(
          names,
          (_value, key) => key,
          (_value, name) => name,
          { name: 'named' },
        )
        .to(topic('named', { key: string, value: string }))
    },
    { partitions: 3 },
  )
  const names = d.store<string, string>('names')
  expect(await names.get('a')).toBeUndefined()
  for (const key of ['b', 'c', 'a']) await d.send(other, key, `name of ${key}`, 1)
  await d.send(other, 'c', null, 2)
  expect(await list(names.all())).toEqual([
    { key: 'a', value: 'name of a', timestamp: 1 },
    { key: 'b', value: 'name of b', timestamp: 1 },
  ])
  expect(() => d.store('names', 'key-value', { partition: 0 })).toThrow(
    'store names is a global table, and has no partitions',
  )
  expect(() => d.store('names', 'window')).toThrow('store names is a key-value store, and was asked for as window')
  expect(() => d.store('nmaes')).toThrow(expect.objectContaining({ hint: 'It has: names (key-value).' }))
})

test('a store that is not there, or not to be read, is refused with those that are', async () => {
  const d = await run((b) => {
    counted(b)
    b.table(other, { store: 'names' })
    b.stream(input).join(b.stream(other), (one, two) => one + two, Windows.join(5, { grace: 0 }), { name: 'joined' })
  })
  for (const name of ['coutns', 'joined-this-join-store']) {
    expect(() => d.store(name)).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: `the topology has no store ${name} that can be read`,
        hint: 'It has: counts (key-value), names (key-value).',
      }),
    )
  }
  await driver?.close()
  const none = await run((b) => b.stream(input).mapValues(BigInt).to(output))
  expect(() => none.store('any')).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('none at all') as string }),
  )
})
