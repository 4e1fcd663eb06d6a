import { int64, string, Windows } from 'streamctl'
import { expect, test } from 'vitest'
import type { SlidingWindows } from '../../src/common/windows.ts'
import { formatsText } from '../../src/runtime/store-formats.ts'
import type { TaskStores } from '../../src/runtime/task-stores.ts'
import { slidingStore } from '../../src/state/sliding.ts'
import type { Pane, SessionStore, WindowStore } from '../../src/state/store.ts'
import type { StoreSpec } from '../../src/topology/node.ts'
import { at, counts, input, names, recent, sourced, table, testStores } from './stores.ts'

const { openStores, reopen, closeAll } = testStores()

test('what a checkpoint says of its stores, as it lies on disk: those that are not here now are in it still', () => {
  const topology = '{"gone":"key-value string int64","names":"key-value string string"}'
  const before = { seq: 1, offsets: {}, streamTimes: {}, topology }
  expect(formatsText([recent, sourced], before)).toBe(
    '{"gone":"key-value string int64","names":"key-value string string <- people","recent":"window string int64 10/10"}',
  )
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

test('another format is refused whatever the changelog is', async () => {
  const first = await openStores([names])
  table(first, 'names').put('a', 'ann', 5)
  await first.settle(first.seal(), new Map([at('names', 3)]), [])
  await closeAll()
  await expect(openStores([{ ...sourced, value: int64 }])).rejects.toMatchObject({ code: 'INVALID_TOPOLOGY' })
})
