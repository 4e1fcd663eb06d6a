import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CacheLimits } from '../../../src/state/clean-rows.ts'
import { MemoryByteStore } from '../../../src/state/memory.ts'
import type { Viewable } from '../../../src/state/read/partitions.ts'
import type { KeyedRow, QueryableVersionedStore } from '../../../src/state/read/queryable.ts'
import { queryableVersioned } from '../../../src/state/read/versioned.ts'
import type { ByteStore } from '../../../src/state/store.ts'
import { OverlayVersionedStore } from '../../../src/state/versioned.ts'
import { json, text } from '../codecs.ts'
import { commit, flush, seal } from '../commit.ts'
import { inMemory, liveOnDisk, liveThrough, type Model, one, type Query, type Subject } from './life.ts'

interface Value {
  readonly n: number
}
interface Put {
  readonly key: string
  readonly value: Value | null
  readonly timestamp: number
}

const value = json<Value>()
const historyMs = 60

class Versions implements Model<Versions, Put> {
  readonly #versions: Map<string, ReadonlyMap<number, Value | null>>
  #streamTime: number

  constructor(versions: Iterable<[string, ReadonlyMap<number, Value | null>]> = [], streamTime = -1) {
    this.#versions = new Map(versions)
    this.#streamTime = streamTime
  }

  copy(): Versions {
    return new Versions(this.#versions, this.#streamTime)
  }

  put({ key, value, timestamp }: Put): void {
    if (timestamp < this.#streamTime - historyMs) return
    this.#streamTime = Math.max(this.#streamTime, timestamp)
    this.#versions.set(key, new Map(this.#versions.get(key)).set(timestamp, value))
  }

  get(key: string, asOf = Number.POSITIVE_INFINITY): { readonly value: Value; readonly timestamp: number } | undefined {
    const versions = [...(this.#versions.get(key) ?? [])].sort(([a], [b]) => a - b)
    const latest = versions.at(-1)
    if (latest === undefined) return undefined
    if (asOf < latest[0] && asOf < this.#streamTime - historyMs) return undefined
    const [timestamp, value] = versions.findLast(([time]) => time <= asOf) ?? []
    return timestamp === undefined || value === null || value === undefined ? undefined : { value, timestamp }
  }

  all(): readonly KeyedRow<string, Value>[] {
    return [...this.#versions.keys()]
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .flatMap((key) => {
        const latest = this.get(key)
        return latest === undefined ? [] : [{ key, ...latest }]
      })
  }
}

type Reading = QueryableVersionedStore<string, Value>

function reading(...stores: readonly Viewable<string>[]): Reading {
  return queryableVersioned({ name: 'v', key: text, stores: () => stores }, value, historyMs)
}

function open(bytes: ByteStore, limits: CacheLimits = {}): OverlayVersionedStore<string, Value> {
  return new OverlayVersionedStore({ name: 'v', key: text, value, historyMs, bytes, sweepRows: 2, ...limits })
}

const keys = fc.constantFrom('a', 'b', 'é')

function subject(limits: CacheLimits): Subject<OverlayVersionedStore<string, Value>, Versions, Put> {
  return {
    open: (bytes) => open(bytes, limits),
    model: () => new Versions(),
    put: (store, { key, value, timestamp }) => store.put(key, value, timestamp),
    puts: fc.record({
      key: keys,
      value: fc.option(fc.record({ n: fc.nat(1000) }), { freq: 6 }),
      timestamp: fc.nat(120),
    }),
    queries: (store) =>
      fc.oneof(
        {
          weight: 4,
          arbitrary: fc.tuple(keys, fc.option(fc.integer({ min: -5, max: 130 }))).map(
            ([key, asOf]): Query<Versions> =>
              (model) => {
                const found = model.get(key, asOf ?? undefined)
                return {
                  ask: one(() => reading(store()).get(key, asOf ?? undefined)),
                  expected: found === undefined ? [] : [found],
                }
              },
          ),
        },
        {
          weight: 1,
          arbitrary: fc.constant<Query<Versions>>((model) => ({
            ask: () => reading(store()).all(),
            expected: model.all(),
          })),
        },
      ),
  }
}

describe('queries of versions', () => {
  test('see what was committed when they began, as of any time within the history', async () => {
    await liveThrough(subject({}), inMemory, 300)
    await liveThrough(subject({ cacheRows: 0 }), inMemory, 300)
  }, 60_000)

  test('and so on disk', async () => {
    await liveOnDisk(subject({ cacheRows: 2 }), 60)
  }, 60_000)

  test('a query that has seen the head sees the chunks of that head, whatever is put and flushed meanwhile', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    for (let time = 0; time < 50; time++) store.put('a', { n: time }, time)
    await commit(store, bytes)
    for (let time = 50; time < 60; time++) store.put('a', { n: time }, time)
    seal(store)
    store.settle()
    const found = Array.from({ length: 60 }, (_, time) => reading(store).get('a', time))
    for (let time = 0; time < 60; time++) store.put('a', { n: -1 }, time)
    for (let time = 300; time < 320; time++) store.put('a', { n: -2 }, time)
    await flush(store, bytes)
    await commit(store, bytes)
    expect((await Promise.all(found)).map((row) => row?.value.n)).toEqual(Array.from({ length: 60 }, (_, time) => time))
  })

  test('a chunk that is not there is a damaged store; a time must be one', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    for (let time = 0; time < 30; time++) store.put('a', { n: time }, time)
    await commit(store, bytes)
    for await (const [key] of bytes.scan(Buffer.from('v\0\0\0\x01'), Buffer.from('v\x01'))) {
      await bytes.write([{ key, value: null }])
    }
    expect((await reading(open(bytes)).get('a'))?.value).toEqual({ n: 29 })
    await expect(reading(open(bytes)).get('a', 3)).rejects.toMatchObject({ code: 'CORRUPT' })
    await expect(reading(store).get('a', 'now' as never)).rejects.toThrow('store v: the time is now, which is no time')
  })
})
