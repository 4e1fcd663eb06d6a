import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type TimeWindows, Windows } from '../../src/common/windows.ts'
import type { CacheLimits } from '../../src/state/clean-rows.ts'
import { openLevel } from '../../src/state/level.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import type { ByteStore } from '../../src/state/store.ts'
import { OverlayWindowStore } from '../../src/state/window.ts'
import { dump, json, text } from './codecs.ts'
import { collect, commit, seal } from './commit.ts'
import { Life, type LifeStep, lifeSteps, type World } from './life.ts'

interface Value {
  readonly n: number
}

const windows = Windows.hopping(10, { advance: 5, grace: 10 })

function open(
  bytes: ByteStore,
  limits: CacheLimits & { readonly latestStored?: number } = {},
  of: TimeWindows = windows,
): OverlayWindowStore<string, Value> {
  return new OverlayWindowStore({ name: 'w', key: text, value: json<Value>(), windows: of, bytes, ...limits })
}

describe('bytes of a window store', () => {
  test('the row is `store 00 start key`, the changelog row `key start 0`, as WindowKeySchema', () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    store.put('ab', 0x1_0000_0005, { n: 1 }, 0x1_0000_0007)
    store.put('ab', 10, null, 12)
    const rows = seal(store)
    store.settle()
    const writes = collect(store)
    expect(rows.map((row) => row.key.toString('hex'))).toEqual([
      '6162' + '0000000100000005' + '00000000',
      '6162' + '000000000000000a' + '00000000',
    ])
    expect(rows.map((row) => row.value?.toString() ?? null)).toEqual(['{"n":1}', null])
    expect(writes.map((write) => write.key.toString('hex'))).toEqual([
      '7700' + '0000000100000005' + '6162',
      '7700' + '000000000000000a' + '6162',
    ])
    expect(writes[0]?.value?.toString('hex')).toBe('0000000100000007' + '7b226e223a317d')
    expect(rows.map((row) => open(bytes).restore(row))).toEqual(writes)
  })

  test('a changelog key that holds no window is corrupt', () => {
    expect(() => open(new MemoryByteStore()).restore({ key: Buffer.from('k'), value: null, timestamp: 1 })).toThrow(
      expect.objectContaining({ code: 'CORRUPT', hint: expect.stringContaining('another application id') as string }),
    )
  })
})

describe('stream time', () => {
  test('goes back with a discard to that of the last settled seal', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    store.streamTime = 10
    await commit(store, bytes)
    store.streamTime = 20
    seal(store)
    store.streamTime = 30
    store.discard()
    expect(store.streamTime).toBe(10)
    store.streamTime = 40
    seal(store)
    store.streamTime = 50
    store.settle()
    store.discard()
    expect(store.streamTime).toBe(40)
  })

  test('is recovered from the checkpoint and from restored rows, whichever is later', () => {
    const store = open(new MemoryByteStore())
    store.recoverStreamTime(100)
    for (const row of seal(filled())) store.restore(row)
    expect(store.streamTime).toBe(107)
    store.recoverStreamTime(50)
    store.discard()
    expect(store.streamTime).toBe(107)
  })

  function filled(): OverlayWindowStore<string, Value> {
    const store = open(new MemoryByteStore())
    store.put('a', 0, { n: 1 }, 3)
    store.put('a', 100, { n: 1 }, 107)
    return store
  }
})

describe('expiry', () => {
  test('a window goes when stream time reaches its end + grace, not a ms before', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    store.put('a', 5, { n: 1 }, 5)
    store.put('a', 10, { n: 2 }, 12)
    store.streamTime = 24
    await commit(store, bytes)
    await store.expire()
    expect(store.get('a', 5)?.value).toEqual({ n: 1 })
    store.streamTime = 25
    await store.expire()
    expect(store.get('a', 5)?.value).toEqual({ n: 1 })
    await commit(store, bytes)
    await store.expire()
    expect(store.get('a', 5)).toBeUndefined()
    expect(store.cachedRows).toBe(1)
    expect((await dump(bytes)).map((row) => row.split('=')[0])).toEqual(['7700000000000000000a61'])
  })

  test('nothing is deleted on the word of a record that is then aborted', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    store.put('a', 5, { n: 1 }, 5)
    store.streamTime = 5
    await commit(store, bytes)
    store.streamTime = 1_000_000
    await store.expire()
    store.discard()
    expect(store.get('a', 5)?.value).toEqual({ n: 1 })
    expect(store.streamTime).toBe(5)
  })

  test('rows of a window that closes before they are flushed never reach the bytes', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    store.put('a', 0, { n: 1 }, 5)
    store.put('b', 100, { n: 1 }, 105)
    seal(store)
    store.settle()
    store.streamTime = 105
    seal(store)
    store.settle()
    expect(collect(store).map(({ key }) => key.toString('hex'))).toEqual(['7700' + '0000000000000064' + '62'])
    store.flushed()
    await store.expire()
    expect([store.cachedRows, store.unflushedRows]).toEqual([1, 0])
    expect(store.get('a', 0)).toBeUndefined()
  })

  test('a write to a window that has expired is kept by the store, and deleted in its turn', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    store.put('a', 0, { n: 1 }, 1)
    store.streamTime = 100
    await commit(store, bytes)
    store.put('pinned', 0, { n: 1 }, 1)
    expect(store.get('a', 0)?.value).toEqual({ n: 1 })
    await store.expire()
    // The clean row has left memory, the dirty one of its window not: the next write must not go to the row that left.
    store.put('a', 0, { n: 2 }, 2)
    expect(store.get('pinned', 0)?.value).toEqual({ n: 1 })
    expect(store.get('a', 0)?.value).toEqual({ n: 2 })
    await commit(store, bytes)
    await store.expire()
    expect(await dump(bytes)).toHaveLength(0)
    store.put('a', 5, { n: 3 }, 5)
    await commit(store, bytes)
    await store.expire()
    expect(await dump(bytes)).toHaveLength(0)
    expect(store.get('a', 5)).toBeUndefined()
  })

  test('a row restored into a window that has expired is deleted in its turn', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    store.put('a', 0, { n: 1 }, 1)
    store.streamTime = 100
    const rows = await commit(store, bytes)
    await store.expire()
    for (const row of rows) await bytes.write([store.restore(row)])
    expect(await dump(bytes)).toHaveLength(1)
    await store.expire()
    expect(await dump(bytes)).toHaveLength(0)
  })

  test('asks nothing of the bytes while no further window has closed', async () => {
    const bytes = new MemoryByteStore()
    let asked = 0
    const counting: ByteStore = {
      get: (key) => bytes.get(key),
      write: (writes) => bytes.write(writes),
      scan: (from, to) => bytes.scan(from, to),
      diskBytes: () => bytes.diskBytes(),
      snapshot: () => bytes.snapshot(),
      close: () => bytes.close(),
      deleteRange: (from, to) => {
        asked++
        return bytes.deleteRange(from, to)
      },
    }
    const store = open(counting)
    for (let time = 0; time <= 100; time++) {
      store.streamTime = time
      store.put('a', time - (time % 5), { n: 1 }, time)
      await commit(store, counting)
      await store.expire()
    }
    // Starts 0, 5 ... 80 have closed, each at its own moment.
    expect(asked).toBe(17)
    expect(await dump(bytes)).toHaveLength(4)
  })

  test('a range that could not be deleted is tried again', async () => {
    const bytes = new MemoryByteStore()
    let fail = true
    const failing: ByteStore = {
      get: (key) => bytes.get(key),
      write: (writes) => bytes.write(writes),
      scan: (from, to) => bytes.scan(from, to),
      diskBytes: () => bytes.diskBytes(),
      snapshot: () => bytes.snapshot(),
      close: () => bytes.close(),
      deleteRange: async (from, to) => {
        if (fail) throw new Error('disk')
        await bytes.deleteRange(from, to)
      },
    }
    const store = open(failing)
    store.put('a', 0, { n: 1 }, 5)
    store.streamTime = 100
    await commit(store, failing)
    await expect(store.expire()).rejects.toThrow('disk')
    fail = false
    await store.expire()
    expect(await dump(bytes)).toHaveLength(0)
  })

  test('reading windows that are not there fills no memory', () => {
    const store = open(new MemoryByteStore())
    for (let start = 0; start < 1000; start += 5) expect(store.get('a', start)).toBeUndefined()
    expect(store.cachedRows).toBe(0)
  })
})

// The model: rows by key and start. Only windows that are open by the live stream time are read and written, as operators do.

type Step =
  | { readonly do: 'put' | 'delete' | 'get'; readonly key: number; readonly back: number; readonly n: number }
  | { readonly do: 'advance'; readonly by: number }
  | LifeStep

const keyed = { key: fc.integer({ min: 0, max: 2 }), back: fc.integer({ min: 0, max: 5 }), n: fc.nat(99) }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), ...keyed }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), ...keyed }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('get' as const), ...keyed }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), by: fc.integer({ min: 1, max: 9 }) }) },
  ...lifeSteps,
)
const limits: fc.Arbitrary<CacheLimits> = fc.constantFrom({}, { cacheRows: 0 }, { cacheRows: 2 }, { cacheBytes: 400 })

type ModelRow = { readonly n: number; readonly timestamp: number } | null
interface Rows extends World {
  readonly rows: ReadonlyMap<string, ModelRow>
}

const { sizeMs, graceMs, advanceMs } = windows

const isOpen = (start: number, time: number): boolean => start + sizeMs > time - graceMs

/** What is left of a state in the bytes, when what is closed is deleted. */
function openRows({ rows, time }: Rows): readonly string[] {
  return [...rows]
    .flatMap(([name, row]) => (row !== null && isOpen(Number(name.split('@')[1]), time) ? [name] : []))
    .sort()
}

async function storedRows(bytes: ByteStore): Promise<readonly string[]> {
  return (await dump(bytes))
    .map((row) => Buffer.from(row.split('=')[0] ?? '', 'hex'))
    .map((row) => `${row.subarray(10).toString()}@${row.readUInt32BE(6)}`)
    .sort()
}

async function follow(bytes: ByteStore, steps: readonly Step[], cache: CacheLimits): Promise<void> {
  /** What was written since the last seal. */
  let changed = new Set<string>()
  const check = (store: OverlayWindowStore<string, Value>, { rows }: Rows, k: number, start: number): void => {
    const row = store.get(`k${k}`, start)
    expect(row === undefined ? null : { n: row.value.n, timestamp: row.timestamp }).toEqual(
      rows.get(`k${k}@${start}`) ?? null,
    )
  }
  const life = new Life<OverlayWindowStore<string, Value>, Rows>({
    bytes,
    nothing: { time: -1, rows: new Map() },
    open: (flushed) => open(bytes, { ...cache, latestStored: flushed?.time ?? -1 }),
    sealed(rows) {
      expect(rows).toHaveLength(changed.size)
      changed = new Set()
    },
    check(store, live) {
      for (let k = 0; k < 3; k++) {
        for (let start = 0; start <= live.time; start += advanceMs)
          if (isOpen(start, live.time)) check(store, live, k, start)
      }
    },
  })
  for (const action of steps) {
    const { store, live } = life
    switch (action.do) {
      case 'advance':
        store.streamTime += action.by
        life.live = { ...live, time: store.streamTime }
        break
      case 'put':
      case 'delete':
      case 'get': {
        const now = live.time
        const start = Math.floor(now / advanceMs) * advanceMs - action.back * advanceMs
        if (start < 0 || !isOpen(start, now)) break
        if (action.do === 'get') {
          check(store, live, action.key, start)
        } else {
          const row = action.do === 'put' ? { n: action.n, timestamp: Math.min(start + 1, now) } : null
          const name = `k${action.key}@${start}`
          store.put(`k${action.key}`, start, row === null ? null : { n: row.n }, row?.timestamp ?? now)
          changed.add(name)
          life.live = { ...live, rows: new Map(live.rows).set(name, row) }
        }
        break
      }
      case 'restore': {
        const rebuilt = new MemoryByteStore()
        const other = open(rebuilt, cache)
        for (const row of life.changelog) await rebuilt.write([other.restore(row)])
        expect(other.streamTime).toBeLessThanOrEqual(life.committed.time)
        other.recoverStreamTime(life.committed.time)
        await other.expire()
        expect(await storedRows(rebuilt)).toEqual(openRows(life.committed))
        await life.step(action)
        changed = new Set()
        break
      }
      case 'discard':
      case 'reopen':
        await life.step(action)
        changed = new Set()
        break
      default:
        // Nothing is looked at besides: what was looked at is in the cache.
        await life.step(action)
    }
  }
  await life.step({ do: 'settle' })
  await life.step({ do: 'flush' })
  await life.step({ do: 'expire' })
  expect(await storedRows(bytes)).toEqual(openRows(life.committed))
}

describe('a window store is its model', () => {
  test('in memory', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), limits, (steps, cache) =>
        follow(new MemoryByteStore(), steps, cache),
      ),
      { numRuns: 800 },
    )
  })

  test('on LevelDB', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'streamctl-window-'))
    const bytes = await openLevel(directory, { createIfMissing: true })
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), limits, async (steps, cache) => {
          await bytes.deleteRange(Buffer.alloc(0), Buffer.alloc(20, 0xff))
          await follow(bytes, steps, cache)
        }),
        { numRuns: 60 },
      )
    } finally {
      await bytes.close()
      await rm(directory, { recursive: true, force: true })
    }
  })
})
