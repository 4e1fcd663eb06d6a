import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Headers } from '../../src/common/record.ts'
import { noHeaders } from '../../src/common/record.ts'
import { type BufferStoreOptions, OverlayBufferStore } from '../../src/state/buffer.ts'
import type { CacheLimits } from '../../src/state/clean-rows.ts'
import type { Codec } from '../../src/state/codec.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import type { ByteStore, Released } from '../../src/state/store.ts'
import { dump, json, text } from './codecs.ts'
import { collect, commit, seal } from './commit.ts'
import { Life, type LifeStep, lifeSteps, type World } from './life.ts'

interface Value {
  readonly n: number
}
type Options<K> = Partial<BufferStoreOptions<K, Value>>

function made<K>(bytes: ByteStore, key: Codec<K>, options: Options<K> = {}) {
  return new OverlayBufferStore<K, Value>({ name: 's', key, value: json<Value>(), bytes, ...options })
}

/** Ready for records, as after an opening. */
async function open<K>(bytes: ByteStore, key: Codec<K>, options: Options<K> = {}) {
  const store = made(bytes, key, options)
  await store.load()
  return store
}

const trace: Headers = [
  { key: 'ü', value: Buffer.from('1') },
  { key: '', value: null },
]

describe('bytes of a buffer', () => {
  test('a row holds buffer time, headers, prior value and value', async () => {
    const bytes = new MemoryByteStore()
    const store = await open(bytes, text)
    store.put('ab', { n: 1 }, null, 0x1_0000_0002, 7, trace)
    store.put('c', null, { n: 23 }, 5, 8, noHeaders)
    const rows = seal(store)
    store.settle()
    const writes = collect(store)
    const hex = (value: string) => Buffer.from(value).toString('hex')
    const first = `0000000100000002${'00000002'}${'00000002'}c3bc${'00000001'}31${'00000000'}${'ffffffff'}${'ffffffff'}${'00000007'}${hex('{"n":1}')}`
    const second = `0000000000000005${'00000000'}${'00000008'}${hex('{"n":23}')}${'ffffffff'}`
    expect(rows.map(({ key, value, timestamp }) => [key.toString(), value?.toString('hex'), timestamp])).toEqual([
      ['ab', first, 7],
      ['c', second, 8],
    ])
    expect(writes.map(({ key, value }) => [key.toString('hex'), value?.toString('hex')])).toEqual([
      ['73006162', `0000000000000007${first}`],
      ['730063', `0000000000000008${second}`],
    ])
    const other = await open(bytes, text)
    expect(rows.map((row) => other.restore(row))).toEqual(writes)
  })

  test('what is released is deleted, there and in the changelog', async () => {
    const bytes = new MemoryByteStore()
    const store = await open(bytes, text)
    store.put('a', { n: 1 }, null, 1, 1, noHeaders)
    await commit(store, bytes)
    store.shift()
    expect((await commit(store, bytes)).map(({ key, value }) => [key.toString(), value])).toEqual([['a', null]])
    expect(await dump(bytes)).toEqual([])
  })

  test('is measured as it is stored, also after an opening', async () => {
    const bytes = new MemoryByteStore()
    const store = await open(bytes, text, { measured: true })
    store.put('ab', { n: 1 }, { n: 2 }, 1, 1, trace)
    store.put('c', { n: 1 }, null, 1, 1, noHeaders)
    store.put('c', null, { n: 1 }, 1, 1, noHeaders)
    store.put('d', { n: 100 }, null, 1, 1, noHeaders)
    await commit(store, bytes)
    const stored = (await dump(bytes)).reduce((sum, row) => sum + (row.length - 1) / 2 - 's\0'.length, 0)
    expect(store.bytes).toBe(stored)
    expect((await open(bytes, text, { measured: true })).bytes).toBe(stored)
    expect((await open(bytes, text)).bytes).toBe(0)
    store.shift()
    store.shift()
    store.shift()
    expect(store.bytes).toBe(0)
  })
})

describe('the queue', () => {
  test('is in the order of time, then of key bytes; an update stays in the place of the first', async () => {
    const store = await open(new MemoryByteStore(), text)
    // U+FF5E is before U+1F600 in bytes, and after it in UTF-16 units.
    for (const key of ['b', '\u{1F600}', '～', 'a', 'aa']) store.put(key, { n: 1 }, null, 5, 5, noHeaders)
    store.put('z', { n: 1 }, null, 4, 9, noHeaders)
    store.put('z', { n: 2 }, { n: 1 }, 100, 100, trace)
    expect([store.size, store.firstTime]).toEqual([6, 4])
    expect(store.shift()).toEqual({ key: 'z', value: { n: 2 }, prior: null, time: 4, timestamp: 100, headers: trace })
    expect(Array.from({ length: 5 }, () => store.shift().key)).toEqual(['a', 'aa', 'b', '～', '\u{1F600}'])
    expect([store.size, store.firstTime]).toEqual([0, Number.POSITIVE_INFINITY])
  })

  test('a key that comes back after it was released begins anew', async () => {
    const store = await open(new MemoryByteStore(), text)
    store.put('a', { n: 1 }, null, 1, 1, noHeaders)
    store.shift()
    expect(store.get('a')).toBeUndefined()
    store.put('a', { n: 2 }, { n: 1 }, 3, 3, noHeaders)
    expect(store.shift()).toMatchObject({ time: 3, prior: { n: 1 } })
  })

  test('keys with the same bytes are one', async () => {
    const store = await open(new MemoryByteStore(), text)
    store.put('\ud800', { n: 1 }, null, 1, 1, noHeaders)
    store.put('\ufffd', { n: 2 }, null, 2, 2, noHeaders)
    expect(store.size).toBe(1)
    expect(store.get('\udfff')?.value.value).toEqual({ n: 2 })
  })

  test('must have been read before records come', () => {
    const store = new OverlayBufferStore({ name: 's', key: text, value: json<Value>(), bytes: new MemoryByteStore() })
    const before = expect.objectContaining({ code: 'INTERNAL' })
    expect(() => store.get('a')).toThrow(before)
    expect(() => store.put('a', { n: 1 }, null, 1, 1, noHeaders)).toThrow(before)
    expect(() => store.shift()).toThrow(before)
  })

  test('a discard takes back what was released, and the stream time', async () => {
    const bytes = new MemoryByteStore()
    const store = await open(bytes, text)
    store.put('a', { n: 1 }, null, 1, 1, noHeaders)
    store.streamTime = 1
    await commit(store, bytes)
    store.streamTime = 50
    store.shift()
    store.put('b', { n: 1 }, null, 2, 2, noHeaders)
    store.discard()
    await store.load()
    expect(store.streamTime).toBe(1)
    expect([store.size, store.shift().key]).toEqual([1, 'a'])
  })
})

test('restored rows raise the stream time to what has written them at least', async () => {
  const store = await open(new MemoryByteStore(), text)
  store.restore({ key: Buffer.from('a'), value: null, timestamp: 7 })
  expect(store.streamTime).toBe(7)
  store.discard()
  expect(store.streamTime).toBe(7)
})

// The model: held back rows by key.

interface Held extends Released<string, Value> {}
interface Queue extends World {
  readonly held: ReadonlyMap<string, Held>
}

type Step =
  | {
      readonly do: 'put'
      readonly key: number
      readonly by: number
      readonly n: number
      readonly old: number
      readonly traced: boolean
    }
  | { readonly do: 'shift' }
  | LifeStep

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key: fc.integer({ min: 0, max: 4 }),
      by: fc.integer({ min: -10, max: 6 }),
      n: fc.nat(5),
      old: fc.nat(2),
      traced: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.constant({ do: 'shift' as const }) },
  ...lifeSteps,
)
const limits: fc.Arbitrary<CacheLimits> = fc.constantFrom({}, { cacheRows: 0 }, { cacheRows: 1 }, { cacheBytes: 600 })

const none: Queue = { time: -1, held: new Map() }

function inOrder({ held }: Queue): readonly Held[] {
  return [...held.values()].sort(
    (a, b) => a.time - b.time || Buffer.compare(Buffer.from(a.key, 'utf8'), Buffer.from(b.key, 'utf8')),
  )
}

/** @param key of the model's key: as it is, or packed into an object, which is looked up by its bytes. */
async function follow<K>(codec: Codec<K>, pack: (key: string) => K, steps: readonly Step[], cache: CacheLimits) {
  const bytes = new MemoryByteStore()
  const life = new Life<OverlayBufferStore<K, Value>, Queue>({
    bytes,
    nothing: none,
    open: (flushed) => made(bytes, codec, { ...cache, empty: flushed === undefined, measured: true }),
    check(store, live) {
      const rows = inOrder(live)
      expect([store.size, store.firstTime]).toEqual([rows.length, rows[0]?.time ?? Number.POSITIVE_INFINITY])
      for (const key of keys) {
        const held = live.held.get(key)
        const row = store.get(pack(key))
        if (held === undefined) expect(row).toBeUndefined()
        else {
          const { time, prior, value, headers } = held
          expect(row?.value).toEqual({ time, prior, value, headers })
          expect(row?.timestamp).toBe(held.timestamp)
        }
      }
    },
  })
  for (const action of steps) {
    const { store, live } = life
    switch (action.do) {
      case 'put': {
        const timestamp = Math.max(0, live.time + action.by)
        const key = keys[action.key] as string
        const value = action.n === 0 ? null : { n: action.n }
        const old = action.old === 0 ? null : { n: -action.old }
        const headers = action.traced ? trace : noHeaders
        const known = live.held.get(key)
        const row = { key, value, timestamp, headers, prior: known ? known.prior : old, time: known?.time ?? timestamp }
        store.put(pack(key), value, old, timestamp, timestamp, headers)
        store.streamTime = Math.max(live.time, timestamp)
        life.live = { time: store.streamTime, held: new Map(live.held).set(key, row) }
        break
      }
      case 'shift': {
        const [first] = inOrder(live)
        if (first === undefined) break
        expect(store.shift()).toEqual({ ...first, key: pack(first.key) })
        const held = new Map(live.held)
        held.delete(first.key)
        life.live = { ...live, held }
        break
      }
      default:
        await life.step(action)
    }
    life.check()
  }
  const { store, live } = life
  for (const row of inOrder(live)) expect(store.shift()).toEqual({ ...row, key: pack(row.key) })
  expect([store.size, store.bytes]).toEqual([0, 0])
}

const keys = ['a', 'aa', 'b', '～', '\u{1F600}']

test('a buffer of plain keys does as its model, on random steps', async () => {
  const run = (steps: readonly Step[], cache: CacheLimits) => follow(text, (key) => key, steps, cache)
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), limits, run), { numRuns: 300 })
})

test('a buffer of keys that are looked up by their bytes does as its model, on random steps', async () => {
  const packed: Codec<{ readonly key: string }> = {
    primitive: false,
    serialize: ({ key }) => Buffer.from(key, 'utf8'),
    deserialize: (bytes) => ({ key: bytes.toString('utf8') }),
  }
  const run = (steps: readonly Step[], cache: CacheLimits) => follow(packed, (key) => ({ key }), steps, cache)
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), limits, run), { numRuns: 200 })
})
