import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OverlayExpiringStore } from '../../src/state/expiring.ts'
import { OverlayKeyValueStore } from '../../src/state/key-value.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import type { ByteStore, ChangelogRow } from '../../src/state/store.ts'
import { json, text } from './codecs.ts'
import { collect, commit, flush, seal } from './commit.ts'

const ttlMs = 10

function open(bytes: ByteStore, cacheRows = 100): OverlayExpiringStore<string, number> {
  return new OverlayExpiringStore({ name: 'rows', key: text, value: json<number>(), bytes, ttlMs, cacheRows })
}

function advance(store: OverlayExpiringStore<string, number>, time: number): [string, number, number][] {
  const seen: [string, number, number][] = []
  store.advance(time, (...row) => seen.push(row))
  return seen
}

test('a row ends when stream time reaches its timestamp + ttl, with a tombstone of that time', () => {
  const store = open(new MemoryByteStore())
  store.advance(5, () => undefined)
  store.put('a', 1, 5)
  expect(advance(store, 14)).toEqual([])
  expect(store.get('a')).toEqual(expect.objectContaining({ value: 1, timestamp: 5 }))
  seal(store)
  store.settle()
  expect(advance(store, 20)).toEqual([['a', 1, 15]])
  expect(store.get('a')).toBeUndefined()
  expect(seal(store)).toEqual([{ key: Buffer.from('a'), value: null, timestamp: 15 }])
})

test('a row that would have ended already is there until stream time moves on, and can be deleted', () => {
  const store = open(new MemoryByteStore())
  store.advance(20, () => undefined)
  store.put('a', 1, 15)
  store.put('a', 2, 10)
  store.put('b', 3, 2)
  store.put('c', 4, 20)
  store.put('c', null, 3)
  expect([store.get('a')?.value, store.get('b')?.value, store.get('c')]).toEqual([2, 3, undefined])
  expect([store.isOver(10), store.isOver(11)]).toEqual([true, false])
  expect(advance(store, 21)).toEqual([
    ['b', 3, 12],
    ['a', 2, 20],
  ])
})

test('bytes and changelog are those of a key-value store: one becomes the other', async () => {
  const bytes = new MemoryByteStore()
  const plain = new OverlayKeyValueStore<string, number>({ name: 'rows', key: text, value: json<number>(), bytes })
  plain.put('a', 1, 5)
  await commit(plain, bytes)
  const store = open(bytes)
  await store.load()
  expect(advance(store, 15)).toEqual([['a', 1, 15]])
  store.put('b', 2, 15)
  const rows = seal(store)
  store.settle()
  const writes = collect(store)
  expect(rows.map((row) => plain.restore(row))).toEqual(writes)
  expect(rows.map((row) => open(bytes).restore(row))).toEqual(writes)
})

type Step =
  | { readonly kind: 'put'; readonly key: string; readonly value: number | null; readonly late: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'seal' | 'commit' | 'abort' | 'restart' | 'restore' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key: fc.constantFrom('a', 'b', 'c', 'ä'),
      value: fc.option(fc.nat(9), { freq: 5 }),
      late: fc.constantFrom(0, 0, 0, 1, 5, 12),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(0, 1, 3, 5, 30) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('commit' as const, 'abort' as const, 'restart' as const, 'restore' as const),
    }),
  },
)

type Rows = Map<string, { readonly value: number; readonly timestamp: number }>

/** What ends by then, as a look at every row says it. */
function endedIn(rows: Rows, time: number): [string, number, number][] {
  const ended = [...rows].filter(([, row]) => row.timestamp + ttlMs <= time)
  for (const [key] of ended) rows.delete(key)
  return ended
    .map(([key, { value, timestamp }]): [string, number, number] => [key, value, timestamp + ttlMs])
    .sort((a, b) => a[2] - b[2] || Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])))
}

test('rows are those of a map in which each ends in time, over commits, aborts, restarts and restores', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), fc.constantFrom(0, 1, 100), async (steps, cacheRows) => {
      let bytes = new MemoryByteStore()
      let store = open(bytes, cacheRows)
      const changelog = new Map<string, ChangelogRow>()
      let [rows, time]: [Rows, number] = [new Map(), 0]
      let committed: [Rows, number] = [new Map(), 0]
      const reopen = async () => {
        store = open(bytes, cacheRows)
        ;[rows, time] = [new Map(committed[0]), committed[1]]
        store.recoverStreamTime(time)
        await store.load()
      }
      store.advance(0, () => undefined)
      await commit(store, bytes)
      for (const one of steps) {
        switch (one.kind) {
          case 'put': {
            const timestamp = time - one.late
            store.put(one.key, one.value, timestamp)
            if (one.value === null) rows.delete(one.key)
            else rows.set(one.key, { value: one.value, timestamp })
            break
          }
          case 'advance':
            time += one.ms
            expect(advance(store, time)).toEqual(endedIn(rows, time))
            break
          case 'commit': {
            const sealed = seal(store)
            for (const row of sealed) changelog.set(row.key.toString('hex'), row)
            store.settle()
            await flush(store, bytes)
            committed = [new Map(rows), time]
            break
          }
          case 'abort':
            seal(store)
            store.discard()
            ;[rows, time] = [new Map(committed[0]), committed[1]]
            await store.load()
            break
          case 'restart':
            await reopen()
            break
          case 'restore': {
            bytes = new MemoryByteStore()
            const restored = open(bytes)
            await bytes.write([...changelog.values()].map((row) => restored.restore(row)))
            await reopen()
            break
          }
        }
        for (const key of ['a', 'b', 'c', 'ä']) {
          const row = store.get(key)
          expect(row && { value: row.value, timestamp: row.timestamp }).toEqual(rows.get(key))
        }
        expect(store.streamTime).toBe(time)
      }
      expect(advance(store, time + 100)).toEqual(endedIn(rows, time + 100))
      await commit(store, bytes)
      for await (const row of bytes.scan(Buffer.alloc(0), Buffer.alloc(300, 0xff))) expect(row).toBe('nothing left')
    }),
  )
})
