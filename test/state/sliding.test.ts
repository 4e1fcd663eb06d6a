import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { slidingStretches, Windows } from '../../src/common/windows.ts'
import type { CacheLimits } from '../../src/state/clean-rows.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import { panesCodec } from '../../src/state/session-codec.ts'
import { slidingStore } from '../../src/state/sliding.ts'
import type { ByteStore, Pane, SlidingStore } from '../../src/state/store.ts'
import { OverlayWindowStore } from '../../src/state/window.ts'
import { dump, json, text } from './codecs.ts'
import { commit, seal } from './commit.ts'
import { Life, type LifeStep, lifeSteps, type World } from './life.ts'

interface Value {
  readonly n: number
}

const windows = Windows.sliding(5, { grace: 10 })

interface Opened {
  readonly rows: OverlayWindowStore<string, Pane<Value>[]>
  readonly store: SlidingStore<string, Value>
}

function open(bytes: ByteStore, options: CacheLimits & { readonly latestStored?: number } = {}): Opened {
  const stretches = slidingStretches(windows)
  const rows = new OverlayWindowStore({
    name: 's',
    key: text,
    value: panesCodec(json<Value>()),
    windows: stretches,
    bytes,
    ...options,
  })
  return { rows, store: slidingStore(rows, windows) }
}

describe('bytes of a store of sliding windows', () => {
  test('windows that start in one stretch are a row, stamped with the latest record in them', () => {
    const { rows, store } = open(new MemoryByteStore())
    store.put('ab', 8, { n: 1 }, 12)
    store.put('ab', 6, { n: 23 }, 9)
    store.put('ab', 12, { n: 4 }, 12)
    const sealed = seal(rows)
    const first =
      '00000002' +
      '0000000000000006' +
      '0000000000000009' +
      '00000008' +
      Buffer.from('{"n":23}').toString('hex') +
      '0000000000000008' +
      '000000000000000c' +
      '00000007' +
      Buffer.from('{"n":1}').toString('hex')
    expect(sealed.map(({ key, value, timestamp }) => [key.toString('hex'), value?.toString('hex'), timestamp])).toEqual(
      [
        ['6162000000000000000600000000', first, 12],
        ['6162000000000000000c00000000', expect.stringMatching(/^00000001000000000000000c/), 12],
      ],
    )
  })

  test('a stretch without windows has no row', async () => {
    const bytes = new MemoryByteStore()
    const { rows, store } = open(bytes)
    store.put('a', 1, { n: 1 }, 2)
    await commit(rows, bytes)
    store.put('a', 1, null, 3)
    expect((await commit(rows, bytes)).map(({ value, timestamp }) => [value, timestamp])).toEqual([[null, 3]])
    expect(await dump(bytes)).toEqual([])
    expect(store.get('a', 1)).toBeUndefined()
  })

  test('a commit writes the stretches that were touched, and no others', async () => {
    const bytes = new MemoryByteStore()
    const { rows, store } = open(bytes)
    for (let start = 0; start < 60; start++) store.put('a', start, { n: start }, start)
    expect(await commit(rows, bytes)).toHaveLength(10)
    store.put('a', 31, { n: 0 }, 60)
    expect(await commit(rows, bytes)).toHaveLength(1)
  })
})

test('looking for the latest window crosses stretches, and stops at the bound', () => {
  const { store } = open(new MemoryByteStore())
  for (const start of [0, 5, 6, 17]) store.put('a', start, { n: start }, start)
  const latest = (from: number, to: number): number | undefined => store.latest('a', from, to)?.start
  expect([latest(0, 100), latest(0, 17), latest(0, 16), latest(0, 5), latest(0, 4), latest(1, 4)]).toEqual([
    17,
    17,
    6,
    5,
    0,
    undefined,
  ])
  expect([latest(7, 16), latest(6, 16), latest(18, 20)]).toEqual([undefined, 6, undefined])
  expect(store.latest('b', 0, 20)).toBeUndefined()
})

test('a row goes once no record that is accepted can look for a window in it', async () => {
  const bytes = new MemoryByteStore()
  const { rows, store } = open(bytes)
  store.put('a', 11, { n: 1 }, 11)
  // A record at 26 is accepted until stream time 41, and looks back to 16; one at 21 until 36, and to 11.
  store.streamTime = 36
  await commit(rows, bytes)
  await rows.expire()
  expect(store.latest('a', 11, 20)?.start).toBe(11)
  store.streamTime = 37
  await commit(rows, bytes)
  await rows.expire()
  expect(await dump(bytes)).toEqual([])
})

// The model: the windows of each key by start.

type Step = { readonly do: 'put'; readonly key: number; readonly by: number; readonly n: number } | LifeStep

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key: fc.integer({ min: 0, max: 1 }),
      by: fc.integer({ min: -12, max: 4 }),
      n: fc.nat(9),
    }),
  },
  ...lifeSteps,
)
// Without bias the lengths are even, and windows are met again.
const steps = fc.noBias(fc.array(step, { maxLength: 80, size: 'max' }))
const limits: fc.Arbitrary<CacheLimits> = fc.constantFrom({}, { cacheRows: 0 }, { cacheRows: 1 }, { cacheBytes: 500 })

interface Panes extends World {
  readonly panes: ReadonlyMap<string, ReadonlyMap<number, Pane<Value>>>
}

const nothing: Panes = { time: -1, panes: new Map() }
const keys = ['k0', 'k1']

async function follow(steps: readonly Step[], cache: CacheLimits): Promise<void> {
  const bytes = new MemoryByteStore()
  const life = new Life<Opened['rows'], Panes>({
    bytes,
    nothing,
    open: (flushed) => open(bytes, flushed === undefined ? { ...cache, latestStored: -1 } : cache).rows,
    /** All that a record can look for, which is from three time differences before what is late. */
    check(rows, live) {
      const store = slidingStore(rows, windows)
      const oldest = Math.max(0, live.time - 10 - 15)
      for (const key of keys) {
        const known = live.panes.get(key) ?? new Map<number, Pane<Value>>()
        let latest: Pane<Value> | undefined
        for (let start = oldest; start <= live.time + 1; start++) {
          const pane = known.get(start)
          latest = pane ?? latest
          expect(store.get(key, start)).toEqual(pane)
          expect(store.latest(key, oldest, start)).toEqual(latest)
        }
      }
      expect(store.streamTime).toBe(live.time)
    },
  })
  for (const action of steps) {
    switch (action.do) {
      case 'put': {
        const { live } = life
        const store = slidingStore(life.store, windows)
        const start = Math.max(0, live.time + action.by)
        const key = `k${action.key}`
        const time = Math.max(live.time, start)
        store.streamTime = time
        const value = action.n === 0 ? null : { n: action.n }
        const timestamp = Math.min(time, start + (action.n % 5))
        store.put(key, start, value, timestamp)
        const panes = new Map(live.panes.get(key))
        if (value === null) panes.delete(start)
        else panes.set(start, { start, value, timestamp })
        life.live = { time, panes: new Map(live.panes).set(key, panes) }
        break
      }
      default:
        await life.step(action)
    }
    life.check()
  }
  life.settle()
  const rows = life.store
  rows.streamTime += 1000
  await commit(rows, bytes)
  await rows.expire()
  expect(await dump(bytes)).toEqual([])
}

test('sliding windows are kept as in their model, on random steps', async () => {
  await fc.assert(fc.asyncProperty(steps, limits, follow), { numRuns: 300 })
})
