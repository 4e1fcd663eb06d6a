/** A standby on its own, over an embedded broker: what it takes from its changelogs, and what it leaves. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { int64, string, Windows } from 'streamctl'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { recordOutput } from '../../src/broker/output.ts'
import { noHeaders } from '../../src/common/record.ts'
import { Restorer } from '../../src/runtime/restore.ts'
import { type Standby, Standbys } from '../../src/runtime/standbys.ts'
import { stateBudget } from '../../src/runtime/state-budget.ts'
import type { Task } from '../../src/runtime/task.ts'
import { TaskStores } from '../../src/runtime/task-stores.ts'
import { storeEnd, storePrefix } from '../../src/state/codec.ts'
import type { KeyValueStore } from '../../src/state/store.ts'
import { openTaskState } from '../../src/state/task-state.ts'
import type { StoreSpec } from '../../src/topology/node.ts'

const names: StoreSpec = { name: 'names', kind: 'key-value', key: string, value: string, storage: 'disk' }
const windows = Windows.tumbling(10, { grace: 5 })
const counts: StoreSpec = { name: 'counts', kind: 'window', key: string, value: int64, windows, storage: 'disk' }
const joined: StoreSpec = {
  ...names,
  name: 'left',
  kind: 'join',
  join: Windows.join(10, { grace: 0 }),
  retentionMs: 21,
}
const specs = [names, counts, joined]
const topicOf = (store: string) => `app-${store}-changelog`

let broker: EmbeddedBroker
let dir: string
let standby: Standby
let standbys: Standbys
let log: string[]
let failures: unknown[]

function openStores(of = specs): Promise<TaskStores> {
  return TaskStores.open({
    appId: 'app',
    taskId: '0_0',
    partition: 0,
    dir: join(dir, '0_0'),
    specs: of,
    changelogTopic: topicOf,
    output: () => recordOutput(() => undefined),
    budget: stateBudget({ tasks: 1, storesPerTask: 1, totalBytes: 256 << 20, flushIntervalMs: 1000 }),
    warn: () => undefined,
  })
}

function following(applyIntervalMs: number): Standbys {
  return new Standbys({
    broker,
    applyIntervalMs,
    log: (level, message) => log.push(`${level} ${message}`),
    onFailure: (error) => failures.push(error),
  })
}

beforeEach(async () => {
  broker = await openEmbedded()
  await broker.createTopics(specs.map(({ name }) => ({ name: topicOf(name), partitions: 1, configs: {} })))
  dir = await mkdtemp(join(tmpdir(), 'streamctl-standbys-'))
  log = []
  failures = []
  standby = { id: { subTopology: 0, partition: 0 }, name: '0_0', stores: await openStores() }
  standbys = following(0)
})

afterEach(async () => {
  await standbys.close()
  await standby.stores.close()
  await broker.close()
  await rm(dir, { recursive: true, force: true })
  expect(failures).toEqual([])
})

async function begin(store: string, rows: readonly (readonly [Buffer, Buffer | null, number])[], id = 'owner') {
  const producer = await broker.transactionalProducer({ transactionalId: id })
  const output = producer.output(topicOf(store))
  for (const [key, value, timestamp] of rows) output.append(0, key, value, timestamp, noHeaders)
  return producer
}

/** One transaction of rows; null deletes. Its marker takes an offset, too. */
async function write(store: string, rows: readonly (readonly [Buffer, Buffer | null, number])[]): Promise<void> {
  const producer = await begin(store, rows)
  await producer.commit(null)
  await producer.close()
}

const row = (key: string, value: string | null) =>
  [Buffer.from(key), value === null ? null : Buffer.from(value), 1] as const

/** Resolves when the checkpoint of a store has come that far. */
async function reached(store: string, position: number): Promise<void> {
  await expect.poll(() => standby.stores.checkpointOf(store), { interval: 2, timeout: 5000 }).toBe(position)
}

const get = (key: string) => (standby.stores.get('names') as unknown as KeyValueStore<string, string>).get(key)?.value

test('follows from its checkpoint to what is committed, and goes on as more comes', async () => {
  await write('names', [row('a', 'ann'), row('b', 'bea')])
  standbys.follow([standby])
  await reached('names', 3)
  await write('names', [row('b', null), row('c', 'cid')])
  await reached('names', 6)
  await standbys.pause()
  expect(['a', 'b', 'c'].map(get)).toEqual(['ann', undefined, 'cid'])
  expect(standbys.snapshot()).toEqual([{ id: '0_0', lag: 0 }])
})

test('never has what is not committed, and never what was aborted', async () => {
  await write('names', [row('a', 'ann')])
  const open = await begin('names', [row('a', 'wrong')], 'open')
  // Sent without being committed: a large one does not wait.
  for (let i = 0; i < 4; i++)
    open.output(topicOf('names')).append(0, Buffer.from('b'), Buffer.alloc(700_000), 1, noHeaders)
  await expect
    .poll(async () => (await broker.offsets([{ topic: topicOf('names'), partition: 0 }], 'end'))[0]?.offset)
    .toBeGreaterThan(2)
  await write('names', [row('c', 'cid')])
  standbys.follow([standby])
  await reached('names', 2)
  await write('counts', [[windowKey('x', 0), number(1), 1]])
  await reached('counts', 2)
  expect(standby.stores.checkpointOf('names')).toBe(2)
  await open.close()
  const [end] = await broker.offsets([{ topic: topicOf('names'), partition: 0 }], 'stable')
  await reached('names', end?.offset ?? -1)
  await standbys.pause()
  expect(['a', 'b', 'c'].map(get)).toEqual(['ann', undefined, 'cid'])
})

test('what comes between two applications is written when it is paused, and a task restores what came after', async () => {
  await standbys.close()
  standbys = following(60_000)
  await write('names', [row('a', 'ann')])
  standbys.follow([standby])
  await expect.poll(() => standbys.snapshot()).toEqual([{ id: '0_0', lag: 0 }])
  await standbys.pause()
  expect(standby.stores.checkpointOf('names')).toBe(2)
  await write('names', [row('b', 'bea')])
  const restorer = new Restorer(broker, (level, message) => log.push(`${level} ${message}`))
  await restorer.begin([standby as unknown as Task], new Map())
  while (restorer.active) await restorer.step(10)
  await restorer.close()
  expect(log).toEqual(['info names of task 0_0: restoring 2 changelog offsets from checkpoint 2 to 4'])
  expect(['a', 'b'].map(get)).toEqual(['ann', 'bea'])
})

test("a topic of the user's that is a changelog is not followed: how much of it was processed is not told here", async () => {
  await standby.stores.close()
  standby = { ...standby, stores: await openStores([{ ...names, sourceTopic: topicOf('names') }, counts]) }
  await write('names', [row('a', 'ann')])
  await write('counts', [[windowKey('x', 0), number(1), 1]])
  standbys.follow([standby])
  await reached('counts', 2)
  await standbys.pause()
  expect(standby.stores.checkpointOf('names')).toBeUndefined()
  expect(get('a')).toBeUndefined()
})

test('rows are written before their time where there are many', async () => {
  await standbys.close()
  standbys = following(60_000)
  await write(
    'names',
    Array.from({ length: 20_000 }, (_, i) => row(`k${i}`, 'x')),
  )
  standbys.follow([standby])
  await expect.poll(() => standby.stores.checkpointOf('names'), { interval: 2, timeout: 5000 }).toBeGreaterThan(16_000)
})

test('a paused standby takes nothing more; another list takes its place', async () => {
  standbys.follow([standby])
  await write('names', [row('a', 'ann')])
  await reached('names', 2)
  await standbys.pause()
  standbys.follow([])
  await write('names', [row('b', 'bea')])
  expect(standbys.snapshot()).toEqual([])
  await standbys.pause()
  expect(standby.stores.checkpointOf('names')).toBe(2)
})

test('a checkpoint that the changelog does not reach back to: what there was is wiped', async () => {
  await write('names', [row('old', 'x')])
  standbys.follow([standby])
  await reached('names', 2)
  await standbys.pause()
  await write('names', [row('a', 'ann')])
  await write('names', [row('b', 'bea')])
  await broker.deleteRecords([{ topic: topicOf('names'), partition: 0, offset: 4 }])
  standbys.follow([standby])
  await reached('names', 6)
  await standbys.pause()
  expect(log.join()).toContain('names of standby 0_0: checkpoint 2 is outside app-names-changelog [4, 6]')
  expect(['old', 'a', 'b'].map(get)).toEqual([undefined, undefined, 'bea'])
})

const windowKey = (key: string, start: number): Buffer => {
  const bytes = Buffer.alloc(key.length + 12)
  bytes.write(key)
  bytes.writeBigInt64BE(BigInt(start), key.length)
  return bytes
}
const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

/** Times of what is on the disk of a store whose rows go by them; its stores are opened anew after. */
async function timesOnDisk(store: string): Promise<readonly number[]> {
  await standbys.close()
  await standby.stores.close()
  const state = await openTaskState({ dir: join(dir, '0_0'), taskId: '0_0', warn: () => undefined })
  const times: number[] = []
  const prefix = storePrefix(store)
  for await (const [key] of state.bytes.scan(prefix, storeEnd(store))) {
    times.push(Number(key.readBigInt64BE(prefix.length)))
  }
  await state.close()
  standby = { ...standby, stores: await openStores() }
  return times
}

test('windows that stream time has closed are gone from the disk', async () => {
  standbys.follow([standby])
  await write(
    'counts',
    [0, 10, 20].map((start) => [windowKey('x', start), number(1), start] as const),
  )
  await reached('counts', 4)
  await write('counts', [[windowKey('x', 30), number(1), 31]])
  await reached('counts', 6)
  // Windows of 10 with a grace of 5: at 31 that of 10 has closed, that of 20 has not.
  expect(await timesOnDisk('counts')).toEqual([20, 30])
})

test('records of a join that stream time has put out of reach are gone from the disk, but for those that are held', async () => {
  standbys.follow([standby])
  const at = (timestamp: number, held = 0) => [windowKey('x', timestamp), Buffer.from([held, 120]), timestamp] as const
  await write('left', [at(100), at(200), at(300)])
  await reached('left', 4)
  await write('left', [at(400), at(401, 1)])
  await reached('left', 7)
  await write('left', [at(1000), at(1010)])
  await reached('left', 10)
  expect(await timesOnDisk('left')).toEqual([401, 1000, 1010])
})
