import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type SlidingWindows, slidingStretches, type TimeWindows, Windows } from '../../../src/common/windows.ts'
import type { CacheLimits } from '../../../src/state/clean-rows.ts'
import { MemoryByteStore } from '../../../src/state/memory.ts'
import type { Viewable } from '../../../src/state/read/partitions.ts'
import type { QueryableWindowStore } from '../../../src/state/read/queryable.ts'
import { queryableSliding, queryableWindow } from '../../../src/state/read/window.ts'
import { panesCodec } from '../../../src/state/session-codec.ts'
import { slidingStore } from '../../../src/state/sliding.ts'
import type { Pane } from '../../../src/state/store.ts'
import { OverlayWindowStore } from '../../../src/state/window.ts'
import { json, text } from '../codecs.ts'
import { commit, flush, seal } from '../commit.ts'
import { inMemory, liveOnDisk, liveThrough, type Model, one, type Query, type Subject } from './life.ts'

interface Value {
  readonly n: number
}
interface Put {
  readonly key: string
  readonly start: number
  readonly value: Value | null
  /** After the start. */
  readonly after: number
}
interface Window {
  readonly key: { readonly key: string; readonly start: number; readonly end: number }
  readonly value: Value
  readonly timestamp: number
}

const value = json<Value>()
const hopping = Windows.hopping(10, { advance: 5, grace: 10 })
const sliding = Windows.sliding(6, { grace: 20 })

/** What there is by key and start, and the rule for what can be seen of it. */
class Seen implements Model<Seen, Put> {
  readonly #windows: Map<string, Window>
  readonly #lengthMs: number
  readonly #retentionMs: number
  streamTime: number

  constructor(lengthMs: number, retentionMs: number, windows: Iterable<[string, Window]> = [], streamTime = -1) {
    this.#lengthMs = lengthMs
    this.#retentionMs = retentionMs
    this.#windows = new Map(windows)
    this.streamTime = streamTime
  }

  copy(): Seen {
    return new Seen(this.#lengthMs, this.#retentionMs, this.#windows, this.streamTime)
  }

  put({ key, start, value, after }: Put): void {
    const timestamp = start + after
    this.streamTime = Math.max(this.streamTime, timestamp)
    if (!this.isOpen(start)) return
    const name = `${start} ${key}`
    if (value === null) this.#windows.delete(name)
    else this.#windows.set(name, { key: { key, start, end: start + this.#lengthMs }, value, timestamp })
  }

  isOpen(start: number): boolean {
    return start > this.streamTime - this.#retentionMs
  }

  get(key: string, start: number): Window | undefined {
    return this.isOpen(start) ? this.#windows.get(`${start} ${key}`) : undefined
  }

  /** @param stepMs by which rows lie together: in the order of (step, key, start). */
  between(from: number, to: number, stepMs: number): readonly Window[] {
    const step = ({ key: { start } }: Window): number => Math.floor(start / stepMs)
    return [...this.#windows.values()]
      .filter(({ key: { start } }) => start >= from && start <= to && this.isOpen(start))
      .sort(
        (a, b) =>
          step(a) - step(b) ||
          Buffer.compare(Buffer.from(a.key.key), Buffer.from(b.key.key)) ||
          a.key.start - b.key.start,
      )
  }
}

const keys = fc.constantFrom('a', 'b', 'é', 'ÿ')
const time = fc.oneof(
  fc.integer({ min: -5, max: 120 }),
  fc.constantFrom(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
)
type Reading = QueryableWindowStore<string, Value>

function queriesOf(reading: () => Reading, stepMs: number): fc.Arbitrary<Query<Seen>> {
  return fc.oneof(
    fc.tuple(keys, fc.integer({ min: 0, max: 100 })).map(
      ([key, start]): Query<Seen> =>
        (model) => {
          const found = model.get(key, start)
          return {
            ask: one(() => reading().fetch(key, start)),
            expected: found === undefined ? [] : [{ value: found.value, timestamp: found.timestamp }],
          }
        },
    ),
    fc.tuple(keys, time, time, fc.boolean()).map(
      ([key, from, to, backward]): Query<Seen> =>
        (model) => {
          const found = model.between(from, to, stepMs).filter((window) => window.key.key === key)
          const ask = () => (backward ? reading().backwardFetch(key, from, to) : reading().fetch(key, from, to))
          return { ask, expected: backward ? found.toReversed() : found }
        },
    ),
    fc.tuple(time, time, fc.boolean()).map(
      ([from, to, backward]): Query<Seen> =>
        (model) => {
          const found = model.between(from, to, stepMs)
          const ask = () => (backward ? reading().backwardFetchAll(from, to) : reading().fetchAll(from, to))
          return { ask, expected: backward ? found.toReversed() : found }
        },
    ),
    fc.boolean().map(
      (backward): Query<Seen> =>
        (model) => {
          const found = model.between(0, Number.POSITIVE_INFINITY, stepMs)
          return {
            ask: () => (backward ? reading().backwardAll() : reading().all()),
            expected: backward ? found.toReversed() : found,
          }
        },
    ),
  )
}

/** Time goes on as puts come: early ones are mostly late. */
function putsOf(starts: fc.Arbitrary<number>, lengthMs: number): fc.Arbitrary<Put> {
  return fc.record({
    key: keys,
    start: starts,
    value: fc.option(fc.record({ n: fc.nat(1000) }), { freq: 5 }),
    after: fc.nat(lengthMs - 1),
  })
}

function timeSubject(windows: TimeWindows, limits: CacheLimits): Subject<OverlayWindowStore<string, Value>, Seen, Put> {
  const { sizeMs, advanceMs, graceMs } = windows
  return {
    open: (bytes) => new OverlayWindowStore({ name: 'w', key: text, value, windows, bytes, ...limits }),
    model: () => new Seen(sizeMs, sizeMs + graceMs),
    put: (store, { key, start, value, after }) => {
      store.streamTime = Math.max(store.streamTime, start + after)
      if (start > store.streamTime - sizeMs - graceMs) store.put(key, start, value, start + after)
    },
    puts: putsOf(
      fc.nat(16).map((n) => n * advanceMs),
      sizeMs,
    ),
    queries: (store) => queriesOf(() => readingTime(windows, store()), advanceMs),
  }
}

function readingTime(windows: TimeWindows, ...stores: readonly Viewable<string>[]): Reading {
  return queryableWindow({ name: 'w', key: text, stores: () => stores }, value, windows)
}

type Stretches = OverlayWindowStore<string, Pane<Value>[]>

function slidingSubject(windows: SlidingWindows, limits: CacheLimits): Subject<Stretches, Seen, Put> {
  const stretches = slidingStretches(windows)
  const { timeDifferenceMs, graceMs } = windows
  const retentionMs = 2 * timeDifferenceMs + graceMs
  return {
    open: (bytes) =>
      new OverlayWindowStore({ name: 'w', key: text, value: panesCodec(value), windows: stretches, bytes, ...limits }),
    model: () => new Seen(timeDifferenceMs, retentionMs),
    put: (store, { key, start, value, after }) => {
      store.streamTime = Math.max(store.streamTime, start + after)
      if (start > store.streamTime - retentionMs) slidingStore(store, windows).put(key, start, value, start + after)
    },
    puts: putsOf(fc.nat(80), timeDifferenceMs + 1),
    queries: (store) => queriesOf(() => readingSliding(store()), stretches.advanceMs),
  }
}

function readingSliding(...stores: readonly Viewable<string>[]): Reading {
  return queryableSliding({ name: 'w', key: text, stores: () => stores }, value, sliding)
}

describe('queries of windows', () => {
  test('see what is committed when they begin and has not ended, whatever happens meanwhile', async () => {
    await liveThrough(timeSubject(hopping, {}), inMemory, 200)
    await liveThrough(timeSubject(hopping, { cacheRows: 0 }), inMemory, 200)
    await liveThrough(timeSubject(Windows.tumbling(7, { grace: 0 }), {}), inMemory, 200)
  }, 60_000)

  test('so do those of sliding windows', async () => {
    await liveThrough(slidingSubject(sliding, {}), inMemory, 200)
    await liveThrough(slidingSubject(sliding, { cacheRows: 0 }), inMemory, 200)
  }, 60_000)

  test('and so on disk', async () => {
    await liveOnDisk(timeSubject(hopping, { cacheRows: 2 }), 40)
    await liveOnDisk(slidingSubject(sliding, { cacheRows: 2 }), 40)
  }, 60_000)

  test('rows of a key that lie in many windows are looked up in turn, both ways, as they were at first', async () => {
    const bytes = new MemoryByteStore()
    const windows = Windows.tumbling(1, { grace: 1000 })
    const store = new OverlayWindowStore({ name: 'w', key: text, value, windows, bytes })
    const write = (version: number): void => {
      for (let n = 0; n < 500; n++) {
        store.streamTime = Math.max(store.streamTime, n)
        store.put('a', n, { n: version }, n)
        store.put('b', n, { n: -1 }, n)
      }
      seal(store)
      store.settle()
    }
    const read = async (rows: AsyncIterable<Window>, meanwhile: () => void | Promise<void>): Promise<number[]> => {
      const starts: number[] = []
      const version = 10 * versions
      for await (const row of rows) {
        expect(row.value.n).toBe(version)
        if (starts.push(row.key.start) === 10) await meanwhile()
      }
      return starts
    }
    let versions = 1
    write(10)
    const reading = readingTime(windows, store)
    const starts = await read(reading.fetch('a', 3, 400), () => write(20))
    expect(starts).toEqual(Array.from({ length: 398 }, (_, n) => n + 3))
    versions = 2
    const back = await read(reading.backwardFetch('a', 3, 400), async () => {
      write(30)
      await flush(store, bytes)
      write(40)
    })
    expect(back).toEqual(starts.toReversed())
  })

  test('windows of a key are those of the first partition that has some; of all keys, of all partitions', async () => {
    const stores = await Promise.all(
      ['a', 'b'].map(async (key) => {
        const bytes = new MemoryByteStore()
        const store = new OverlayWindowStore({ name: 'w', key: text, value, windows: hopping, bytes })
        store.streamTime = 12
        for (const start of [5, 10]) store.put(key, start, { n: start }, 12)
        await commit(store, bytes)
        return store
      }),
    )
    const reading = readingTime(hopping, ...stores)
    const found: unknown[] = []
    for await (const { key } of reading.fetch('b', 0, 100)) found.push([key.key, key.start, key.end])
    expect(found).toEqual([
      ['b', 5, 15],
      ['b', 10, 20],
    ])
    const all: unknown[] = []
    for await (const { key } of reading.all()) all.push([key.key, key.start])
    expect(all).toEqual([
      ['a', 5],
      ['b', 5],
      ['a', 10],
      ['b', 10],
    ])
  })

  test('what is no time and no key is refused', async () => {
    const store = new OverlayWindowStore({
      name: 'w',
      key: text,
      value,
      windows: hopping,
      bytes: new MemoryByteStore(),
    })
    const reading = readingTime(hopping, store)
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    await expect(reading.fetch('a', Number.NaN)).rejects.toThrow('store w: start is NaN, which is no time')
    expect(() => reading.fetch('a', 0, '5' as never)).toThrow('to is 5')
    expect(() => reading.fetchAll(undefined as never, 1)).toThrow(refused)
    await expect(reading.fetch(null as never, 1)).rejects.toEqual(refused)
    await expect(
      reading
        .fetch(null as never, 1, 2)
        [Symbol.asyncIterator]()
        .next(),
    ).rejects.toEqual(refused)
  })
})
