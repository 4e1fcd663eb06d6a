import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CacheLimits } from '../../src/state/clean-rows.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import type { ByteStore, ChangelogRow, Row } from '../../src/state/store.ts'
import { OverlayVersionedStore, type VersionedStoreOptions } from '../../src/state/versioned.ts'
import { dump, json, text } from './codecs.ts'
import { collect, commit, flush, seal } from './commit.ts'
import { Life, type LifeStep, lifeSteps, type World } from './life.ts'

interface Value {
  readonly n: number
}
type Options = Partial<VersionedStoreOptions<string, Value>>

const historyMs = 20

function open(bytes: ByteStore, options: Options = {}): OverlayVersionedStore<string, Value> {
  return new OverlayVersionedStore({ name: 'v', key: text, value: json<Value>(), historyMs, bytes, ...options })
}

const ns = (row: Row<Value> | undefined): unknown => row && [row.value.n, row.timestamp]

describe('look-ups', () => {
  test('the version that was valid at a time; the latest without one', () => {
    const store = open(new MemoryByteStore())
    expect(store.put('a', { n: 1 }, 10)).toBe('latest')
    expect(store.put('a', { n: 2 }, 20)).toBe('latest')
    expect(ns(store.get('a'))).toEqual([2, 20])
    expect([9, 10, 19, 20, 99].map((time) => ns(store.get('a', time)))).toEqual([
      undefined,
      [1, 10],
      [1, 10],
      [2, 20],
      [2, 20],
    ])
    expect(store.get('b')).toBeUndefined()
  })

  test('an older version takes its place, and one of the same time that of the other', () => {
    const store = open(new MemoryByteStore())
    store.put('a', { n: 1 }, 30)
    expect(store.put('a', { n: 2 }, 20)).toBe('older')
    expect(store.put('a', { n: 3 }, 10)).toBe('older')
    expect(store.put('a', { n: 4 }, 20)).toBe('older')
    expect(store.put('a', { n: 5 }, 30)).toBe('latest')
    expect([10, 20, 29, 30].map((time) => ns(store.get('a', time)))).toEqual([
      [3, 10],
      [4, 20],
      [4, 20],
      [5, 30],
    ])
  })

  test('a deletion is a version', () => {
    const store = open(new MemoryByteStore())
    store.put('a', { n: 1 }, 10)
    expect(store.put('a', null, 20)).toBe('latest')
    expect(store.get('a')).toBeUndefined()
    expect(store.put('a', null, 15)).toBe('older')
    expect(store.put('a', { n: 2 }, 17)).toBe('older')
    expect([14, 15, 17, 20].map((time) => ns(store.get('a', time)))).toEqual([[1, 10], undefined, [2, 17], undefined])
  })

  test('what is further back than the history is refused, and cannot be looked up; the latest can for ever', () => {
    const store = open(new MemoryByteStore())
    store.put('a', { n: 1 }, 10)
    store.put('a', { n: 2 }, 30)
    expect(ns(store.get('a', 10))).toEqual([1, 10])
    store.put('b', { n: 1 }, 31)
    expect(store.get('a', 10)).toBeUndefined()
    expect(ns(store.get('a', 11))).toEqual([1, 10])
    expect(store.put('c', { n: 3 }, 10)).toBe('refused')
    expect(store.get('c')).toBeUndefined()
    expect(store.put('c', { n: 3 }, 11)).toBe('latest')
    store.put('b', { n: 2 }, 1000)
    expect(ns(store.get('a'))).toEqual([2, 30])
    expect(ns(store.get('a', 30))).toEqual([2, 30])
    expect(store.get('a', 29)).toBeUndefined()
  })

  test('versions that come backwards, each before all others, are all there', () => {
    const store = open(new MemoryByteStore(), { historyMs: 100 })
    store.put('a', { n: 0 }, 100)
    for (let time = 99; time >= 50; time--) expect(store.put('a', { n: time }, time)).toBe('older')
    for (let time = 50; time < 100; time++) expect(ns(store.get('a', time))).toEqual([time, time])
    expect(store.get('a', 49)).toBeUndefined()
    store.put('a', { n: 1 }, 170)
    for (let time = 70; time < 100; time++) expect(ns(store.get('a', time))).toEqual([time, time])
  })

  test('a look-up among very many versions reads few rows, and a put writes two', async () => {
    const bytes = new MemoryByteStore()
    let gets = 0
    const counting: ByteStore = {
      get: (key) => {
        gets++
        return bytes.get(key)
      },
      write: (writes) => bytes.write(writes),
      deleteRange: (from, to) => bytes.deleteRange(from, to),
      diskBytes: () => bytes.diskBytes(),
      snapshot: () => bytes.snapshot(),
      close: () => bytes.close(),
      scan: (from, to) => bytes.scan(from, to),
    }
    const store = open(counting, { historyMs: 1_000_000, cacheRows: 0 })
    for (let time = 0; time < 4000; time++) store.put('a', { n: time }, time)
    await commit(store, counting)
    for (const time of [0, 1, 1234, 3998]) {
      gets = 0
      expect(ns(store.get('a', time))).toEqual([time, time])
      expect(gets).toBeLessThan(14)
    }
    gets = 0
    store.put('a', { n: 1 }, 4000)
    expect([gets, seal(store).length]).toEqual([2, 2])
  })
})

describe('bytes of a versioned store', () => {
  test('a head with the latest version, and chunks of older ones; the changelog holds the same', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    store.put('ab', { n: 1 }, 1)
    store.put('ab', null, 2)
    store.put('ab', { n: 3 }, 3)
    const rows = seal(store)
    store.settle()
    const writes = collect(store)
    const n = (value: number): string => Buffer.from(JSON.stringify({ n: value })).toString('hex')
    const head = `01000001000000000000000001000000000000000001${n(3)}`
    const chunk = `0000000002000000000000000100000007${n(1)}0000000000000002ffffffff`
    expect(rows.map(({ key, value, timestamp }) => [key.toString('hex'), value?.toString('hex'), timestamp])).toEqual([
      ['6162000000000000000000000000', head, 3],
      ['6162000001000000000000000000', chunk, 2],
    ])
    expect(writes.map(({ key, value }) => [key.toString('hex'), value?.toString('hex')])).toEqual([
      ['760000000000000000006162', `0000000000000003${head}`],
      ['760000000100000000006162', `0000000000000002${chunk}`],
    ])
    expect(rows.map((row) => open(bytes).restore(row))).toEqual(writes)
  })

  test('a changelog record of somebody else is said to be one', () => {
    const row = { key: Buffer.from('a'), value: null, timestamp: 1 }
    expect(() => open(new MemoryByteStore()).restore(row)).toThrow('a changelog key of 1 bytes holds no version')
  })
})

describe('expiry', () => {
  test('what is out of reach leaves with the next puts of its key', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    for (let time = 0; time < 400; time++) {
      store.put('a', { n: time }, time)
      await commit(store, bytes)
    }
    // 21 versions can be reached: a head and three chunks, or four.
    expect((await dump(bytes)).length).toBeLessThanOrEqual(5)
  })

  test('keys that never come again are found by rounds over the heads and cleaned by puts of others', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { sweepRows: 2 })
    for (const key of ['a', 'b', 'c', 'd']) for (const time of [1, 2]) store.put(key, { n: 1 }, time)
    for (const key of ['e', 'f']) store.put(key, null, 2)
    await commit(store, bytes)
    expect(await dump(bytes)).toHaveLength(10)
    await store.expire()
    const left: number[] = []
    for (let time = 40; time < 50; time++) {
      store.put('z', { n: 1 }, time)
      await commit(store, bytes)
      await store.expire()
      left.push((await dump(bytes)).filter((row) => !row.split('=')[0]?.endsWith('7a')).length)
    }
    // Four heads stay: they are the latest versions.
    expect(left.at(-1)).toBe(4)
    expect(store.get('e')).toBeUndefined()
    expect(ns(store.get('a'))).toEqual([1, 2])
  })
})

// The model: every version that was ever put.

type Step = { readonly do: 'put'; readonly key: number; readonly by: number; readonly n: number } | LifeStep

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key: fc.constantFrom(0, 0, 0, 1, 2),
      by: fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: 0, max: 2 }) },
        { weight: 3, arbitrary: fc.integer({ min: -22, max: 2 }) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 15 }) },
      ),
      n: fc.nat(6),
    }),
  },
  ...lifeSteps,
)
const limits: fc.Arbitrary<CacheLimits> = fc.constantFrom({}, { cacheRows: 0 }, { cacheRows: 1 }, { cacheBytes: 500 })

interface Versions extends World {
  /** By key, by time. */
  readonly versions: ReadonlyMap<string, ReadonlyMap<number, Value | null>>
}

const nothing: Versions = { time: -1, versions: new Map() }

function expected(world: Versions, key: string, asOf: number): unknown {
  const versions = world.versions.get(key) ?? new Map<number, Value | null>()
  const times = [...versions.keys()].sort((a, b) => a - b)
  const at = times.findLast((time) => time <= asOf)
  if (at === undefined || (at !== times.at(-1) && asOf < world.time - historyMs)) return undefined
  const value = versions.get(at) as Value | null
  return value === null ? undefined : [value.n, at]
}

async function follow(steps: readonly Step[], cache: CacheLimits): Promise<void> {
  const bytes = new MemoryByteStore()
  const life = new Life<OverlayVersionedStore<string, Value>, Versions>({
    bytes,
    nothing,
    compacted,
    open: (flushed) => open(bytes, { ...cache, empty: flushed === undefined, sweepRows: 1 }),
    check(store, live) {
      const times = [Number.POSITIVE_INFINITY]
      for (let asOf = live.time - historyMs - 3; asOf <= live.time + 1; asOf += 2)
        times.push(asOf, asOf + (live.time % 2))
      for (const key of ['k0', 'k1', 'k2']) {
        expect(times.map((asOf) => ns(store.get(key, asOf)))).toEqual(times.map((asOf) => expected(live, key, asOf)))
      }
    },
  })
  for (const action of steps) {
    switch (action.do) {
      case 'put': {
        const { store, live } = life
        const at = live.time + action.by
        if (at < 0) break
        const key = `k${action.key}`
        const value = action.n === 0 ? null : { n: action.n }
        const time = Math.max(live.time, at)
        const placement = store.put(key, value, at)
        if (at < time - historyMs) {
          expect(placement).toBe('refused')
          break
        }
        const before = live.versions.get(key) ?? new Map()
        const newest = Math.max(-1, ...before.keys())
        expect(placement).toBe(at >= newest ? 'latest' : 'older')
        life.live = { time, versions: new Map(live.versions).set(key, new Map(before).set(at, value)) }
        break
      }
      default:
        await life.step(action)
    }
    life.check()
  }
  // Once all is out of reach the heads of what is not deleted are left.
  life.settle()
  const { store } = life
  await flush(store, bytes)
  const end = life.live.time + 1000
  for (let time = end; time < end + 15; time++) {
    store.put('other', { n: 1 }, time)
    await commit(store, bytes)
    await store.expire()
  }
  const kept = ['k0', 'k1', 'k2'].filter((key) => store.get(key) !== undefined)
  const rows = (await dump(bytes)).filter((row) => !row.includes('6f74686572='))
  expect(rows).toHaveLength(kept.length)
}

/** As the broker does it: the last record of each key, and no deletions. */
function compacted(changelog: readonly ChangelogRow[]): readonly ChangelogRow[] {
  const last = new Map(changelog.map((row) => [row.key.toString('hex'), row]))
  return changelog.filter((row) => last.get(row.key.toString('hex')) === row && row.value !== null)
}

test('a versioned store does as its model, on random steps', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), limits, follow), { numRuns: 150 })
})
