import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CacheLimits } from '../../src/state/clean-rows.ts'
import type { Codec } from '../../src/state/codec.ts'
import { OverlayKeyValueStore } from '../../src/state/key-value.ts'
import { openLevel } from '../../src/state/level.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import type { ByteStore, ByteWrite, ChangelogRow } from '../../src/state/store.ts'
import { dump, json, text } from './codecs.ts'
import { collect, commit, flush, seal } from './commit.ts'

interface Value {
  readonly n: number
}

function open<K>(
  bytes: ByteStore,
  key: Codec<K>,
  limits: CacheLimits = {},
  name = 'counts',
): OverlayKeyValueStore<K, Value> {
  return new OverlayKeyValueStore({ name, key, value: json<Value>(), bytes, ...limits })
}

describe('bytes of a key-value store', () => {
  test('the row is `store 00 key` = `timestamp value`, the changelog row plain', () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, text)
    store.put('a', { n: 1 }, 0x1_2345_6789)
    store.put('b', { n: 2 }, 7)
    store.put('b', null, 8)
    const rows = seal(store)
    store.settle()
    const writes = collect(store)
    expect(rows).toEqual([
      { key: Buffer.from('a'), value: Buffer.from('{"n":1}'), timestamp: 0x1_2345_6789 },
      { key: Buffer.from('b'), value: null, timestamp: 8 },
    ])
    expect(writes).toEqual([
      { key: Buffer.from('counts\0a'), value: Buffer.from('0000000123456789' + '7b226e223a317d', 'hex') },
      { key: Buffer.from('counts\0b'), value: null },
    ])
    expect(rows.map((row) => open(bytes, text).restore(row))).toEqual(writes)
  })

  test('the bytes of a value that are known are those of the row', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, text)
    const source = Buffer.from('...{ "n": 1 }...{"n":2} ')
    store.put('a', { n: 1 }, 1, { bytes: source, valueStart: 3, valueEnd: 13 })
    store.put('b', { n: 0 }, 1, { bytes: source, valueStart: 3, valueEnd: 13 })
    store.put('b', { n: 2 }, 2, { bytes: source, valueStart: 16, valueEnd: 24 })
    store.put('c', { n: 1 }, 1, { bytes: source, valueStart: 3, valueEnd: 13 })
    store.put('c', { n: 3 }, 2)
    store.put('d', { n: 1 }, 1, { bytes: source, valueStart: 3, valueEnd: 13 })
    store.put('d', null, 2)
    const rows = await commit(store, bytes)
    expect(rows.map(({ key, value }) => `${key} ${value}`)).toEqual([
      'a { "n": 1 }',
      'b {"n":2} ',
      'c {"n":3}',
      'd null',
    ])
    expect(open(bytes, text).get('a')?.value).toEqual({ n: 1 })
  })

  test('a key that the bytes never held is not looked for there, in a store that began empty', async () => {
    const bytes = new MemoryByteStore()
    const asked: string[] = []
    const counting: ByteStore = Object.assign(Object.create(bytes), {
      get: (key: Buffer) => {
        asked.push(key.toString())
        return bytes.get(key)
      },
    })
    const options = { name: 's', key: text, value: json<Value>(), bytes: counting, cacheRows: 0 }
    const store = new OverlayKeyValueStore({ ...options, empty: true })
    store.put('a', { n: 1 }, 1)
    const changelog = await commit(store, bytes)
    expect([store.get('a')?.value, store.get('b')]).toEqual([{ n: 1 }, undefined])
    store.put('c', { n: 3 }, 1)
    changelog.push(...(await commit(store, bytes)))
    expect([store.get('c')?.value, store.get('d')]).toEqual([{ n: 3 }, undefined])
    expect(asked.splice(0)).toEqual(['s\0a', 's\0c'])

    const restored = new OverlayKeyValueStore({ ...options, empty: true })
    for (const row of changelog) restored.restore(row)
    expect([restored.get('c')?.value, restored.get('d')]).toEqual([{ n: 3 }, undefined])
    expect(asked.splice(0)).toEqual(['s\0c'])

    const found = new OverlayKeyValueStore(options)
    expect([found.get('c')?.value, found.get('d')]).toEqual([{ n: 3 }, undefined])
    expect(asked).toEqual(['s\0c', 's\0d'])
  })

  test('timestamps below zero and above 2^32 come back', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, text, { cacheRows: 0 })
    for (const timestamp of [-1, -(2 ** 40), 0, 2 ** 32, 2 ** 53 - 1]) {
      store.put('a', { n: 1 }, timestamp)
      await commit(store, bytes)
      expect(store.get('a')?.timestamp).toBe(timestamp)
    }
  })

  test('stores of one task do not see each other', async () => {
    const bytes = new MemoryByteStore()
    const one = open(bytes, text, {}, 'a')
    const other = open(bytes, text, {}, 'ab')
    one.put('bx', { n: 1 }, 1)
    await commit(one, bytes)
    expect(other.get('x')).toBeUndefined()
    expect(one.get('bx')?.value).toEqual({ n: 1 })
  })

  test('a row that does not read is corrupt, by name, and stays so', async () => {
    const bytes = new MemoryByteStore()
    for (const value of ['short', 'eightby.{not json']) {
      await bytes.write([{ key: Buffer.from('counts\0k'), value: Buffer.from(value) }])
      const store = open(bytes, text)
      expect(() => store.get('k')).toThrow(/store counts: a stored row does not read/)
      expect(() => store.get('k')).toThrow(/does not read/)
    }
  })

  test('a value that does not serialize names the store', () => {
    const store = new OverlayKeyValueStore<string, unknown>({
      name: 'big',
      key: text,
      value: json<unknown>(),
      bytes: new MemoryByteStore(),
    })
    store.put('k', 1n, 1)
    expect(() => {
      store.seal(() => undefined)
    }).toThrow(/store big: a value does not serialize/)
    store.discard()
    expect(store.get('k')).toBeUndefined()
  })
})

describe('keys', () => {
  test('keys that encode to the same bytes are one key', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, text)
    store.put('\ud800', { n: 1 }, 1)
    expect(store.get('\ud801')?.value).toEqual({ n: 1 })
    store.put('\ud801', { n: 2 }, 2)
    expect(await commit(store, bytes)).toHaveLength(1)
    expect(store.get('\ufffd')?.value).toEqual({ n: 2 })
  })

  test('a key that was looked for in vain is one row, whatever was put in between', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, text, { cacheRows: 0 })
    expect(store.get('\ud800')).toBeUndefined()
    store.put('\ufffd', { n: 1 }, 1)
    store.put('\ud800', { n: 2 }, 2)
    expect(store.get('a')).toBeUndefined()
    store.put('b', { n: 3 }, 3)
    store.put('a', { n: 4 }, 4)
    store.put('a', { n: 5 }, 5)
    expect(store.cachedRows).toBe(3)
    expect(await commit(store, bytes)).toHaveLength(3)
    expect(['a', 'b', '\ufffd'].map((key) => store.get(key)?.value.n)).toEqual([5, 3, 2])
  })

  test('0 and -0 are one key', () => {
    const double: Codec<number> = {
      primitive: true,
      serialize: (value) => {
        const target = Buffer.alloc(8)
        target.writeDoubleBE(value)
        return target
      },
      deserialize: (buffer) => buffer.readDoubleBE(),
    }
    const store = open(new MemoryByteStore(), double)
    store.put(-0, { n: 1 }, 1)
    expect(store.get(0)?.value).toEqual({ n: 1 })
    seal(store)
    store.settle()
    expect(collect(store).map(({ key }) => key.subarray(7).toString('hex'))).toEqual(['0000000000000000'])
  })
})

describe('memory of a key-value store', () => {
  /** A store of n settled keys k0..kn-1. */
  async function filled(n: number, limits: CacheLimits): Promise<OverlayKeyValueStore<string, Value>> {
    const bytes = new MemoryByteStore()
    const store = open(bytes, text, limits)
    for (let i = 0; i < n; i++) store.put(`k${i}`, { n: i }, i)
    await commit(store, bytes)
    return store
  }

  test('clean rows are bounded by number and by bytes, pinned ones are not', async () => {
    const store = await filled(100, { cacheRows: 10 })
    expect(store.cachedRows).toBe(10)
    for (let i = 0; i < 50; i++) store.put(`k${i}`, { n: -i }, i)
    expect(store.cachedRows).toBe(60)
    for (let i = 0; i < 100; i++) expect(store.get(`k${i}`)?.value.n).toBe(i < 50 ? -i : i)
    expect(store.cachedRows).toBe(60)
    expect((await filled(100, { cacheBytes: 2800 })).cachedRows).toBe(10)
    expect((await filled(100, { cacheRows: 0 })).cachedRows).toBe(0)
  })

  test('the oldest row goes first, one that was read is spared once', async () => {
    const store = await filled(3, { cacheRows: 3 })
    const kept = store.get('k0')
    store.get('absent')
    const bytes = new MemoryByteStore()
    store.put('new', { n: 9 }, 9)
    await commit(store, bytes)
    // k1 was evicted, and the bytes of this test's second store are not those it was settled to.
    expect(store.get('k0')).toBe(kept)
    expect(store.cachedRows).toBe(3)
  })

  test('with no cache a value goes through its bytes', async () => {
    const bytes = new MemoryByteStore()
    const store = new OverlayKeyValueStore<string, unknown>({
      name: 's',
      key: text,
      value: json<unknown>(),
      bytes,
      cacheRows: 0,
    })
    store.put('k', new Date(0), 1)
    await commit(store, bytes)
    expect(store.get('k')?.value).toBe('1970-01-01T00:00:00.000Z')
    store.put('k', 'more', 2)
    expect(store.get('k')?.value).toBe('more')
  })

  test('deleted rows leave memory when the byte store knows of it', async () => {
    const store = await filled(5, {})
    for (let i = 0; i < 5; i++) store.put(`k${i}`, null, 9)
    expect(store.get('k1')).toBeUndefined()
    await commit(store, new MemoryByteStore())
    expect(store.cachedRows).toBe(0)
  })

  test('uncommitted bytes grow with the keys written, not with the writes', async () => {
    const store = await filled(10, {})
    expect(store.uncommittedBytes).toBe(0)
    store.put('k1', { n: 1 }, 1)
    const one = store.uncommittedBytes
    expect(one).toBeGreaterThan(0)
    store.put('k1', { n: 2 }, 1)
    expect(store.uncommittedBytes).toBe(one)
    store.put('k2', { n: 2 }, 1)
    expect(store.uncommittedBytes).toBe(2 * one)
  })

  test('a store that began empty asks the bytes for nothing it has not, until rows have left its memory', async () => {
    const bytes = new MemoryByteStore()
    let asked = 0
    const counting: ByteStore = Object.assign(Object.create(bytes) as ByteStore, {
      get: (key: Buffer) => {
        asked++
        return bytes.get(key)
      },
      write: (writes: readonly ByteWrite[]) => bytes.write(writes),
    })
    const store = new OverlayKeyValueStore<string, Value>({
      name: 's',
      key: text,
      value: json<Value>(),
      bytes: counting,
      empty: true,
      cacheRows: 2,
    })
    for (const key of ['a', 'b']) store.put(key, { n: 1 }, 1)
    await commit(store, counting)
    expect(store.get('absent')).toBeUndefined()
    expect(asked).toBe(0)
    store.put('c', { n: 1 }, 1)
    await commit(store, counting)
    expect(['a', 'b', 'c', 'd'].map((key) => store.get(key)?.value.n)).toEqual([1, 1, 1, undefined])
    expect(asked).toBeGreaterThan(0)
    store.discard()
    expect(['a', 'b', 'c', 'd'].map((key) => store.get(key)?.value.n)).toEqual([1, 1, 1, undefined])
  })

  test('a row that is committed and not in the byte store yet is not evicted, nor twice in what is written', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, text, { cacheRows: 0 })
    for (let n = 1; n <= 3; n++) {
      store.put('k', { n }, n)
      expect(seal(store)).toHaveLength(1)
      store.settle()
      expect([store.unflushedRows, store.cachedRows]).toEqual([1, 1])
    }
    expect(store.unflushedBytes).toBe(3 * ('k'.length + '{"n":1}'.length))
    store.put('k', { n: 4 }, 4)
    await flush(store, bytes)
    expect(await dump(bytes)).toEqual([
      `${Buffer.from('counts\0k').toString('hex')}=0000000000000003${Buffer.from('{"n":3}').toString('hex')}`,
    ])
    expect([store.unflushedRows, store.unflushedBytes]).toEqual([0, 0])
    expect(store.get('k')?.value).toEqual({ n: 4 })
  })

  test('steps out of order, or a restore over writes, are bugs that say so', () => {
    const store = open(new MemoryByteStore(), text)
    const out = (step: () => void) => expect(step).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
    out(() => store.settle())
    out(() => store.flushed())
    store.put('k', { n: 1 }, 1)
    out(() => store.restore({ key: Buffer.from('k'), value: null, timestamp: 1 }))
    seal(store)
    out(() => seal(store))
    out(() => collect(store))
    store.settle()
    out(() => store.restore({ key: Buffer.from('k'), value: null, timestamp: 1 }))
    collect(store)
    out(() => seal(store))
    store.flushed()
    store.restore({ key: Buffer.from('k'), value: null, timestamp: 1 })
  })
})

// The model: rows in the byte store, rows committed, the seal under way, and what came after it. Whatever the interleaving, a read
// is the newest of these; what a discard forgets of the committed is in the changelog.

type Step =
  | { readonly do: 'put'; readonly key: number; readonly n: number; readonly timestamp: number }
  | { readonly do: 'delete'; readonly key: number; readonly timestamp: number }
  | { readonly do: 'get'; readonly key: number }
  | { readonly do: 'seal' | 'settle' | 'flush' | 'discard' | 'reopen' | 'restore' }

const key = fc.integer({ min: 0, max: 4 })
const timestamp = fc.integer({ min: 0, max: 50 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), key, n: fc.nat(99), timestamp }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key, timestamp }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('get' as const), key }) },
  { weight: 3, arbitrary: fc.constant({ do: 'seal' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'settle' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'flush' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'discard' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restore' as const }) },
)
const limits: fc.Arbitrary<CacheLimits> = fc.constantFrom({}, { cacheRows: 0 }, { cacheRows: 2 }, { cacheBytes: 400 })

type ModelRow = { readonly n: number; readonly timestamp: number } | null

async function follow<K>(
  makeBytes: () => Promise<ByteStore>,
  codec: Codec<K>,
  keyOf: (n: number) => K,
  steps: readonly Step[],
  cache: CacheLimits,
): Promise<void> {
  const bytes = await makeBytes()
  let store = new OverlayKeyValueStore<K, Value>({
    name: 'counts',
    key: codec,
    value: json<Value>(),
    bytes,
    empty: true,
    ...cache,
  })
  const stored = new Map<number, ModelRow>()
  const committed = new Map<number, ModelRow>()
  let sealed: { readonly changes: Map<number, ModelRow>; readonly rows: ChangelogRow[] } | undefined
  let live = new Map<number, ModelRow>()
  /** Of what is committed, and how much of it the byte store holds. */
  const changelog: ChangelogRow[] = []
  let checkpoint = 0

  const expected = (k: number): ModelRow => {
    for (const layer of [live, sealed?.changes, committed]) if (layer?.has(k)) return layer.get(k) ?? null
    return null
  }
  const check = (k: number): void => {
    const row = store.get(keyOf(k))
    expect(row === undefined ? null : { n: row.value.n, timestamp: row.timestamp }).toEqual(expected(k))
  }
  const checkAll = (): void => {
    for (let k = 0; k < 5; k++) check(k)
  }
  const settle = (): void => {
    if (sealed === undefined) return
    store.settle()
    changelog.push(...sealed.rows)
    for (const [k, row] of sealed.changes) committed.set(k, row)
    sealed = undefined
  }
  const flushAll = async (): Promise<void> => {
    if (sealed !== undefined) return
    const writes = collect(store)
    // One write a row, however often it was sealed.
    expect(new Set(writes.map((write) => write.key.toString('hex'))).size).toBe(writes.length)
    await bytes.write(writes)
    // Between the write and its end a read must not see anything else either.
    checkAll()
    store.flushed()
    for (const [k, row] of committed) stored.set(k, row)
    checkpoint = changelog.length
  }

  for (const action of steps) {
    switch (action.do) {
      case 'put':
        store.put(keyOf(action.key), { n: action.n }, action.timestamp)
        live.set(action.key, { n: action.n, timestamp: action.timestamp })
        break
      case 'delete':
        store.put(keyOf(action.key), null, action.timestamp)
        live.set(action.key, null)
        break
      case 'get':
        check(action.key)
        break
      case 'seal': {
        if (sealed !== undefined) break
        const rows = seal(store)
        // One row per changed key, in order of first change.
        expect(rows.map((row) => row.key.toString())).toEqual(
          [...live.keys()].map((k) => codec.serialize(keyOf(k)).toString()),
        )
        sealed = { changes: live, rows }
        live = new Map()
        break
      }
      case 'settle':
        settle()
        break
      case 'flush':
        await flushAll()
        break
      case 'discard':
      case 'reopen':
        if (action.do === 'discard') store.discard()
        else store = open(bytes, codec, cache)
        sealed = undefined
        live = new Map()
        // As a task does: what the bytes lack of the committed comes back from the changelog.
        for (const row of changelog.slice(checkpoint)) await bytes.write([store.restore(row)])
        checkpoint = changelog.length
        for (const [k, row] of committed) stored.set(k, row)
        checkAll()
        break
      case 'restore': {
        const rebuilt = new MemoryByteStore()
        const other = open(rebuilt, codec, cache)
        for (const row of changelog.slice(0, checkpoint)) await rebuilt.write([other.restore(row)])
        expect(await dump(rebuilt)).toEqual(await dump(bytes))
        break
      }
    }
  }
  settle()
  await flushAll()
  checkAll()
  const present = [...stored].filter(([, row]) => row !== null)
  expect(await dump(bytes)).toHaveLength(present.length)
}

describe('a key-value store is its model', () => {
  const memory = async (): Promise<ByteStore> => new MemoryByteStore()

  test('with string keys, in memory', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), limits, (steps, cache) =>
        follow(memory, text, (n) => `k${n}`, steps, cache),
      ),
      { numRuns: 600 },
    )
  })

  test('with object keys, in memory', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), limits, (steps, cache) =>
        follow(memory, json<{ id: number }>(), (n) => ({ id: n }), steps, cache),
      ),
      { numRuns: 300 },
    )
  })

  test('with string keys, on LevelDB', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'streamctl-kv-'))
    const bytes = await openLevel(directory, { createIfMissing: true })
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), limits, async (steps, cache) => {
          await bytes.deleteRange(Buffer.alloc(0), Buffer.alloc(20, 0xff))
          await follow(
            async () => bytes,
            text,
            (n) => `k${n}`,
            steps,
            cache,
          )
        }),
        { numRuns: 60 },
      )
    } finally {
      await bytes.close()
      await rm(directory, { recursive: true, force: true })
    }
  })
})
