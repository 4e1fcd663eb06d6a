import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Windows } from '../../src/common/windows.ts'
import type { CacheLimits } from '../../src/state/clean-rows.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import { OverlaySessionStore, type SessionStoreOptions } from '../../src/state/session.ts'
import type { ByteStore, Session } from '../../src/state/store.ts'
import { dump, json, text } from './codecs.ts'
import { collect, commit, flush, seal } from './commit.ts'
import { Life, type LifeStep, lifeSteps, type World } from './life.ts'

interface Value {
  readonly n: number
}
type Options = Partial<SessionStoreOptions<string, Value>>

const session = Windows.session(5, { grace: 10 })
const retentionMs = 15

function open(bytes: ByteStore, options: Options = {}): OverlaySessionStore<string, Value> {
  return new OverlaySessionStore({ name: 's', key: text, value: json<Value>(), session, bytes, ...options })
}

describe('bytes of a session store', () => {
  test('all sessions of a key are one row, stamped with the end of the last', () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    store.put('ab', 1, 0x1_0000_0002, { n: 1 })
    store.put('ab', 0x1_0000_0010, 0x1_0000_0010, { n: 23 })
    const rows = seal(store)
    store.settle()
    const writes = collect(store)
    const list =
      '00000002' +
      '0000000000000001' +
      '0000000100000002' +
      '00000007' +
      Buffer.from('{"n":1}').toString('hex') +
      '0000000100000010' +
      '0000000100000010' +
      '00000008' +
      Buffer.from('{"n":23}').toString('hex')
    expect(rows.map(({ key, value, timestamp }) => [key.toString(), value?.toString('hex'), timestamp])).toEqual([
      ['ab', list, 0x1_0000_0010],
    ])
    expect(writes.map(({ key, value }) => [key.toString('hex'), value?.toString('hex')])).toEqual([
      ['73006162', `0000000100000010${list}`],
    ])
    expect(rows.map((row) => open(bytes).restore(row))).toEqual(writes)
  })

  test('a key without sessions has no row', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    store.put('a', 1, 2, { n: 1 })
    await commit(store, bytes)
    store.put('a', 1, 3, null)
    expect((await commit(store, bytes)).map(({ value, timestamp }) => [value, timestamp])).toEqual([[null, 3]])
    expect(await dump(bytes)).toEqual([])
    expect(store.find('a', 0, 100)).toEqual([])
  })
})

describe('finding', () => {
  test('bounds are inclusive, and sessions come in their order', () => {
    const store = open(new MemoryByteStore(), { session: Windows.session(5, { grace: 1000 }) })
    for (const [start, end] of [
      [30, 40],
      [10, 20],
      [50, 50],
    ] as const)
      store.put('a', start, end, { n: start })
    const starts = (from: number, to: number): number[] => store.find('a', from, to).map(({ start }) => start)
    expect(starts(20, 30)).toEqual([10, 30])
    expect(starts(21, 29)).toEqual([])
    expect(starts(-5, 100)).toEqual([10, 30, 50])
    expect(starts(41, 50)).toEqual([50])
    expect(store.find('b', 0, 100)).toEqual([])
  })

  test('a session takes the place of those within it', () => {
    const store = open(new MemoryByteStore(), { session: Windows.session(5, { grace: 1000 }) })
    for (const at of [0, 10, 20, 30]) store.put('a', at, at, { n: at })
    store.put('a', 10, 20, { n: 5 })
    expect(store.find('a', 0, 100).map(({ start, end }) => [start, end])).toEqual([
      [0, 0],
      [10, 20],
      [30, 30],
    ])
  })

  test('a session is gone once stream time is gap + grace after its end, and leaves its row with the next write', () => {
    const store = open(new MemoryByteStore())
    store.put('a', 0, 4, { n: 1 })
    store.streamTime = 18
    expect(store.find('a', 0, 100)).toHaveLength(1)
    store.streamTime = 19
    expect(store.find('a', 0, 100)).toHaveLength(0)
    store.put('a', 19, 19, { n: 2 })
    expect(seal(store).map(({ value }) => value?.readUInt32BE(0))).toEqual([1])
  })

  test('a row holds no more closed sessions than live ones, and none alone', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    const held: (number | undefined)[] = []
    for (let at = 0; at < 200; at += 6) {
      store.streamTime = at
      store.put('a', at, at, { n: at })
      const [row] = await commit(store, bytes)
      held.push(row?.value?.readUInt32BE(0))
    }
    // gap 5 and grace 10 let three live.
    expect(store.find('a', 0, 1000)).toHaveLength(3)
    expect(held.slice(0, 12)).toEqual([1, 2, 3, 4, 3, 4, 3, 4, 3, 4, 3, 4])
    for (const { start, end } of store.find('a', 0, 1000)) store.put('a', start, end, null)
    expect((await commit(store, bytes)).map(({ value }) => value)).toEqual([null])
  })
})

describe('expiry', () => {
  test('rows of keys that never come again go, a few at a time, by the settled stream time alone', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { sweepRows: 2 })
    for (const key of ['a', 'b', 'c', 'd', 'e']) store.put(key, 1, 1, { n: 1 })
    store.put('f', 10, 10, { n: 1 })
    store.streamTime = 10
    await commit(store, bytes)
    // A round at the start, over what there is.
    await store.expire()
    store.streamTime = 1000
    await store.expire()
    expect(await dump(bytes)).toHaveLength(6)
    store.discard()
    expect(store.streamTime).toBe(10)
    store.streamTime = 16
    await commit(store, bytes)
    await store.expire()
    expect(await dump(bytes)).toHaveLength(6)
    store.streamTime = 25
    await commit(store, bytes)
    const left: number[] = []
    for (let calls = 0; calls < 5; calls++) {
      await store.expire()
      left.push((await dump(bytes)).length)
    }
    expect(left).toEqual([4, 2, 0, 0, 0])
  })

  test('asks nothing of the bytes between two rounds', async () => {
    const bytes = new MemoryByteStore()
    let scans = 0
    const counting: ByteStore = {
      get: (key) => bytes.get(key),
      write: (writes) => bytes.write(writes),
      deleteRange: (from, to) => bytes.deleteRange(from, to),
      diskBytes: () => bytes.diskBytes(),
      snapshot: () => bytes.snapshot(),
      close: () => bytes.close(),
      scan: (from, to) => {
        scans++
        return bytes.scan(from, to)
      },
    }
    const store = open(counting)
    for (let time = 0; time <= 60; time++) {
      store.streamTime = time
      store.put(`k${time}`, time, time, { n: 1 })
      await commit(store, counting)
      await store.expire()
    }
    expect(scans).toBe(5)
    // At 60 all that ended by 45 went.
    expect(await dump(bytes)).toHaveLength(15)
  })

  test('what is on its way to the bytes when its old row is deleted arrives there', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    store.put('a', 0, 0, { n: 1 })
    store.streamTime = 0
    await commit(store, bytes)
    store.streamTime = 50
    store.put('b', 50, 50, { n: 1 })
    await commit(store, bytes)
    store.put('a', 50, 50, { n: 2 })
    seal(store)
    await store.expire()
    store.settle()
    await flush(store, bytes)
    expect(open(bytes).find('a', 0, 100)).toEqual([{ start: 50, end: 50, value: { n: 2 } }])
  })
})

// The model: the sessions of each key as a list. Records come as the operator brings them: it finds, moves stream time, and puts what it found as one session.

type Step = { readonly do: 'record'; readonly key: number; readonly by: number; readonly n: number } | LifeStep

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      key: fc.integer({ min: 0, max: 3 }),
      by: fc.integer({ min: -18, max: 9 }),
      n: fc.nat(9),
    }),
  },
  ...lifeSteps,
)
const limits: fc.Arbitrary<CacheLimits> = fc.constantFrom({}, { cacheRows: 0 }, { cacheRows: 1 }, { cacheBytes: 500 })

interface Sessions extends World {
  readonly sessions: ReadonlyMap<string, readonly Session<Value>[]>
}

const nothing: Sessions = { time: -1, sessions: new Map() }

function visible(world: Sessions, key: string): readonly Session<Value>[] {
  return (world.sessions.get(key) ?? []).filter(({ end }) => end > world.time - retentionMs)
}

async function follow(steps: readonly Step[], cache: CacheLimits): Promise<void> {
  const bytes = new MemoryByteStore()
  const life = new Life<OverlaySessionStore<string, Value>, Sessions>({
    bytes,
    nothing,
    open: (flushed) => open(bytes, { ...cache, empty: flushed === undefined, sweepRows: 1 }),
    check(store, live) {
      for (const key of ['k0', 'k1', 'k2', 'k3']) {
        expect(store.find(key, -100, 1_000_000)).toEqual(visible(live, key))
      }
    },
  })
  for (const action of steps) {
    switch (action.do) {
      case 'record': {
        const { store, live } = life
        const at = live.time + action.by
        if (at < 0) break
        const key = `k${action.key}`
        const found = store.find(key, at - session.gapMs, at + session.gapMs)
        const before = visible(live, key)
        expect(found).toEqual(before.filter(({ start, end }) => end >= at - 5 && start <= at + 5))
        const start = Math.min(at, ...found.map((one) => one.start))
        const end = Math.max(at, ...found.map((one) => one.end))
        const time = Math.max(live.time, at)
        store.streamTime = time
        life.live = { ...live, time }
        if (end < time - retentionMs) break
        const value = action.n === 0 ? null : { n: action.n }
        store.put(key, start, end, value)
        const others = before.filter((one) => !found.includes(one) && !found.some((f) => f.start === one.start))
        const all = value === null ? others : [...others, { start, end, value }]
        const sessions = new Map(live.sessions).set(
          key,
          all.sort((a, b) => a.end - b.end),
        )
        life.live = { time, sessions }
        break
      }
      default:
        await life.step(action)
    }
    life.check()
  }
  // Two rounds after all has closed nothing is left.
  life.settle()
  const { store } = life
  store.streamTime += 1000
  for (let calls = 0; calls < 12; calls++) {
    await commit(store, bytes)
    await store.expire()
  }
  expect(await dump(bytes)).toEqual([])
}

test('a session store does as its model, on random steps', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), limits, follow), { numRuns: 300 })
})
