import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { string } from 'streamctl'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { recordOutput } from '../../src/broker/output.ts'
import { consumerRecord, noHeaders } from '../../src/common/record.ts'
import { Restorer } from '../../src/runtime/restore.ts'
import type { StartPositions } from '../../src/runtime/start-positions.ts'
import { stateBudget } from '../../src/runtime/state-budget.ts'
import type { Task } from '../../src/runtime/task.ts'
import { TaskStores } from '../../src/runtime/task-stores.ts'
import type { KeyValueStore } from '../../src/state/store.ts'
import type { StoreSpec } from '../../src/topology/node.ts'

const spec: StoreSpec = { name: 'names', kind: 'key-value', key: string, value: string, storage: 'disk' }
const changelog = { topic: 'app-names-changelog', partition: 0 }

let broker: EmbeddedBroker
let dir: string
let task: Task
let restorer: Restorer
let log: string[]

beforeEach(async () => {
  broker = await openEmbedded()
  await broker.createTopics([{ name: changelog.topic, partitions: 1, configs: {} }])
  dir = await mkdtemp(join(tmpdir(), 'streamctl-restore-'))
  const stores = await TaskStores.open({
    appId: 'app',
    taskId: '0_0',
    partition: 0,
    dir: join(dir, '0_0'),
    specs: [spec],
    changelogTopic: () => changelog.topic,
    output: () => recordOutput(() => undefined),
    budget: {
      ...stateBudget({ tasks: 1, storesPerTask: 1, totalBytes: 256 << 20, flushIntervalMs: 1000 }),
      cache: { cacheRows: 0 },
    },
    warn: () => undefined,
  })
  // What a restorer needs of a task.
  task = { name: '0_0', id: { subTopology: 0, partition: 0 }, stores } as unknown as Task
  log = []
  restorer = new Restorer(broker, (level, message) => log.push(`${level} ${message}`))
})

afterEach(async () => {
  await restorer.close()
  await task.stores.close()
  await broker.close()
  await rm(dir, { recursive: true, force: true })
})

const store = () => task.stores.get('names') as unknown as KeyValueStore<string, string>

/** One transaction of rows; null deletes. Its marker takes an offset, too. */
async function write(
  rows: readonly (readonly [string, string | null])[],
  end: 'commit' | 'abort' = 'commit',
): Promise<void> {
  const producer = await broker.transactionalProducer({ transactionalId: 'owner' })
  const output = producer.output(changelog.topic)
  for (const [key, value] of rows) {
    output.append(0, Buffer.from(key), value === null ? null : Buffer.from(value), 1, noHeaders)
  }
  if (end === 'commit') await producer.commit(null)
  await producer.close()
}

async function restore(): Promise<void> {
  await restorer.begin([task], new Map())
  const wasActive = restorer.active
  const finished: Task[] = []
  for (let i = 0; i < 100 && restorer.active; i++) finished.push(...(await restorer.step(10)))
  expect(restorer.active).toBe(false)
  expect(finished).toEqual(wasActive ? [task] : [])
}

test('from the start, to a position: the end is a marker that no record comes with', async () => {
  await write([
    ['a', 'ann'],
    ['b', 'bea'],
    ['b', null],
  ])
  await restore()
  expect(store().get('a')?.value).toBe('ann')
  expect(store().get('b')).toBeUndefined()
  expect(task.stores.checkpointOf('names')).toBe(4)
})

test('from the checkpoint, only what came after it; with nothing after it nothing is done', async () => {
  await write([['a', 'ann']])
  await restore()
  log.length = 0
  await restore()
  expect(log).toEqual([])
  await write([['b', 'bea']])
  await restore()
  expect(log).toEqual(['info names of task 0_0: restoring 2 changelog offsets from checkpoint 2 to 4'])
  expect(['a', 'b'].map((key) => store().get(key)?.value)).toEqual(['ann', 'bea'])
})

test('a checkpoint before the start of the changelog: what is on disk is wiped', async () => {
  await write([['old', 'x']])
  await restore()
  await write([['a', 'ann']])
  await write([['b', 'bea']])
  await broker.deleteRecords([{ ...changelog, offset: 4 }])
  await restore()
  expect(log.at(-2)).toContain('warn names of task 0_0: checkpoint 2 is outside app-names-changelog [4, 6]')
  expect(['old', 'a', 'b'].map((key) => store().get(key)?.value)).toEqual([undefined, undefined, 'bea'])
  expect(task.stores.checkpointOf('names')).toBe(6)
})

test('a checkpoint past the end, as after the topic was made anew: what is on disk is wiped', async () => {
  await write([['a', 'ann']])
  await task.stores.applyChangelog('names', [consumerRecord(0, 1, Buffer.from('old'), Buffer.from('x'))], 9)
  await restore()
  expect(['old', 'a'].map((key) => store().get(key)?.value)).toEqual([undefined, 'ann'])
  expect(task.stores.checkpointOf('names')).toBe(2)
})

test('a checkpoint at the very start or end is inside', async () => {
  await write([['a', 'ann']])
  await restore()
  await broker.deleteRecords([{ ...changelog, offset: 2 }])
  await restore()
  expect(store().get('a')?.value).toBe('ann')
})

test('progress counts offsets from where it began; after a cancel it begins there again', async () => {
  await write([
    ['a', 'ann'],
    ['b', 'bea'],
  ])
  const open = await broker.transactionalProducer({ transactionalId: 'dead' })
  for (let i = 0; i < 2; i++)
    open.output(changelog.topic).append(0, Buffer.from('a'), Buffer.alloc(700_000), 1, noHeaders)
  await restorer.begin([task], new Map())
  expect(restorer.progress(task)).toEqual([{ store: 'names', done: 0, total: 5 }])
  await restorer.step(10)
  expect(restorer.progress(task)).toEqual([{ store: 'names', done: 3, total: 5 }])
  expect(restorer.isRestoring(task)).toBe(true)
  restorer.cancel()
  expect(restorer.active).toBe(false)
  expect(task.stores.checkpointOf('names')).toBeUndefined()
  await open.close()
  await restore()
  expect(store().get('a')?.value).toBe('ann')
})

test('a changelog purged by its former owner between the look at it and the read is restored from what is left', async () => {
  await write([['old', 'x']])
  await write([['new', 'y']])
  await restorer.begin([task], new Map())
  await broker.deleteRecords([{ ...changelog, offset: 2 }])
  const finished: Task[] = []
  for (let i = 0; i < 100 && restorer.active; i++) finished.push(...(await restorer.step(10)))
  expect(finished).toEqual([task])
  expect(store().get('old')).toBeUndefined()
  expect(store().get('new')?.value).toBe('y')
})

/** A table whose topic is its changelog, as its task reads it: values that begin with ? do not read. */
async function sourceTask(): Promise<Task> {
  const stores = await TaskStores.open({
    appId: 'app',
    taskId: '0_0',
    partition: 0,
    dir: null,
    specs: [{ ...spec, sourceTopic: changelog.topic }],
    changelogTopic: () => 'none',
    output: () => {
      throw new Error('nothing is written for it')
    },
    budget: stateBudget({ tasks: 1, storesPerTask: 1, totalBytes: 256 << 20, flushIntervalMs: 1000 }),
    warn: () => undefined,
  })
  const rowsOf: Task['rowsOf'] = async ({ records }) => records.filter(({ value }) => value?.toString()[0] !== '?')
  await task.stores.close()
  task = { name: '0_0', id: { subTopology: 0, partition: 0 }, stores, rowsOf } as unknown as Task
  return task
}

const from = (offset: number): StartPositions =>
  new Map([[task, [{ ...changelog, offset, metadata: '', stableEnd: 0, committed: true }]]])

async function restoreTo(offset: number): Promise<void> {
  await restorer.begin([task], from(offset))
  for (let i = 0; i < 100 && restorer.active; i++) await restorer.step(10)
  expect(restorer.active).toBe(false)
}

test('a topic that is the changelog of its table is read to the committed position, and no further', async () => {
  await sourceTask()
  await write([
    ['a', 'ann'],
    ['b', 'bea'],
    ['a', 'anna'],
    ['b', null],
    ['c', 'cat'],
  ])
  await restoreTo(3)
  expect(['a', 'b', 'c'].map((key) => store().get(key)?.value)).toEqual(['anna', 'bea', undefined])
  expect(task.stores.checkpointOf('names')).toBe(3)
  expect(log).toEqual(['info names of task 0_0: restoring 3 changelog offsets from the start to 3'])
  // From the checkpoint, the next time.
  await restoreTo(5)
  expect(['a', 'b', 'c'].map((key) => store().get(key)?.value)).toEqual(['anna', undefined, 'cat'])
  expect(log.at(-1)).toBe('info names of task 0_0: restoring 2 changelog offsets from checkpoint 3 to 5')
  // Past the marker too, where no record is.
  await restoreTo(6)
  expect(task.stores.checkpointOf('names')).toBe(6)
})

test('of such a topic a record that does not read leaves the row before it', async () => {
  await sourceTask()
  await write([
    ['a', 'ann'],
    ['a', '?'],
    ['b', '?'],
  ])
  await restoreTo(3)
  expect(['a', 'b'].map((key) => store().get(key)?.value)).toEqual(['ann', undefined])
})

test('state that is ahead of the position of such a topic is wiped, as the group was set back', async () => {
  await sourceTask()
  await write([
    ['a', 'ann'],
    ['a', 'anna'],
  ])
  await restoreTo(2)
  await restoreTo(1)
  expect(store().get('a')?.value).toBe('ann')
  expect(log.at(-2)).toBe(
    'warn names of task 0_0: checkpoint 2 is outside app-names-changelog [0, 1]: restoring from its start',
  )
  await restoreTo(0)
  expect(store().get('a')).toBeUndefined()
})

test('a position beyond the end of such a topic is not waited for', async () => {
  await sourceTask()
  await write([['a', 'ann']])
  await restoreTo(100)
  expect(store().get('a')?.value).toBe('ann')
})

test('a task that does not read such a topic has nothing to restore', async () => {
  await sourceTask()
  await write([['a', 'ann']])
  await restorer.begin([task], new Map([[task, []]]))
  expect(restorer.active).toBe(false)
})
