import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { int64, string, Windows } from 'streamctl'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { recordOutput } from '../../src/broker/output.ts'
import { type ConsumerRecord, consumerRecord } from '../../src/common/record.ts'
import type { SlidingWindows } from '../../src/common/windows.ts'
import { stateBudget } from '../../src/runtime/state-budget.ts'
import { TaskStores, type TaskStoresOptions } from '../../src/runtime/task-stores.ts'
import { slidingStore } from '../../src/state/sliding.ts'
import type { ByteWrite, JoinBuffer, KeyValueStore, Pane, SessionStore, WindowStore } from '../../src/state/store.ts'
import type { StoreSpec } from '../../src/topology/node.ts'

/** What the byte stores on disk were asked to do, and what they are to refuse. */
const disk = vi.hoisted(() => ({
  batches: [] as (readonly ByteWrite[])[],
  ranges: 0,
  refuseWrite: undefined as ((writes: readonly ByteWrite[]) => boolean) | undefined,
  refuseRange: false,
}))

vi.mock('../../src/state/level.ts', async (original) => {
  const real = await original<typeof import('../../src/state/level.ts')>()
  return {
    openLevel: async (...args: Parameters<typeof real.openLevel>) => {
      const level = await real.openLevel(...args)
      return {
        get: (key: Buffer) => level.get(key),
        write: async (writes: readonly ByteWrite[]) => {
          if (disk.refuseWrite?.(writes)) throw new Error('no space left')
          disk.batches.push(writes)
          await level.write(writes)
        },
        deleteRange: async (from: Buffer, to: Buffer) => {
          if (disk.refuseRange) throw new Error('killed')
          disk.ranges++
          await level.deleteRange(from, to)
        },
        scan: (from: Buffer, to: Buffer) => level.scan(from, to),
        close: () => level.close(),
      }
    },
  }
})

const counts: StoreSpec = { name: 'counts', kind: 'key-value', key: string, value: int64, storage: 'disk' }
const names: StoreSpec = { name: 'names', kind: 'key-value', key: string, value: string, storage: 'disk' }
const passing: StoreSpec = { ...counts, name: 'passing', storage: 'memory' }
const recent: StoreSpec = {
  name: 'recent',
  kind: 'window',
  key: string,
  value: int64,
  windows: Windows.tumbling(10, { grace: 0 }),
  retentionMs: 10,
  storage: 'disk',
}

let dir: string
let open: TaskStores[]
/** Changelog rows as `topic-partition key=value`. */
let rows: string[]

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'streamctl-stores-')), '0_1')
  open = []
  rows = []
  disk.batches = []
  disk.ranges = 0
  disk.refuseWrite = undefined
  disk.refuseRange = false
})

afterEach(async () => {
  for (const stores of open) await stores.close()
  await rm(join(dir, '..'), { recursive: true, force: true })
})

const output = (topic: string) =>
  recordOutput((partition, { key, value }) =>
    rows.push(`${topic}-${partition} ${key}=${value?.toString('hex') ?? 'deleted'}`),
  )

/** Every settle is due. */
const atOnce = { bytes: 0, rows: 0, intervalMs: 0 }
/** None is. */
const never = { bytes: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY, intervalMs: Number.POSITIVE_INFINITY }
const budget = {
  ...stateBudget({ tasks: 1, storesPerTask: 1, totalBytes: 256 << 20, flushIntervalMs: 1000 }),
  flush: atOnce,
  cache: { cacheRows: 0 },
}

async function openStores(specs: readonly StoreSpec[], more: Partial<TaskStoresOptions> = {}): Promise<TaskStores> {
  const stores = await TaskStores.open({
    appId: 'app',
    taskId: '0_1',
    partition: 1,
    dir,
    specs,
    changelogTopic: (store) => `app-${store}-changelog`,
    output,
    budget,
    warn: () => undefined,
    ...more,
  })
  open.push(stores)
  return stores
}

async function reopen(stores: TaskStores, specs: readonly StoreSpec[]): Promise<TaskStores> {
  await stores.close()
  open.splice(open.indexOf(stores), 1)
  return openStores(specs)
}

const table = (stores: TaskStores, name: string) => stores.get(name) as unknown as KeyValueStore<string, unknown>
const at = (name: string, offset: number) => [`app-${name}-changelog-1`, offset] as const

function record(key: string, value: Buffer | null, timestamp = 1): ConsumerRecord {
  return consumerRecord(0, timestamp, Buffer.from(key), value)
}

test('rows and their checkpoint are one batch, written at the settle and not before', async () => {
  const stores = await openStores([counts, recent])
  disk.batches = []
  table(stores, 'counts').put('a', 1n, 5)
  const windows = stores.get('recent') as unknown as WindowStore<string, bigint>
  windows.streamTime = 7
  windows.put('a', 0, 1n, 7)
  const sealed = stores.seal()
  expect(rows).toEqual([
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

test('several commits are one batch, in which a row that changed in each is once, as the last of them left it', async () => {
  const stores = await openStores([counts], { budget: { ...budget, flush: never } })
  const store = table(stores, 'counts')
  disk.batches = []
  for (let n = 1; n <= 3; n++) {
    store.put('a', BigInt(n), n)
    if (n === 2) store.put('b', 7n, 2)
    await stores.settle(stores.seal(), new Map([at('counts', n * 10)]), [])
  }
  expect(rows).toHaveLength(4)
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
  disk.refuseWrite = () => true
  await expect(stores.settle(stores.seal(), new Map([at('counts', 5)]), [])).rejects.toThrow('no space left')
  disk.refuseWrite = undefined
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

test.each([
  ['the value serde', { ...counts, value: string }],
  ['the key serde', { ...counts, key: int64 }],
  ['the kind', { ...recent, name: 'counts' }],
])('a change of %s is refused in words, and the store stays as it was', async (_, changed) => {
  const stores = await openStores([counts])
  table(stores, 'counts').put('a', 1n, 1)
  await stores.settle(stores.seal(), new Map([at('counts', 2)]), [])
  await expect(reopen(stores, [changed])).rejects.toMatchObject({
    code: 'INVALID_TOPOLOGY',
    where: { node: 'counts', task: '0_1' },
    message: expect.stringContaining('store counts was written as'),
  })
  const again = await openStores([counts])
  expect(table(again, 'counts').get('a')?.value).toBe(1n)
})

test('a store that was away for a while is still known: its rows in another format are refused', async () => {
  let stores = await openStores([counts])
  table(stores, 'counts').put('a', 1n, 1)
  await stores.settle(stores.seal(), new Map([at('counts', 2)]), [])
  stores = await reopen(stores, [names])
  table(stores, 'names').put('a', 'ann', 1)
  await stores.settle(stores.seal(), new Map([at('names', 2)]), [])
  await expect(reopen(stores, [names, { ...counts, value: string }])).rejects.toMatchObject({
    code: 'INVALID_TOPOLOGY',
  })
  stores = await openStores([names, counts])
  expect(table(stores, 'counts').get('a')?.value).toBe(1n)
})

test('other windows are refused, a longer grace is not', async () => {
  const stores = await openStores([recent])
  const windows = stores.get('recent') as unknown as WindowStore<string, bigint>
  windows.streamTime = 7
  windows.put('a', 0, 1n, 7)
  await stores.settle(stores.seal(), new Map([at('recent', 2)]), [])
  const longer = await reopen(stores, [{ ...recent, windows: Windows.tumbling(10, { grace: 60 }) }])
  expect((longer.get('recent') as unknown as WindowStore<string, bigint>).get('a', 0)?.value).toBe(1n)
  await expect(reopen(longer, [{ ...recent, windows: Windows.tumbling(20, { grace: 0 }) }])).rejects.toMatchObject({
    code: 'INVALID_TOPOLOGY',
  })
})

test('sliding windows of another time difference are refused, a longer grace is not', async () => {
  const near: StoreSpec = {
    ...counts,
    name: 'near',
    kind: 'sliding',
    sliding: Windows.sliding(10, { grace: 0 }),
    retentionMs: 41,
  }
  const panes = (of: TaskStores, spec = near) =>
    slidingStore(of.get('near') as unknown as WindowStore<string, Pane<bigint>[]>, spec.sliding as SlidingWindows)
  const stores = await openStores([near])
  panes(stores).streamTime = 17
  panes(stores).put('a', 7, 1n, 17)
  await stores.settle(stores.seal(), new Map([at('near', 2)]), [])
  await stores.flush()
  const later = { ...near, sliding: Windows.sliding(10, { grace: 60 }) }
  const longer = await reopen(stores, [later])
  expect(longer.streamTimes()).toEqual({ near: 17 })
  expect(panes(longer, later).latest('a', 0, 10)).toEqual({ start: 7, value: 1n, timestamp: 17 })
  await expect(reopen(longer, [{ ...near, sliding: Windows.sliding(20, { grace: 0 }) }])).rejects.toMatchObject({
    code: 'INVALID_TOPOLOGY',
    message: 'store near was written as "sliding string int64 10" and is now declared as "sliding string int64 20"',
  })
})

test('sessions of another gap are refused, a longer grace is not', async () => {
  const visits: StoreSpec = {
    ...counts,
    name: 'visits',
    kind: 'session',
    session: Windows.session(10, { grace: 0 }),
    retentionMs: 10,
  }
  const sessions = (of: TaskStores) => of.get('visits') as unknown as SessionStore<string, bigint>
  const stores = await openStores([visits])
  sessions(stores).streamTime = 7
  sessions(stores).replace('a', [], 3, 7, 1n)
  await stores.settle(stores.seal(), new Map([at('visits', 2)]), [])
  await stores.flush()
  const longer = await reopen(stores, [{ ...visits, session: Windows.session(10, { grace: 60 }) }])
  expect(longer.streamTimes()).toEqual({ visits: 7 })
  expect(sessions(longer).find('a', 0, 10)).toEqual([{ start: 3, end: 7, value: 1n }])
  await expect(reopen(longer, [{ ...visits, session: Windows.session(20, { grace: 0 }) }])).rejects.toMatchObject({
    code: 'INVALID_TOPOLOGY',
    message:
      'store visits was written as "session string int64 10/88" and is now declared as "session string int64 20/168"',
  })
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
  disk.refuseWrite = () => true
  await expect(stores.wipe('counts')).rejects.toThrow('no space left')
  disk.refuseWrite = undefined
  const again = await reopen(stores, [counts, names])
  expect(again.checkpointOf('counts')).toBe(2)
  expect(table(again, 'counts').get('a')?.value).toBe(1n)
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

const sourced: StoreSpec = { ...names, sourceTopic: 'people' }
const input = (offset: number) => [
  { topic: 'people', partition: 0, offset: 99 },
  { topic: 'others', partition: 1, offset: 98 },
  { topic: 'people', partition: 1, offset },
]

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
  expect(rows).toEqual(['app-counts-changelog-1 a=0000000000000001'])
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

test.each([
  ['its own', 'a topic', names, sourced],
  ['a topic', 'its own', sourced, names],
  ['a topic', 'another', sourced, { ...sourced, sourceTopic: 'persons' }],
])('rows from %s are not taken for rows from %s: the offset is of another log', async (_was, _is, before, after) => {
  const stores = await openStores([before, counts])
  table(stores, 'names').put('a', 'ann', 5)
  table(stores, 'counts').put('a', 1n, 5)
  await stores.settle(stores.seal(), new Map([at('names', 3), at('counts', 7)]), input(3))
  const moved = await reopen(stores, [after, counts])
  expect(moved.checkpointOf('names')).toBeUndefined()
  expect(table(moved, 'names').get('a')).toBeUndefined()
  expect(moved.checkpointOf('counts')).toBe(7)
  expect(table(moved, 'counts').get('a')).toMatchObject({ value: 1n })
  // Back again, with nothing of either.
  const back = await reopen(moved, [before, counts])
  expect(back.checkpointOf('names')).toBeUndefined()
  expect(table(back, 'names').get('a')).toBeUndefined()
})

test('a change of the changelog that is cut short after the checkpoint is made good by the version before', async () => {
  const stores = await openStores([names])
  table(stores, 'names').put('a', 'ann', 5)
  await stores.settle(stores.seal(), new Map([at('names', 3)]), [])
  await stores.close()
  open.splice(0)
  disk.refuseRange = true
  await expect(openStores([sourced])).rejects.toThrow('killed')
  disk.refuseRange = false
  const back = await openStores([names])
  expect(back.checkpointOf('names')).toBeUndefined()
  expect(table(back, 'names').get('a')).toBeUndefined()
})

test('another format is refused whatever the changelog is', async () => {
  const stores = await openStores([names])
  await stores.close()
  open.splice(0)
  const first = await openStores([names])
  table(first, 'names').put('a', 'ann', 5)
  await first.settle(first.seal(), new Map([at('names', 3)]), [])
  await first.close()
  open.splice(0)
  await expect(openStores([{ ...sourced, value: int64 }])).rejects.toMatchObject({ code: 'INVALID_TOPOLOGY' })
})
