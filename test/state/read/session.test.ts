import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sessionRetentionMs, sessionStretches, Windows } from '../../../src/common/windows.ts'
import type { CacheLimits } from '../../../src/state/clean-rows.ts'
import { MemoryByteStore } from '../../../src/state/memory.ts'
import type { Viewable } from '../../../src/state/read/partitions.ts'
import type { QueryableSessionStore } from '../../../src/state/read/queryable.ts'
import { queryableSession } from '../../../src/state/read/session.ts'
import { OverlaySessionStore } from '../../../src/state/session.ts'
import type { ByteStore } from '../../../src/state/store.ts'
import { json, text } from '../codecs.ts'
import { commit } from '../commit.ts'
import { inMemory, liveOnDisk, liveThrough, type Model, one, type Query, type Subject } from './life.ts'

interface Value {
  readonly n: number
}
/** A record, which joins the sessions around it. */
interface Put {
  readonly key: string
  readonly time: number
  readonly value: Value | null
}
interface Found {
  readonly key: { readonly key: string; readonly start: number; readonly end: number }
  readonly value: Value
  readonly timestamp: number
}

const value = json<Value>()
const windows = Windows.session(2, { grace: 40 })
const retentionMs = sessionRetentionMs(windows)
const stretchMs = sessionStretches(windows).advanceMs
const stretchOf = (end: number): number => end - (end % stretchMs)

class Sessions implements Model<Sessions, Put> {
  #sessions: readonly Found[]
  #streamTime: number

  constructor(sessions: readonly Found[] = [], streamTime = -1) {
    this.#sessions = sessions
    this.#streamTime = streamTime
  }

  copy(): Sessions {
    return new Sessions(this.#sessions, this.#streamTime)
  }

  put({ key, time, value }: Put): void {
    const near = this.open().filter(
      (one) => one.key.key === key && one.key.end >= time - windows.gapMs && one.key.start <= time + windows.gapMs,
    )
    this.#streamTime = Math.max(this.#streamTime, time)
    const start = Math.min(time, ...near.map((one) => one.key.start))
    const end = Math.max(time, ...near.map((one) => one.key.end))
    if (end <= this.#streamTime - retentionMs) return
    const others = this.#sessions.filter((one) => !near.includes(one))
    this.#sessions = value === null ? others : [...others, { key: { key, start, end }, value, timestamp: end }]
  }

  /** By the stretch of their end, then by key. */
  open(): readonly Found[] {
    return this.#sessions
      .filter(({ key: { end } }) => end > this.#streamTime - retentionMs)
      .sort(
        (a, b) =>
          stretchOf(a.key.end) - stretchOf(b.key.end) ||
          Buffer.compare(Buffer.from(a.key.key), Buffer.from(b.key.key)) ||
          a.key.start - b.key.start,
      )
  }
}

type Reading = QueryableSessionStore<string, Value>

function reading(...stores: readonly Viewable<string>[]): Reading {
  return queryableSession({ name: 's', key: text, stores: () => stores }, value, windows)
}

const keys = fc.constantFrom('a', 'b', 'é', 'ÿ')
const time = fc.oneof(
  fc.integer({ min: -5, max: 100 }),
  fc.constantFrom(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
)

const queries = (store: () => Viewable<string>): fc.Arbitrary<Query<Sessions>> =>
  fc.oneof(
    fc.tuple(keys, fc.boolean()).map(
      ([key, backward]): Query<Sessions> =>
        (model) => {
          const found = model.open().filter((one) => one.key.key === key)
          const ask = () => (backward ? reading(store()).backwardFetch(key) : reading(store()).fetch(key))
          return { ask, expected: backward ? found.toReversed() : found }
        },
    ),
    fc.tuple(keys, time, time, fc.boolean()).map(
      ([key, earliestEnd, latestStart, backward]): Query<Sessions> =>
        (model) => {
          const found = model
            .open()
            .filter((one) => one.key.key === key && one.key.end >= earliestEnd && one.key.start <= latestStart)
          const ask = () =>
            backward
              ? reading(store()).backwardFindSessions(key, earliestEnd, latestStart)
              : reading(store()).findSessions(key, earliestEnd, latestStart)
          return { ask, expected: backward ? found.toReversed() : found }
        },
    ),
    fc.tuple(fc.option(keys), fc.option(keys), fc.boolean()).map(
      ([low, high, backward]): Query<Sessions> =>
        (model) => {
          const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
          const found = model
            .open()
            .filter(
              ({ key: { key } }) =>
                (low === null || compare(key, low) >= 0) && (high === null || compare(key, high) <= 0),
            )
          const [from, to] = [low ?? undefined, high ?? undefined]
          const ask = () => (backward ? reading(store()).backwardFetch(from, to) : reading(store()).fetch(from, to))
          return { ask, expected: backward ? found.toReversed() : found }
        },
    ),
    fc.boolean().map(
      (backward): Query<Sessions> =>
        (model) => ({
          ask: () => (backward ? reading(store()).backwardAll() : reading(store()).all()),
          expected: backward ? model.open().toReversed() : model.open(),
        }),
    ),
    fc.tuple(fc.nat(20), fc.boolean()).map(
      ([nth, isThere]): Query<Sessions> =>
        (model) => {
          const sessions = model.open()
          const asked = sessions[nth % Math.max(1, sessions.length)]
          const { key = 'a', start = 0, end = 0 } = asked?.key ?? {}
          return {
            ask: one(() => reading(store()).fetchSession(key, start, isThere ? end : end + 1)),
            expected: asked === undefined || !isThere ? [] : [{ value: asked.value, timestamp: end }],
          }
        },
    ),
  )

function open(bytes: ByteStore, limits: CacheLimits = {}): OverlaySessionStore<string, Value> {
  return new OverlaySessionStore({ name: 's', key: text, value, session: windows, bytes, ...limits })
}

function put(store: OverlaySessionStore<string, Value>, { key, time, value }: Put): void {
  const near = store.find(key, time - windows.gapMs, time + windows.gapMs)
  const start = Math.min(time, ...near.map((one) => one.start))
  const end = Math.max(time, ...near.map((one) => one.end))
  store.streamTime = Math.max(store.streamTime, time)
  if (end > store.streamTime - retentionMs) store.replace(key, near, start, end, value)
}

function subject(limits: CacheLimits): Subject<OverlaySessionStore<string, Value>, Sessions, Put> {
  return {
    open: (bytes) => open(bytes, limits),
    model: () => new Sessions(),
    put,
    puts: fc.record({
      key: keys,
      time: fc.nat(90),
      value: fc.option(fc.record({ n: fc.nat(1000) }), { freq: 6 }),
    }),
    queries,
  }
}

describe('queries of sessions', () => {
  test('see what is committed when they begin and is open, whatever happens meanwhile', async () => {
    await liveThrough(subject({}), inMemory, 200)
    await liveThrough(subject({ cacheRows: 0 }), inMemory, 200)
  }, 60_000)

  test('and so on disk', async () => {
    await liveOnDisk(subject({ cacheRows: 2 }), 40)
  }, 60_000)

  test('sessions of several partitions come by key; a key is looked for in each', async () => {
    const stores = await Promise.all(
      ['b', 'a', 'c'].map(async (key) => {
        const bytes = new MemoryByteStore()
        const store = open(bytes)
        put(store, { key, time: 3, value: { n: 1 } })
        put(store, { key, time: 5, value: { n: 2 } })
        await commit(store, bytes)
        return store
      }),
    )
    const all: unknown[] = []
    for await (const row of reading(...stores).all()) all.push(row)
    expect(all).toEqual(
      ['a', 'b', 'c'].map((key) => ({ key: { key, start: 3, end: 5 }, value: { n: 2 }, timestamp: 5 })),
    )
    expect(await reading(...stores).fetchSession('c', 3, 5)).toEqual({ value: { n: 2 }, timestamp: 5 })
    expect(() => reading(...stores).findSessions('c', Number.NaN, 5)).toThrow('the earliest end is NaN')
  })
})
