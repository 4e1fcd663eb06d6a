/** Stores of the user's own under a topology, over crashes and restarts, and the rules that they are tried by. */

import { mkdtemp, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ByteStore,
  defineTopology,
  type StoreSupplier,
  type StreamsBuilder,
  string,
  topic,
  Windows,
} from 'streamctl'
import { checkStoreSupplier, createTestDriver, type TestDriver, type TestDriverOptions } from 'streamctl/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { journalFile, journalSupplier } from '../support/journal-store.ts'
import { type ListSupplier, listStore, listSupplier } from '../support/list-store.ts'

const words = topic('words', { key: string, value: string })

let dir: string
let driver: TestDriver | undefined
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'streamctl-supplied-'))
})
afterEach(async () => {
  await driver?.close()
  driver = undefined
  await rm(dir, { recursive: true, force: true })
})

async function run(storage: StoreSupplier, options: TestDriverOptions = {}): Promise<TestDriver> {
  const build = (b: StreamsBuilder): void => {
    const grouped = b.stream(words).groupByKey()
    grouped.count('n')
    grouped.windowedBy(Windows.tumbling(10, { grace: 100 })).count('windows')
    grouped.windowedBy(Windows.session(5, { grace: 100 })).count('sessions')
    grouped.count('own', { storage: 'memory' })
  }
  driver = await createTestDriver(defineTopology('t', build, { storage }), { commit: 'manual', ...options })
  return driver
}

async function rowsOf(d: TestDriver): Promise<readonly string[]> {
  const found: string[] = []
  for await (const { key, value } of d.store<string, bigint>('n').all()) found.push(`${key}=${value}`)
  for await (const { key, value } of d.store<string, bigint>('windows', 'window').all())
    found.push(`${key.key}@${key.start}=${value}`)
  for await (const { key, value } of d.store<string, bigint>('sessions', 'session').all())
    found.push(`${key.key}@${key.start}-${key.end}=${value}`)
  for await (const { key, value } of d.store<string, bigint>('own').all()) found.push(`own ${key}=${value}`)
  return found
}

async function feed(d: TestDriver): Promise<void> {
  for (const [key, at] of [
    ['a', 1],
    ['b', 2],
    ['a', 4],
    ['a', 14],
  ] as const)
    await d.send(words, key, 'x', at)
}

const committed = ['a=3', 'b=1', 'a@0=2', 'b@0=1', 'a@10=1', 'b@2-2=1', 'a@1-4=2', 'a@14-14=1', 'own a=3', 'own b=1']

describe.each([true, false])('a supplier whose rows outlive their store: %s', (keeps) => {
  let supplier: ListSupplier
  beforeEach(() => {
    supplier = listSupplier('lists', { keeps })
  })

  test.each([true, false])('holds what is committed over crashes, with a state directory: %s', async (onDisk) => {
    const d = await run(supplier, onDisk ? { stateDir: dir } : {})
    await feed(d)
    await d.commit()
    const before = await rowsOf(d)
    expect([...before].sort()).toEqual([...committed].sort())
    await d.send(words, 'a', 'x', 15)
    await d.crash()
    expect(await rowsOf(d)).toEqual(before)
    await d.commit()
    await d.restart()
    expect(await d.store<string, bigint>('n').get('a')).toMatchObject({ value: 4n })
    expect(supplier.opened).toHaveLength(3)
  })

  test('has a directory of its own where there is a state directory', async () => {
    await run(supplier, { stateDir: dir })
    const own = join(dir, '0_0.lists')
    expect(supplier.opened).toEqual([{ appId: 't', task: '0_0', dir: own }])
    expect((await stat(own)).isDirectory()).toBe(true)
  })

  test('keeps to the rules', () => checkStoreSupplier(supplier))
})

test('a supplier that keeps a journal of changes keeps to the rules', () =>
  checkStoreSupplier(journalSupplier('journal')))

test('a journal whose last change was cut short by a crash is restored from there on', async () => {
  const supplier = journalSupplier('journal')
  const d = await run(supplier, { stateDir: dir })
  const path = join(dir, '0_0.journal', journalFile)
  // Up to the commit that is written to the journal: the changelog has nothing after it that would mend its rows by chance.
  let feeds = 0
  for (const { size } = await stat(path); (await stat(path)).size === size; feeds++) {
    await feed(d)
    await d.commit()
  }
  const before = await rowsOf(d)
  await truncate(path, (await stat(path)).size - 1)
  await d.crash()
  expect(await rowsOf(d)).toEqual(before)
  await feed(d)
  await d.restart()
  expect(await rowsOf(d)).toContain(`a=${3 * (feeds + 1)}`)
})

test('rows of another time than their checkpoint are restored, and a lost checkpoint takes its rows along', async () => {
  const supplier = listSupplier('lists', { keeps: true })
  const d = await run(supplier)
  await feed(d)
  await d.commit()
  const before = await rowsOf(d)
  const rows = supplier.lists.get('t 0_0') ?? []
  // A row that no changelog has, which is to go with the others.
  const stray = rows.map(
    ([key, value]) => [Buffer.from(key.toString('latin1').replace(/a$/, 'z'), 'latin1'), value] as const,
  )
  supplier.lists.set(
    't 0_0',
    // The checkpoint is the row that begins with 0.
    [...rows, ...stray].filter(([key]) => key[0] !== 0).sort(([a], [b]) => a.compare(b)),
  )
  await d.crash()
  expect(await rowsOf(d)).toEqual(before)
  supplier.lists.set('t 0_0', [])
  await d.crash()
  expect(await rowsOf(d)).toEqual(before)
})

test('rows that their checkpoint speaks of are taken as they are: the changelog is read from there on', async () => {
  const supplier = listSupplier('lists', { keeps: true })
  const d = await run(supplier)
  await feed(d)
  await d.commit()
  const rows = supplier.lists.get('t 0_0') ?? []
  const without = rows.findIndex(([key]) => key.toString('latin1').startsWith('n\0') && key.at(-1) === 97)
  supplier.lists.set('t 0_0', rows.toSpliced(without, 1))
  await d.crash()
  // Nothing is read again that the checkpoint says is there.
  expect(await d.store<string, bigint>('n').get('a')).toBeUndefined()
})

function spoiled(spoil: (store: ByteStore) => Partial<ByteStore>): StoreSupplier {
  const good = listSupplier('spoiled', { keeps: true })
  return {
    name: 'spoiled',
    open: (context) => {
      const store = good.open(context) as ByteStore
      return { ...store, ...spoil(store) }
    },
  }
}

describe('what a store does wrong is told with its supplier', () => {
  test.each<[string, StoreSupplier, object]>([
    [
      'an async get',
      spoiled((store) => ({ get: (async (key: Buffer) => store.get(key)) as unknown as ByteStore['get'] })),
      { code: 'PROCESSING', message: expect.stringMatching(/^supplier spoiled: get: .* must not be async$/) },
    ],
    [
      'no methods',
      { name: 'spoiled', open: () => ({}) as ByteStore },
      {
        code: 'INVALID_ARGUMENT',
        message: 'supplier spoiled: what `open` gave has no get, write, deleteRange, scan, snapshot, close',
      },
    ],
    [
      'an open that fails',
      { name: 'spoiled', open: () => Promise.reject(new Error('no route')) },
      { code: 'INVALID_ARGUMENT', message: 'supplier spoiled: open of task 0_0: no route', where: { task: '0_0' } },
    ],
  ])('%s, at the start', async (_, supplier, error) => {
    await expect(run(supplier)).rejects.toMatchObject(error)
  })

  test('a write that fails ends it, and the rest is there after a restart', async () => {
    let isFull = false
    const supplier = spoiled((store) => ({
      write: async (writes) => {
        if (isFull) throw new Error('full')
        await store.write(writes)
      },
    }))
    const d = await run(supplier)
    await feed(d)
    isFull = true
    await expect(d.commit()).rejects.toMatchObject({ code: 'PROCESSING', message: 'supplier spoiled: write: full' })
    isFull = false
    await d.crash()
    expect(await d.store<string, bigint>('n').get('a')).toMatchObject({ value: 3n })
  })
})

describe('checkStoreSupplier finds', () => {
  test.each<[string, StoreSupplier, RegExp]>([
    [
      'a deleteRange that takes its end along',
      spoiled((store) => ({ deleteRange: (from, to) => store.deleteRange(from, Buffer.concat([to, Buffer.of(0)])) })),
      /ranges hold their start and not their end/,
    ],
    [
      'a store that keeps the buffers it is given',
      { name: 'spoiled', open: () => keepingBuffers() },
      /what it was given may be overwritten/,
    ],
    [
      'a snapshot that goes on with the store',
      spoiled((store) => ({
        snapshot: () => ({
          get: async (key) => store.get(key),
          scan: (from, to) => store.scan(from, to),
          close: async () => undefined,
        }),
      })),
      /a snapshot has the rows of its moment/,
    ],
    [
      'a write that is left by half',
      spoiled((store) => ({
        write: (writes) => store.write(writes),
        close: async () => {
          if (store.get(Buffer.of(1))?.equals(Buffer.of(9)) === true)
            await store.write([{ key: Buffer.of(2), value: Buffer.of(2) }])
        },
      })),
      /after closing and opening again/,
    ],
    [
      'tasks that share their rows',
      (() => {
        const good = listSupplier('spoiled', { keeps: true })
        return { name: 'spoiled', open: (context) => good.open({ ...context, task: 'all' }) } as StoreSupplier
      })(),
      /each task has rows of its own/,
    ],
  ])('%s', async (_, supplier, rule) => {
    await expect(checkStoreSupplier(supplier)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(rule) as string,
    })
  })
})

function keepingBuffers(): ByteStore {
  let rows: readonly (readonly [Buffer, Buffer])[] = []
  const store = listStore({ get: () => rows, set: (given) => (rows = given) })
  return {
    ...store,
    write: async (writes) => {
      await store.write(writes)
      const given = new Map(writes.map((write) => [write.key.toString('latin1'), write]))
      rows = rows.map((row) => {
        const { key, value } = given.get(row[0].toString('latin1')) ?? {}
        return key === undefined || value == null ? row : [key, value]
      })
    },
  }
}
