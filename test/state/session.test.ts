import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type SessionWindows, sessionRetentionMs, Windows } from '../../src/common/windows.ts'
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

function open(bytes: ByteStore, options: Options = {}): OverlaySessionStore<string, Value> {
  return new OverlaySessionStore({ name: 's', key: text, value: json<Value>(), session, bytes, ...options })
}

/** As the operator does: what lies there is found, and one session takes its place. */
function put(
  store: OverlaySessionStore<string, Value>,
  key: string,
  start: number,
  end: number,
  n: number | null,
): void {
  const found = store.find(key, start, end)
  if (end > store.streamTime) store.streamTime = end
  store.replace(key, found, start, end, n === null ? null : { n })
}

const spans = (found: readonly Session<Value>[]): readonly (readonly number[])[] =>
  found.map(({ start, end }) => [start, end])

describe('bytes of a session store', () => {
  test('sessions of a key that end in one stretch are a row, stamped with the end of the last', () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    put(store, 'ab', 0x1_0000_0002, 0x1_0000_0004, 1)
    put(store, 'ab', 0x1_0000_0010, 0x1_0000_0010, 23)
    const rows = seal(store)
    store.settle()
    const writes = collect(store)
    // Of eight gaps + 1 ms: 0x100000000 is 16 past one's start.
    const stretch = '00000000fffffff0'
    const list =
      '0000000000000000' +
      '00000002' +
      '0000000100000002' +
      '0000000100000004' +
      '00000007' +
      Buffer.from('{"n":1}').toString('hex') +
      '0000000100000010' +
      '0000000100000010' +
      '00000008' +
      Buffer.from('{"n":23}').toString('hex')
    expect(rows.map(({ key, value, timestamp }) => [key.toString('hex'), value?.toString('hex'), timestamp])).toEqual([
      [`6162${stretch}00000000`, list, 0x1_0000_0010],
    ])
    expect(writes.map(({ key, value }) => [key.toString('hex'), value?.toString('hex')])).toEqual([
      [`7300${stretch}6162`, `0000000100000010${list}`],
    ])
    expect(rows.map((row) => open(bytes).restore(row))).toEqual(writes)
  })

  test('a session that goes on in the next stretch leaves word where', () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    put(store, 'a', 40, 46, 1)
    put(store, 'a', 40, 50, 2)
    const rows = seal(store).map(({ key, value }) => [key.readInt32BE(5), value?.subarray(0, 12).toString('hex')])
    expect(rows).toEqual([
      [0, '000000000000003000000000'],
      [48, '000000000000000000000001'],
    ])
    expect(spans(store.find('a', 39, 41))).toEqual([[40, 50]])
  })

  test('a key without sessions has no row', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    put(store, 'a', 1, 2, 1)
    await commit(store, bytes)
    put(store, 'a', 1, 3, null)
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
      put(store, 'a', start, end, start)
    const starts = (from: number, to: number): number[] => store.find('a', from, to).map(({ start }) => start)
    expect(starts(20, 30)).toEqual([10, 30])
    expect(starts(21, 29)).toEqual([])
    expect(starts(-5, 100)).toEqual([10, 30, 50])
    expect(starts(41, 50)).toEqual([50])
    expect(store.find('b', 0, 100)).toEqual([])
  })

  test('a session takes the place of those within it', () => {
    const store = open(new MemoryByteStore(), { session: Windows.session(5, { grace: 1000 }) })
    for (const at of [0, 10, 20, 60, 120, 130]) put(store, 'a', at, at, at)
    put(store, 'a', 10, 120, 5)
    expect(spans(store.find('a', 0, 200))).toEqual([
      [0, 0],
      [10, 120],
      [130, 130],
    ])
    put(store, 'a', 10, 120, null)
    expect(spans(store.find('a', 0, 200))).toEqual([
      [0, 0],
      [130, 130],
    ])
  })

  test('a long session is found from every time in it, the second time in a few steps', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { session: Windows.session(5, { grace: 100_000 }) })
    for (let end = 0; end <= 48_000; end += 5) put(store, 'a', 0, end, end)
    put(store, 'a', 60_000, 60_000, 1)
    await commit(store, bytes)
    let looks = 0
    const counting = new Proxy(bytes, {
      get: (target, name) => {
        const method = target[name as keyof ByteStore] as (...args: unknown[]) => unknown
        if (name === 'get') looks++
        return method.bind(target)
      },
    })
    // One row in memory: each step is a look at the bytes.
    const cold = open(counting, { session: Windows.session(5, { grace: 100_000 }), cacheRows: 1 })
    cold.recoverStreamTime(60_000)
    expect(spans(cold.find('a', 95, 105))).toEqual([[0, 48_000]])
    expect(looks).toBeGreaterThan(900)
    await commit(cold, bytes)
    looks = 0
    expect(spans(cold.find('a', 95, 105))).toEqual([[0, 48_000]])
    expect(looks).toBeLessThan(5)
    for (let at = 0; at <= 48_000; at += 997) expect(spans(cold.find('a', at - 5, at + 5))).toEqual([[0, 48_000]])
    expect(cold.find('a', 48_001, 59_999)).toEqual([])
  })

  test('a session is gone once stream time is gap + grace after its end', () => {
    const store = open(new MemoryByteStore())
    put(store, 'a', 0, 4, 1)
    store.streamTime = 18
    expect(store.find('a', 0, 100)).toHaveLength(1)
    store.streamTime = 19
    expect(store.find('a', 0, 100)).toHaveLength(0)
  })
})

describe('many sessions of a key', () => {
  test('make many rows, each a few: no changelog record and no commit grows with their number', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { session: Windows.session('1s', { grace: '1d' }), latestStored: -1 })
    let largest = 0
    let most = 0
    for (let n = 0; n < 50_000; n++) {
      put(store, 'a', n * 1001, n * 1001, n)
      if (n % 10 !== 0) continue
      const rows = seal(store)
      store.settle()
      if (n % 10_000 === 0) await flush(store, bytes)
      most = Math.max(most, rows.length)
      for (const { value } of rows) largest = Math.max(largest, value?.length ?? 0)
    }
    expect(store.find('a', 0, 50_000 * 1001)).toHaveLength(50_000)
    expect(largest).toBeLessThan(512)
    expect(most).toBeLessThan(4)
  })
})

describe('expiry', () => {
  test('rows go by the settled stream time alone, once all sessions of their stretch are closed', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    for (const key of ['a', 'b', 'c']) put(store, key, 1, 1, 1)
    put(store, 'd', 47, 47, 1)
    put(store, 'e', 48, 48, 1)
    await commit(store, bytes)
    store.streamTime = 1000
    await store.expire()
    expect(await dump(bytes)).toHaveLength(5)
    store.discard()
    expect(store.streamTime).toBe(48)
    const left: number[] = []
    for (const time of [61, 62, 63, 110, 111]) {
      store.streamTime = time
      await commit(store, bytes)
      await store.expire()
      left.push((await dump(bytes)).length)
    }
    expect(left).toEqual([5, 5, 1, 1, 0])
  })

  test('what is on its way to the bytes when old rows are deleted arrives there', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    put(store, 'a', 0, 0, 1)
    await commit(store, bytes)
    put(store, 'b', 80, 80, 1)
    await commit(store, bytes)
    put(store, 'a', 80, 80, 2)
    seal(store)
    await store.expire()
    store.settle()
    await flush(store, bytes)
    const again = open(bytes)
    again.recoverStreamTime(80)
    expect(again.find('a', 0, 100)).toEqual([{ start: 80, end: 80, value: { n: 2 } }])
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
      // Near stream time, late, and far ahead.
      by: fc.oneof(fc.integer({ min: -18, max: 9 }), fc.integer({ min: -90, max: 4 }), fc.integer({ min: 0, max: 40 })),
      n: fc.nat(9),
    }),
  },
  ...lifeSteps,
)
const limits: fc.Arbitrary<CacheLimits> = fc.constantFrom({}, { cacheRows: 0 }, { cacheRows: 1 }, { cacheBytes: 500 })
/** Stretches of 48 ms and 16 ms: grace of a part of one, and of five. */
const shapes = fc.constantFrom(session, Windows.session(1, { grace: 80 }), Windows.session(3, { grace: 0 }))

interface Sessions extends World {
  readonly sessions: ReadonlyMap<string, readonly Session<Value>[]>
}

const nothing: Sessions = { time: -1, sessions: new Map() }

async function follow(steps: readonly Step[], cache: CacheLimits, session: SessionWindows): Promise<void> {
  const bytes = new MemoryByteStore()
  const { gapMs } = session
  const retentionMs = sessionRetentionMs(session)
  const visible = (world: Sessions, key: string): readonly Session<Value>[] =>
    (world.sessions.get(key) ?? []).filter(({ end }) => end > world.time - retentionMs)
  const life = new Life<OverlaySessionStore<string, Value>, Sessions>({
    bytes,
    nothing,
    open: (flushed) => open(bytes, { ...cache, session, latestStored: flushed === undefined ? -1 : flushed.time }),
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
        const found = store.find(key, at - gapMs, at + gapMs)
        const before = visible(live, key)
        expect(found).toEqual(before.filter(({ start, end }) => end >= at - gapMs && start <= at + gapMs))
        const start = Math.min(at, ...found.map((one) => one.start))
        const end = Math.max(at, ...found.map((one) => one.end))
        const time = Math.max(live.time, at)
        store.streamTime = time
        life.live = { ...live, time }
        if (end < time - retentionMs) break
        const value = action.n === 0 ? null : { n: action.n }
        store.replace(key, found, start, end, value)
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
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), limits, shapes, follow), {
    numRuns: 500,
  })
})
