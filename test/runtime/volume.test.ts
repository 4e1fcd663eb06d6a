import { int64, Windows } from 'streamctl'
import { beforeEach, expect, test, vi } from 'vitest'
import { type ConsumerRecord, consumerRecord } from '../../src/common/record.ts'
import type { TaskStores } from '../../src/runtime/task-stores.ts'
import type { JoinBuffer, WindowStore } from '../../src/state/store.ts'
import type { StoreSpec } from '../../src/topology/node.ts'
import { at, budget, counts, names, recent, sourced, table, testStores } from './stores.ts'
import { disk, resetDisk } from './watched-disk.ts'

vi.mock('../../src/state/level.ts', async (original) =>
  (await import('./watched-disk.ts')).watched(await original<typeof import('../../src/state/level.ts')>()),
)

beforeEach(resetDisk)

/** No settle is due. */
const never = { bytes: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY, intervalMs: Number.POSITIVE_INFINITY }

function record(key: string, value: Buffer | null, timestamp = 1): ConsumerRecord {
  return consumerRecord(0, timestamp, Buffer.from(key), value)
}

const { openStores, reopen, closeAll, rows } = testStores()

test('rows and their checkpoint are one batch, written at the settle and not before', async () => {
  const stores = await openStores([counts, recent])
  disk.batches = []
  table(stores, 'counts').put('a', 1n, 5)
  const windows = stores.get('recent') as unknown as WindowStore<string, bigint>
  windows.streamTime = 7
  windows.put('a', 0, 1n, 7)
  const sealed = stores.seal()
  expect(rows()).toEqual([
    'app-counts-changelog-1 a=0000000000000001',
    expect.stringMatching(/^app-recent-changelog-1 a.*=0000000000000001$/s),
  ])
  expect(disk.batches).toEqual([])
  await stores.settle(sealed, new Map([at('counts', 4), at('recent', 9)]), [])
  expect(disk.batches).toHaveLength(1)
  expect(disk.batches[0]).toHaveLength(3)

  const again = await reopen(stores, [counts, recent])
  expect([again.checkpointOf('counts'), again.checkpointOf('recent')]).toEqual([4, 9])
  expect(again.streamTimes()).toEqual({ recent: 7 })
  expect(table(again, 'counts').get('a')).toMatchObject({ value: 1n, timestamp: 5 })
})

test('several commits are one batch, in which a row that changed in each is once, as the last of them left it', async () => {
  const stores = await openStores([counts], { budget: { ...budget, flush: never } })
  const store = table(stores, 'counts')
  disk.batches = []
  for (let n = 1; n <= 3; n++) {
    store.put('a', BigInt(n), n)
    if (n === 2) store.put('b', 7n, 2)
    await stores.settle(stores.seal(), new Map([at('counts', n * 10)]), [])
  }
  expect(rows()).toHaveLength(4)
  expect(disk.batches).toEqual([])
  // Live, and not committed: no part of the batch.
  store.put('a', 99n, 99)
  await stores.flush()
  expect(disk.batches.map((batch) => batch.length)).toEqual([3])
  const again = await reopen(stores, [counts])
  expect(again.checkpointOf('counts')).toBe(30)
  expect(table(again, 'counts').get('a')).toMatchObject({ value: 3n, timestamp: 3 })
  expect(table(again, 'counts').get('b')?.value).toBe(7n)
})

test('where every row has ended before it was written, the checkpoint moves still', async () => {
  const windows = Windows.join(10, { grace: 0 })
  const joined: StoreSpec = { ...names, name: 'left', kind: 'join', join: windows, retentionMs: 21 }
  const stores = await openStores([joined], { budget: { ...budget, flush: never } })
  const buffer = stores.get('left') as unknown as JoinBuffer<string, string>
  buffer.streamTime = 5
  buffer.put('a', 'x', 5, false)
  buffer.streamTime = 500
  disk.batches = []
  await stores.settle(stores.seal(), new Map([at('left', 2)]), [])
  await stores.flush()
  await stores.flush()
  expect(disk.batches.map((batch) => batch.length)).toEqual([1])
  expect((await reopen(stores, [joined])).checkpointOf('left')).toBe(2)
})

test('a discard goes back to what is on disk, and says so, since the changelog has the rest', async () => {
  const stores = await openStores([counts], { budget: { ...budget, flush: never } })
  const store = table(stores, 'counts')
  store.put('a', 1n, 1)
  await stores.settle(stores.seal(), new Map([at('counts', 2)]), [])
  await stores.flush()
  store.put('a', 2n, 2)
  await stores.settle(stores.seal(), new Map([at('counts', 4)]), [])
  expect(stores.checkpointOf('counts')).toBe(4)
  stores.discard()
  expect(stores.checkpointOf('counts')).toBe(2)
  expect(store.get('a')?.value).toBe(1n)
  await stores.applyChangelog('counts', [record('a', int64.serialize(2n), 2)], 4)
  expect(store.get('a')).toMatchObject({ value: 2n, timestamp: 2 })
})

test.each([
  ['rows', { ...never, rows: 3 }, 3],
  ['bytes', { ...never, bytes: 2 * (1 + 8) }, 2],
])('a settle flushes when enough %s have gathered', async (_, flush, commits) => {
  const stores = await openStores([counts], { budget: { ...budget, flush } })
  disk.batches = []
  for (let n = 1; n <= commits; n++) {
    expect(disk.batches).toEqual([])
    table(stores, 'counts').put(String(n), 1n, 1)
    await stores.settle(stores.seal(), new Map([at('counts', n)]), [])
  }
  expect(disk.batches.map((batch) => batch.length)).toEqual([commits + 1])
})

test('a changelog is given up only as far as the disk has it', async () => {
  const stores = await openStores([recent], { budget: { ...budget, flush: never } })
  const windows = stores.get('recent') as unknown as WindowStore<string, bigint>
  for (const [time, offset] of [
    [5, 1],
    [500, 2],
    [5000, 3],
  ] as const) {
    windows.streamTime = time
    windows.put('a', time - (time % 10), 1n, time)
    await stores.settle(stores.seal(), new Map([at('recent', offset)]), [])
  }
  expect(stores.expiredChangelogs()).toEqual([])
  disk.batches = []
  await stores.flush()
  // The rows of the two windows that are closed by now never reached the disk.
  expect(disk.batches.map((batch) => batch.length)).toEqual([2])
  // At the flush stream time was 5000, and everything is written: the next one finds it closed.
  expect(stores.expiredChangelogs()).toEqual([])
  windows.streamTime = 50_000
  windows.put('a', 50_000, 1n, 50_000)
  await stores.settle(stores.seal(), new Map([at('recent', 4)]), [])
  expect(stores.expiredChangelogs()).toEqual([])
  await stores.flush()
  expect(stores.expiredChangelogs()).toEqual([{ topic: 'app-recent-changelog', partition: 1, offset: 3 }])
})

test('a settle that the disk refuses leaves rows and checkpoint as they were', async () => {
  const stores = await openStores([counts])
  table(stores, 'counts').put('a', 1n, 1)
  await stores.settle(stores.seal(), new Map([at('counts', 2)]), [])
  table(stores, 'counts').put('a', 2n, 1)
  disk.refuseWrite = true
  await expect(stores.settle(stores.seal(), new Map([at('counts', 5)]), [])).rejects.toThrow('no space left')
  disk.refuseWrite = false
  const again = await reopen(stores, [counts])
  expect(table(again, 'counts').get('a')?.value).toBe(1n)
  expect(again.checkpointOf('counts')).toBe(2)
})

test('restored records and the position they lead to are one batch; a position alone moves too', async () => {
  const stores = await openStores([counts])
  disk.batches = []
  const one = int64.serialize(1n)
  await stores.applyChangelog('counts', [record('b', one), record('a', null)], 3)
  expect(disk.batches).toHaveLength(1)
  await stores.applyChangelog('counts', [], 8)
  const again = await reopen(stores, [counts])
  expect(again.checkpointOf('counts')).toBe(8)
  expect(table(again, 'counts').get('a')).toBeUndefined()
  expect(table(again, 'counts').get('b')?.value).toBe(1n)
})

async function twoStores(): Promise<TaskStores> {
  const stores = await openStores([counts, names])
  table(stores, 'counts').put('a', 1n, 1)
  table(stores, 'names').put('a', 'ann', 1)
  await stores.settle(stores.seal(), new Map([at('counts', 2), at('names', 2)]), [])
  return stores
}

test('a wipe empties one store and leaves the others of the task', async () => {
  const stores = await twoStores()
  await stores.wipe('counts')
  expect(table(stores, 'counts').get('a')).toBeUndefined()
  expect(stores.checkpointOf('counts')).toBeUndefined()
  const again = await reopen(stores, [counts, names])
  expect(table(again, 'counts').get('a')).toBeUndefined()
  expect(table(again, 'names').get('a')?.value).toBe('ann')
  expect([again.checkpointOf('counts'), again.checkpointOf('names')]).toEqual([undefined, 2])
})

test('a wipe that is cut short after its checkpoint is finished at the next opening', async () => {
  const stores = await twoStores()
  disk.refuseRange = true
  await expect(stores.wipe('counts')).rejects.toThrow('killed')
  disk.refuseRange = false
  // A row left over here would outlive the restore: the changelog no longer has what deleted it.
  const again = await reopen(stores, [counts, names])
  expect(again.checkpointOf('counts')).toBeUndefined()
  expect(table(again, 'counts').get('a')).toBeUndefined()
  expect(table(again, 'names').get('a')?.value).toBe('ann')
})

test('a wipe that is cut short before its checkpoint has changed nothing', async () => {
  const stores = await twoStores()
  disk.refuseWrite = true
  await expect(stores.wipe('counts')).rejects.toThrow('no space left')
  disk.refuseWrite = false
  const again = await reopen(stores, [counts, names])
  expect(again.checkpointOf('counts')).toBe(2)
  expect(table(again, 'counts').get('a')?.value).toBe(1n)
})

test('a change of the changelog that is cut short after the checkpoint is made good by the version before', async () => {
  const stores = await openStores([names])
  table(stores, 'names').put('a', 'ann', 5)
  await stores.settle(stores.seal(), new Map([at('names', 3)]), [])
  await closeAll()
  disk.refuseRange = true
  await expect(openStores([sourced])).rejects.toThrow('killed')
  disk.refuseRange = false
  const back = await openStores([names])
  expect(back.checkpointOf('names')).toBeUndefined()
  expect(table(back, 'names').get('a')).toBeUndefined()
})
