import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CacheLimits } from '../../../src/state/clean-rows.ts'
import { OverlayExpiringStore } from '../../../src/state/expiring.ts'
import { OverlayKeyValueStore } from '../../../src/state/key-value.ts'
import { MemoryByteStore } from '../../../src/state/memory.ts'
import { queryableKeyValue } from '../../../src/state/read/key-value.ts'
import type { Viewable } from '../../../src/state/read/partitions.ts'
import type { KeyedRow, QueryableKeyValueStore } from '../../../src/state/read/queryable.ts'
import type { ByteStore } from '../../../src/state/store.ts'
import { json, text } from '../codecs.ts'
import { commit, flush, seal } from '../commit.ts'
import { inMemory, liveOnDisk, liveThrough, type Model, onDisk, one, type Query, type Subject } from './life.ts'

interface Value {
  readonly n: number
}
interface Put {
  readonly key: string
  readonly value: Value | null
  readonly timestamp: number
}

const value = json<Value>()

class Rows implements Model<Rows, Put> {
  readonly #rows: Map<string, KeyedRow<string, Value>>

  constructor(rows: Iterable<readonly [string, KeyedRow<string, Value>]> = []) {
    this.#rows = new Map(rows)
  }

  copy(): Rows {
    return new Rows(this.#rows)
  }

  put({ key, value, timestamp }: Put): void {
    if (value === null) this.#rows.delete(key)
    else this.#rows.set(key, { key, value, timestamp })
  }

  get(key: string): { readonly value: Value; readonly timestamp: number } | undefined {
    const row = this.#rows.get(key)
    return row && { value: row.value, timestamp: row.timestamp }
  }

  /** In the order of the keys' bytes. */
  all(): readonly KeyedRow<string, Value>[] {
    return [...this.#rows.values()].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
  }
}

function reading(...stores: readonly Viewable<string>[]): QueryableKeyValueStore<string, Value> {
  return queryableKeyValue({ name: 'counts', key: text, stores: () => stores }, value)
}

// Beyond ASCII the order of bytes is not that of code units.
const keys = fc.constantFrom('', 'a', 'b', 'ba', 'bb', 'b\uffff', 'b\u{1f600}', 'c', 'é', 'ÿ')
const queries = (store: () => Viewable<string>): fc.Arbitrary<Query<Rows>> =>
  fc.oneof(
    keys.map(
      (key): Query<Rows> =>
        (model) => {
          const row = model.get(key)
          return { ask: one(() => reading(store()).get(key)), expected: row === undefined ? [] : [row] }
        },
    ),
    fc.tuple(fc.option(keys), fc.option(keys), fc.boolean()).map(
      ([low, high, backward]): Query<Rows> =>
        (model) => {
          const isIn = ({ key }: { readonly key: string }): boolean =>
            (low === null || Buffer.compare(Buffer.from(key), Buffer.from(low)) >= 0) &&
            (high === null || Buffer.compare(Buffer.from(key), Buffer.from(high)) <= 0)
          const expected = model.all().filter(isIn)
          if (backward) expected.reverse()
          const range = (): AsyncIterable<unknown> =>
            backward
              ? reading(store()).reverseRange(low ?? undefined, high ?? undefined)
              : reading(store()).range(low ?? undefined, high ?? undefined)
          return { ask: range, expected }
        },
    ),
    keys.map(
      (prefix): Query<Rows> =>
        (model) => ({
          ask: () => reading(store()).prefixScan(prefix, text),
          expected: model.all().filter(({ key }) => key.startsWith(prefix)),
        }),
    ),
    fc.constant<Query<Rows>>((model) => ({
      ask: one(() => reading(store()).approximateNumEntries()),
      expected: [model.all().length],
    })),
  )

function open(bytes: ByteStore, limits: CacheLimits = {}): OverlayKeyValueStore<string, Value> {
  return new OverlayKeyValueStore({ name: 'counts', key: text, value, bytes, ...limits })
}

function subject(limits: CacheLimits): Subject<OverlayKeyValueStore<string, Value>, Rows, Put> {
  return {
    open: (bytes) => open(bytes, limits),
    model: () => new Rows(),
    put: (store, { key, value, timestamp }) => store.put(key, value, timestamp),
    puts: fc.record({
      key: keys,
      value: fc.option(fc.record({ n: fc.nat(1000) }), { freq: 4 }),
      timestamp: fc.integer({ min: -1, max: 2 ** 40 }),
    }),
    queries,
  }
}

describe('queries of a key-value store', () => {
  test('see what is committed when they begin, whatever happens meanwhile', async () => {
    await liveThrough(subject({}), inMemory, 300)
    await liveThrough(subject({ cacheRows: 0 }), inMemory, 300)
  }, 60_000)

  test('and so on disk', async () => {
    await liveOnDisk(subject({ cacheRows: 2 }), 60)
  }, 60_000)

  test('a row is decoded anew for each reader, so that what one does with it nobody else sees', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    store.put('a', { n: 1 }, 5)
    await commit(store, bytes)
    const row = (await reading(store).get('a')) as { value: { n: number }; timestamp: number }
    row.value.n = 2
    expect(store.get('a')?.value).toEqual({ n: 1 })
    expect(await reading(store).get('a')).toEqual({ value: { n: 1 }, timestamp: 5 })
  })

  test('very many rows come in order while others are written, and a scan can be left early', async () => {
    const disk = await onDisk()
    try {
      const bytes = await disk.open()
      const store = open(bytes, { cacheRows: 10 })
      const key = (n: number): string => String(n).padStart(6, '0')
      for (let n = 0; n < 20_000; n += 2) store.put(key(n), { n }, n)
      await commit(store, bytes)
      for (let n = 1; n < 20_000; n += 2) store.put(key(n), { n }, n)
      seal(store)
      store.settle()
      const scan = reading(store).all()[Symbol.asyncIterator]()
      const begun = scan.next()
      for (let n = 0; n < 20_000; n++) store.put(key(n), n % 3 === 0 ? null : { n: -1 }, n)
      await flush(store, bytes)
      await commit(store, bytes)
      let count = 0
      for (let next = await begun; next.done !== true; next = await scan.next()) {
        if (next.value.key !== key(count) || next.value.value.n !== count) expect(next.value).toBe(count)
        count++
      }
      expect(count).toBe(20_000)
      for await (const { value } of reading(store).reverseAll()) {
        expect(value).toEqual({ n: -1 })
        break
      }
      await bytes.close()
    } finally {
      await disk.remove()
    }
  })

  test('a loop begins anew, with what is committed then', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    const all = reading(store).all()
    const seen = async (): Promise<string[]> => {
      const found: string[] = []
      for await (const { key } of all) found.push(key)
      return found
    }
    store.put('b', { n: 1 }, 1)
    await commit(store, bytes)
    expect(await seen()).toEqual(['b'])
    store.put('a', { n: 1 }, 1)
    await commit(store, bytes)
    expect(await seen()).toEqual(['a', 'b'])
  })

  test('a store with a ttl is read alike: what has ended is gone once that is committed', async () => {
    const bytes = new MemoryByteStore()
    const store = new OverlayExpiringStore({ name: 'counts', key: text, value, bytes, empty: true, ttlMs: 10 })
    const seen = async (): Promise<unknown[]> => {
      const found: unknown[] = []
      for await (const row of reading(store).all()) found.push(row)
      return found
    }
    store.put('a', { n: 1 }, 5)
    store.put('b', { n: 2 }, 7)
    await commit(store, bytes)
    store.advance(15, () => undefined)
    expect(await seen()).toHaveLength(2)
    await commit(store, bytes)
    expect(await seen()).toEqual([{ key: 'b', value: { n: 2 }, timestamp: 7 }])
  })

  test('without a key nothing can be looked up; a row that does not read is named', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    await expect(reading(store).get(undefined as never)).rejects.toThrow(
      'store counts was asked for a row without a key',
    )
    await expect(reading(store).get(null as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await bytes.write([{ key: Buffer.from('counts\0k'), value: Buffer.from('eightby.{not json') }])
    await expect(reading(store).get('k')).rejects.toThrow(/store counts: a stored row does not read/)
    await expect(reading(store).all()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'CORRUPT' })
  })
})

describe('queries over partitions', () => {
  test('rows of all come in one order, both ways; a key is looked for in each', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.dictionary(keys, fc.nat(9)), { minLength: 1, maxLength: 4 }), async (partitions) => {
        const stores = await Promise.all(
          partitions.map(async (rows) => {
            const bytes = new MemoryByteStore()
            const store = open(bytes)
            const entries = Object.entries(rows)
            for (const [key, n] of entries.slice(0, 3)) store.put(key, { n }, n)
            await commit(store, bytes)
            for (const [key, n] of entries.slice(3)) store.put(key, { n }, n)
            seal(store)
            store.settle()
            return store
          }),
        )
        const expected = partitions
          .flatMap((rows) => Object.entries(rows).map(([key, n]) => ({ key, value: { n }, timestamp: n })))
          .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
        const found: unknown[] = []
        for await (const row of reading(...stores).all()) found.push(row)
        expect(found).toEqual(expected)
        const back: { readonly key: string }[] = []
        for await (const row of reading(...stores).reverseAll()) back.push(row)
        expect(back.map(({ key }) => key)).toEqual(expected.map(({ key }) => key).reverse())
        expect(await reading(...stores).approximateNumEntries()).toBe(expected.length)
        for (const { key } of expected) {
          const first = partitions.find((rows) => Object.hasOwn(rows, key))?.[key]
          expect((await reading(...stores).get(key))?.value).toEqual({ n: first })
        }
      }),
    )
  })

  test('what fails in one partition lets go of all', async () => {
    const bytes = new MemoryByteStore()
    const closed = new MemoryByteStore()
    await closed.close()
    let left = 0
    const counting: Viewable<string> = {
      name: 'counts',
      view: () => {
        const view = open(bytes).view()
        const { close } = view
        view.close = () => {
          left++
          return close.call(view)
        }
        return view
      },
    }
    await expect(reading(counting, open(closed)).approximateNumEntries()).rejects.toMatchObject({ code: 'REBALANCE' })
    expect(left).toBe(1)
  })
})
