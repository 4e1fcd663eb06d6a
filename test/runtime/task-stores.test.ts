import { beforeEach, expect, test, vi } from 'vitest'
import type { StoreSpec } from '../../src/topology/node.ts'
import { at, counts, input, sourced, table, testStores } from './stores.ts'
import { disk, resetDisk } from './watched-disk.ts'

vi.mock('../../src/state/level.ts', async (original) =>
  (await import('./watched-disk.ts')).watched(await original<typeof import('../../src/state/level.ts')>()),
)

beforeEach(resetDisk)

const passing: StoreSpec = { ...counts, name: 'passing', storage: 'memory' }

const { openStores, reopen, rows } = testStores()

test('what is written after a seal is not in it, and a discard forgets both', async () => {
  const stores = await openStores([counts])
  const store = table(stores, 'counts')
  store.put('a', 1n, 1)
  const first = stores.seal()
  store.put('a', 2n, 2)
  await stores.settle(first, new Map([at('counts', 2)]), [])
  expect(store.get('a')?.value).toBe(2n)
  stores.seal()
  store.put('a', 3n, 3)
  stores.discard()
  expect(store.get('a')?.value).toBe(1n)
  expect(stores.uncommittedBytes).toBe(0)
  const again = await reopen(stores, [counts])
  expect(table(again, 'counts').get('a')?.value).toBe(1n)
  expect(again.checkpointOf('counts')).toBe(2)
})

test('stores on disk and in memory, mixed: each kept where it belongs, the one in memory restored from its start', async () => {
  const stores = await openStores([counts, passing])
  table(stores, 'counts').put('a', 1n, 1)
  table(stores, 'passing').put('a', 2n, 1)
  await stores.settle(stores.seal(), new Map([at('counts', 3), at('passing', 4)]), [])
  expect([stores.checkpointOf('counts'), stores.checkpointOf('passing')]).toEqual([3, 4])
  const again = await reopen(stores, [counts, passing])
  expect([again.checkpointOf('counts'), again.checkpointOf('passing')]).toEqual([3, undefined])
  expect(table(again, 'counts').get('a')?.value).toBe(1n)
  expect(table(again, 'passing').get('a')).toBeUndefined()
})

test('without a directory every store is in memory', async () => {
  const stores = await openStores([counts], { dir: null })
  table(stores, 'counts').put('a', 1n, 1)
  await stores.settle(stores.seal(), new Map([at('counts', 3)]), [])
  expect(stores.checkpointOf('counts')).toBe(3)
  expect(disk.batches).toEqual([])
})

test("a store that is not the task's is a bug, said so", async () => {
  const stores = await openStores([counts])
  expect(() => stores.get('other')).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
})

test('a volume that does not open closes the one that did', async () => {
  await expect(
    openStores([counts, { ...passing, name: '' }, counts], {
      output: () => {
        throw new Error('no output')
      },
    }),
  ).rejects.toThrow('no output')
  // Still open, it would be locked.
  await openStores([counts])
})

test('a store whose changelog is a topic of the user writes nothing, and stands where that was processed', async () => {
  const stores = await openStores([sourced, counts])
  expect(stores.changelogs()).toEqual([
    { store: 'names', topic: 'people', kind: 'source' },
    { store: 'counts', topic: 'app-counts-changelog', kind: 'own' },
  ])
  table(stores, 'names').put('a', 'ann', 5)
  table(stores, 'counts').put('a', 1n, 5)
  // The application may write to the topic itself: that is not what it has read.
  await stores.settle(stores.seal(), new Map([at('counts', 7), ['people-1', 50]]), input(3))
  expect(rows()).toEqual(['app-counts-changelog-1 a=0000000000000001'])
  expect(stores.checkpointOf('names')).toBe(3)
  expect(stores.checkpointOf('counts')).toBe(7)
  expect(stores.position).toBe(10)
  const again = await reopen(stores, [sourced, counts])
  expect(again.checkpointOf('names')).toBe(3)
  expect(table(again, 'names').get('a')).toMatchObject({ value: 'ann', timestamp: 5 })
  expect(again.expiredChangelogs()).toEqual([])
})

test('records without rows move its checkpoint as well', async () => {
  const stores = await openStores([sourced])
  await stores.settle(stores.seal(), new Map(), input(1))
  await stores.settle(stores.seal(), new Map(), input(4))
  expect((await reopen(stores, [sourced])).checkpointOf('names')).toBe(4)
})
