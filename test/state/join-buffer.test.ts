import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { consumerRecord } from '../../src/common/record.ts'
import type { CacheLimits } from '../../src/state/clean-rows.ts'
import type { Codec } from '../../src/state/codec.ts'
import { OverlayJoinBuffer } from '../../src/state/join-buffer.ts'
import { openLevel } from '../../src/state/level.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import type { ByteStore, ChangelogRow, HeldRow } from '../../src/state/store.ts'
import { dump, json, text } from './codecs.ts'
import { collect, commit, seal } from './commit.ts'

interface Value {
  readonly n: number
}

const retentionMs = 64

interface Options extends CacheLimits {
  readonly key?: Codec<string>
  readonly empty?: boolean
  readonly ownTime?: boolean
}

function open(bytes: ByteStore, options: Options = {}): OverlayJoinBuffer<string, Value> {
  return new OverlayJoinBuffer({ name: 'j', key: text, value: json<Value>(), retentionMs, bytes, ...options })
}

function matches(store: OverlayJoinBuffer<string, Value>, key: string, from: number, to: number): string[] {
  const seen: string[] = []
  const count = store.match(key, from, to, ({ n }, timestamp) => seen.push(`${n}@${timestamp}`))
  expect(count).toBe(seen.length)
  return seen
}

function heldOf(store: OverlayJoinBuffer<string, Value>): string[] {
  const rows: string[] = []
  for (let row = store.firstHeld; row !== undefined; row = store.heldAfter(row)) {
    rows.push(`${store.keyOf(row)} ${store.valueOf(row).n}@${row.timestamp}`)
  }
  return rows
}

describe('bytes of a join buffer', () => {
  test('the row is `store 00 timestamp seq key`, the changelog row `key timestamp seq`, the value begins with whether it is held', () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { empty: true })
    store.put('ab', { n: 1 }, 0x1_0000_0005, false)
    store.put('ab', { n: 2 }, 0x1_0000_0005, true)
    const rows = seal(store)
    store.settle()
    const writes = collect(store)
    expect(rows.map((row) => row.key.toString('hex'))).toEqual([
      '6162' + '0000000100000005' + '00000000',
      '6162' + '0000000100000005' + '00000001',
    ])
    expect(rows.map((row) => row.value?.toString('latin1'))).toEqual(['\0{"n":1}', '\u0001{"n":2}'])
    expect(rows.map((row) => row.timestamp)).toEqual([0x1_0000_0005, 0x1_0000_0005])
    expect(writes.map((write) => write.key.toString('hex'))).toEqual([
      '6a00' + '0000000100000005' + '00000000' + '6162',
      '6a00' + '0000000100000005' + '00000001' + '6162',
    ])
    expect(writes.map((write) => write.value)).toEqual(rows.map((row) => row.value))
    expect(rows.map((row) => open(bytes).restore(row))).toEqual(writes)
  })

  test('a held row that is matched is written again, and one that is removed leaves a tombstone', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { empty: true })
    store.put('a', { n: 1 }, 1, true)
    store.put('b', { n: 2 }, 2, true)
    await commit(store, bytes)
    matches(store, 'a', 0, 9)
    store.remove(store.firstHeld as HeldRow)
    const rows = await commit(store, bytes)
    expect(rows.map(({ value, timestamp }) => [value?.toString('latin1') ?? null, timestamp])).toEqual([
      ['\0{"n":1}', 1],
      [null, 2],
    ])
    expect(await dump(bytes)).toHaveLength(1)
  })

  test('a row that comes and goes between two commits is never written', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { empty: true })
    store.put('a', { n: 1 }, 1, true)
    store.remove(store.firstHeld as HeldRow)
    expect(await commit(store, bytes)).toEqual([])
  })

  test('a value that was read from a record is kept as the bytes it was read from', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { empty: true, cacheRows: 0 })
    const record = consumerRecord(0, 1, Buffer.from('a'), Buffer.from('{ "n": 1 }'))
    store.put('a', { n: 1 }, 1, true, record)
    expect(matches(store, 'a', 0, 9)).toEqual(['1@1'])
    const rows = await commit(store, bytes)
    expect(rows.map(({ key, value }) => [key.toString('hex'), value?.toString('latin1')])).toEqual([
      ['61' + '0000000000000001' + '00000000', '\0{ "n": 1 }'],
    ])
    expect(await dump(bytes)).toEqual([
      `6a00${'0000000000000001'}0000000061=00${Buffer.from('{ "n": 1 }').toString('hex')}`,
    ])
    expect(matches(store, 'a', 0, 9)).toEqual(['1@1'])
  })

  test('a changelog key without a timestamp is corrupt, and so is a stored value that does not read', async () => {
    expect(() => open(new MemoryByteStore()).restore({ key: Buffer.from('k'), value: null, timestamp: 1 })).toThrow(
      expect.objectContaining({ code: 'CORRUPT', hint: expect.stringContaining('another application id') as string }),
    )
    const bytes = new MemoryByteStore()
    const store = open(bytes)
    const key = Buffer.concat([Buffer.from('k'), Buffer.alloc(12)])
    await bytes.write([store.restore({ key, value: Buffer.from('\0{'), timestamp: 1 })])
    await store.load()
    expect(() => store.match('k', 0, 9, () => undefined)).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
  })

  test('a value that does not serialize says so', () => {
    const store = open(new MemoryByteStore(), { empty: true })
    store.put('a', { n: 1n as unknown as number }, 1, false)
    expect(() => seal(store)).toThrow(expect.objectContaining({ code: 'SERIALIZATION', where: { node: 'j' } }))
  })
})

describe('life', () => {
  test('nothing is read or written before the bytes were', async () => {
    const store = open(new MemoryByteStore())
    expect(() => store.put('a', { n: 1 }, 1, false)).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
    expect(() => matches(store, 'a', 0, 1)).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
    await store.load()
    expect(matches(store, 'a', 0, 1)).toEqual([])
    store.discard()
    expect(() => matches(store, 'a', 0, 1)).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
  })

  test('keys with the same bytes are one key, and those of objects go by what they hold', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { empty: true })
    store.put('\ud800', { n: 1 }, 1, false)
    store.put('\ufffd', { n: 2 }, 2, false)
    expect(matches(store, '\ud800', 0, 9)).toEqual(['1@1', '2@2'])
    const byObject = new OverlayJoinBuffer({
      name: 'o',
      key: json<{ id: number }>(),
      value: json<Value>(),
      retentionMs,
      bytes,
      empty: true,
    })
    byObject.put({ id: 1 }, { n: 1 }, 1, true)
    expect(byObject.keyOf(byObject.firstHeld as HeldRow)).toEqual({ id: 1 })
    expect(byObject.match({ id: 1 }, 0, 9, () => undefined)).toBe(1)
    expect(byObject.firstHeld).toBeUndefined()
  })

  test('a value that was let go of is read from the bytes', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { empty: true, cacheRows: 0 })
    store.put('a', { n: 1 }, 1, true)
    await commit(store, bytes)
    await bytes.write([
      { key: Buffer.from('6a0000000000000000010000000061', 'hex'), value: Buffer.from('\u0001{"n":7}') },
    ])
    expect(heldOf(store)).toEqual(['a 7@1'])
    expect(matches(store, 'a', 0, 9)).toEqual(['7@1'])
  })

  test('stream time goes back with a discard, and comes from the checkpoint or from restored rows, whichever is later', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { empty: true })
    store.streamTime = 10
    store.put('a', { n: 1 }, 10, false)
    const rows = await commit(store, bytes)
    store.streamTime = 20
    store.discard()
    expect(store.streamTime).toBe(10)
    const other = open(new MemoryByteStore())
    for (const row of rows) other.restore(row)
    expect(other.streamTime).toBe(10)
    other.recoverStreamTime(15)
    other.recoverStreamTime(12)
    expect(other.streamTime).toBe(15)
  })
})

describe('expiry', () => {
  test('takes out what the settled time has made unreachable, memory and bytes, and nothing on the word of a record that is aborted', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { empty: true })
    store.put('a', { n: 1 }, 10, false)
    store.put('b', { n: 2 }, 20, false)
    store.streamTime = 20
    await commit(store, bytes)
    store.streamTime = 1_000
    await store.expire()
    expect(store.cachedRows).toBe(2)
    store.discard()
    await store.load()
    expect(store.cachedRows).toBe(2)
    store.streamTime = 10 + retentionMs + 1
    await commit(store, bytes)
    await store.expire()
    expect(store.cachedRows).toBe(1)
    expect(await dump(bytes)).toHaveLength(1)
    expect(matches(store, 'b', 0, 99)).toEqual(['2@20'])
  })

  test('a held row stays, however late, and with it its place in the changelog', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { empty: true })
    store.put('a', { n: 1 }, 10, true)
    store.put('a', { n: 2 }, 10, false)
    store.streamTime = 1_000
    await commit(store, bytes)
    await store.expire()
    expect(store.expiryTime).toBe(10 + retentionMs - 1)
    expect(heldOf(store)).toEqual(['a 1@10'])
    store.remove(store.firstHeld as HeldRow)
    await commit(store, bytes)
    await store.expire()
    expect(store.expiryTime).toBe(1_000)
    expect([store.cachedRows, await dump(bytes)]).toEqual([0, []])
  })

  test('by its own time, what the other side has reached does not matter', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { empty: true, ownTime: true })
    store.put('a', { n: 1 }, 10, false)
    store.streamTime = 1_000
    await commit(store, bytes)
    await store.expire()
    expect(store.cachedRows).toBe(1)
    store.put('a', { n: 2 }, 500, false)
    await commit(store, bytes)
    await store.expire()
    expect([store.cachedRows, store.latest, store.expiryTime]).toEqual([1, 500, 500])
  })

  test('rows that have become unreachable before they are flushed never reach the bytes', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { empty: true, cacheRows: 0 })
    store.put('a', { n: 1 }, 5, false)
    store.put('b', { n: 2 }, 500, false)
    store.streamTime = 500
    seal(store)
    store.settle()
    expect(collect(store)).toHaveLength(1)
    store.flushed()
    await store.expire()
    expect([store.cachedRows, store.unflushedRows]).toEqual([1, 0])
    expect(matches(store, 'a', 0, 999)).toEqual([])
  })

  test('what expires between two commits leaves memory, and waits for no flush', async () => {
    const store = open(new MemoryByteStore(), { empty: true })
    for (let time = 0; time < 5_000; time += 10) {
      store.streamTime = time
      store.put(`k${time % 70}`, { n: time }, time, false)
      seal(store)
      store.settle()
      expect(store.cachedRows).toBeLessThan(10)
      expect(store.unflushedRows).toBeLessThan(10)
      expect(store.unflushedBytes).toBeLessThan(10 * 40)
    }
  })

  test('a tombstone is that of its key, though the key has come to an end and another one has begun', () => {
    const store = open(new MemoryByteStore(), { empty: true })
    store.put('a', { n: 1 }, 1, true)
    seal(store)
    store.settle()
    store.remove(store.firstHeld as HeldRow)
    store.put('b', { n: 2 }, 2, false)
    expect(seal(store).map(({ key, value }) => [key.toString('latin1', 0, 1), value === null])).toEqual([
      ['a', true],
      ['b', false],
    ])
  })

  test('what was given out does not come back when the process is killed before expired rows are deleted', async () => {
    for (const what of ['remove', 'match'] as const) {
      const bytes = new MemoryByteStore()
      const store = open(bytes, { empty: true })
      store.put('a', { n: 1 }, 10, true)
      await commit(store, bytes)
      if (what === 'remove') store.remove(store.firstHeld as HeldRow)
      else matches(store, 'a', 0, 99)
      store.streamTime = 1_000
      store.put('b', { n: 2 }, 1_000, false)
      seal(store)
      store.settle()
      // What keeps rows in memory may use that of the one that has expired for another.
      store.put('c', { n: 3 }, 1_000, false)
      await bytes.write(collect(store))
      const next = open(bytes)
      next.recoverStreamTime(1_000)
      await next.load()
      expect(heldOf(next), what).toEqual([])
    }
  })

  test('a range that could not be deleted is tried again', async () => {
    const bytes = new MemoryByteStore()
    let fail = true
    const failing: ByteStore = {
      get: (key) => bytes.get(key),
      write: (writes) => bytes.write(writes),
      scan: (from, to) => bytes.scan(from, to),
      diskBytes: () => bytes.diskBytes(),
      snapshot: () => bytes.snapshot(),
      close: () => bytes.close(),
      deleteRange: async (from, to) => {
        if (fail) throw new Error('disk')
        await bytes.deleteRange(from, to)
      },
    }
    const store = open(failing, { empty: true })
    store.put('a', { n: 1 }, 5, false)
    await commit(store, failing)
    store.streamTime = 1000
    await commit(store, failing)
    await expect(store.expire()).rejects.toThrow('disk')
    fail = false
    await store.expire()
    expect(await dump(bytes)).toEqual([])
  })

  test('values of rows that are gone do not gather in memory', async () => {
    const bytes = new MemoryByteStore()
    const store = open(bytes, { empty: true })
    for (let time = 0; time < 5_000; time++) {
      store.streamTime = time
      store.put(`k${time}`, { n: time }, time, false)
      await commit(store, bytes)
      await store.expire()
    }
    expect(store.cachedRows).toBeLessThan(retentionMs * 1.1)
    expect(await dump(bytes)).toHaveLength(store.cachedRows)
  })
})

// The model: all rows in order of arrival, as they were when last flushed, committed, sealed, and as they are.

type Step =
  | {
      readonly do: 'put'
      readonly key: number
      readonly back: number
      readonly n: number
      readonly held: boolean
      readonly asRead: boolean
    }
  | { readonly do: 'match'; readonly key: number; readonly from: number; readonly to: number }
  | { readonly do: 'advance'; readonly by: number }
  | {
      readonly do:
        | 'remove'
        | 'release'
        | 'seal'
        | 'settle'
        | 'flush'
        | 'expire'
        | 'discard'
        | 'reopen'
        | 'tear'
        | 'restore'
    }

const key = fc.integer({ min: 0, max: 3 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      back: fc.constantFrom(0, 0, 0, 1, 2, 5, 30, 63),
      n: fc.nat(99),
      held: fc.constantFrom(true, false, false, false),
      asRead: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('match' as const),
      key,
      from: fc.constantFrom(0, 1, 5, 63),
      to: fc.constantFrom(0, 1, 5),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), by: fc.constantFrom(1, 2, 5, 20, 80) }) },
  { weight: 4, arbitrary: fc.constant({ do: 'remove' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'release' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'seal' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'settle' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'flush' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'expire' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'discard' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'tear' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restore' as const }) },
)

interface ModelRow {
  readonly key: string
  readonly timestamp: number
  readonly n: number
  readonly held: boolean
}
interface State {
  readonly rows: readonly ModelRow[]
  readonly time: number
}

const byKey = (a: ModelRow, b: ModelRow) => a.timestamp - b.timestamp || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

async function follow(bytes: ByteStore, steps: readonly Step[], options: Options): Promise<void> {
  let store = open(bytes, { ...options, empty: true })
  let live: State = { rows: [], time: -1 }
  let sealed: (State & { readonly changelog: readonly ChangelogRow[] }) | undefined
  let committed: State = live
  const changelog: ChangelogRow[] = []
  let checkpoint = 0

  const checkHeld = (): void => {
    const held = live.rows.filter((row) => row.held).sort(byKey)
    expect(heldOf(store)).toEqual(held.map((row) => `${row.key} ${row.n}@${row.timestamp}`))
    expect([store.firstHeld?.timestamp, store.lastHeld?.timestamp]).toEqual([
      held[0]?.timestamp,
      held.at(-1)?.timestamp,
    ])
    const from = live.time - 3
    expect(store.heldFrom(from)?.timestamp).toBe(held.find((row) => row.timestamp >= from)?.timestamp)
  }
  const match = (name: string, from: number, to: number): void => {
    const hit = (row: ModelRow) => row.key === name && row.timestamp >= from && row.timestamp <= to
    const expected = live.rows.filter(hit).sort((a, b) => a.timestamp - b.timestamp)
    expect(matches(store, name, from, to)).toEqual(expected.map(({ n, timestamp }) => `${n}@${timestamp}`))
    live = { ...live, rows: live.rows.map((row) => (hit(row) ? { ...row, held: false } : row)) }
  }
  const settle = (): void => {
    if (sealed === undefined) return
    store.settle()
    changelog.push(...sealed.changelog)
    committed = sealed
    sealed = undefined
  }
  const flushAll = async (): Promise<void> => {
    if (sealed !== undefined) return
    await bytes.write(collect(store))
    checkHeld()
    store.flushed()
    checkpoint = changelog.length
    await store.expire()
  }
  const recover = async (): Promise<void> => {
    sealed = undefined
    live = committed
    for (const row of changelog.slice(checkpoint)) await bytes.write([store.restore(row)])
    checkpoint = changelog.length
    store.recoverStreamTime(committed.time)
    expect(store.streamTime).toBe(committed.time)
    await store.load()
  }

  for (const action of steps) {
    const now = live.time
    switch (action.do) {
      case 'advance':
        live = { ...live, time: now + action.by }
        store.streamTime = live.time
        break
      case 'put': {
        const timestamp = now - action.back
        if (timestamp < 0) break
        const row = { key: `k${action.key}`, timestamp, n: action.n, held: action.held }
        const record = consumerRecord(0, timestamp, null, Buffer.from(`{ "n": ${row.n} }`))
        store.put(row.key, { n: row.n }, timestamp, row.held, action.asRead ? record : undefined)
        live = { ...live, rows: [...live.rows, row] }
        break
      }
      case 'match':
        // As operators do: what has become unreachable is not looked for.
        match(`k${action.key}`, Math.max(0, now - action.from), now + action.to)
        break
      case 'remove':
      case 'release': {
        const first = store.firstHeld
        if (first === undefined) break
        const [model] = live.rows.filter((row) => row.held).sort(byKey)
        if (action.do === 'remove') store.remove(first)
        else store.release(first)
        const rows = live.rows.flatMap((row) =>
          row !== model ? [row] : action.do === 'remove' ? [] : [{ ...row, held: false }],
        )
        live = { ...live, rows }
        break
      }
      case 'seal':
        if (sealed === undefined) sealed = { ...live, changelog: seal(store) }
        break
      case 'settle':
        settle()
        break
      case 'flush':
        await flushAll()
        break
      case 'expire':
        await store.expire()
        break
      case 'discard':
        store.discard()
        expect(store.streamTime).toBe(committed.time)
        await recover()
        break
      case 'tear':
        // Killed after the batch was written, before expired rows were deleted.
        if (sealed !== undefined) break
        await bytes.write(collect(store))
        checkpoint = changelog.length
        store = open(bytes, options)
        await recover()
        break
      case 'reopen':
        store = open(bytes, options)
        await recover()
        break
      case 'restore': {
        const rebuilt = new MemoryByteStore()
        const other = open(rebuilt, options)
        for (const row of changelog) await rebuilt.write([other.restore(row)])
        other.recoverStreamTime(committed.time)
        await other.load()
        await other.expire()
        expect(heldOf(other)).toEqual(
          committed.rows
            .filter((row) => row.held)
            .sort(byKey)
            .map((row) => `${row.key} ${row.n}@${row.timestamp}`),
        )
        break
      }
    }
    checkHeld()
  }
  settle()
  await flushAll()
  checkHeld()
  for (let k = 0; k < 4; k++) match(`k${k}`, Math.max(0, live.time - retentionMs + 1), live.time)
}

const limits: fc.Arbitrary<Options> = fc.constantFrom(
  {},
  { cacheRows: 0 },
  { cacheRows: 2 },
  { cacheBytes: 400 },
  { key: { ...text, primitive: false } },
)

describe('a join buffer is its model', () => {
  test('in memory', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), limits, (steps, options) =>
        follow(new MemoryByteStore(), steps, options),
      ),
      { numRuns: 800 },
    )
  })

  test('on LevelDB', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'streamctl-join-'))
    let run = 0
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), limits, async (steps, options) => {
          const bytes = await openLevel(join(dir, `${run++}`), { createIfMissing: true })
          try {
            await follow(bytes, steps, options)
          } finally {
            await bytes.close()
          }
        }),
        { numRuns: 25 },
      )
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })
})
