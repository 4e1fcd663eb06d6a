import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { string } from 'streamctl'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { recordOutput } from '../../src/broker/output.ts'
import { consumerRecord, noHeaders } from '../../src/common/record.ts'
import { Restorer } from '../../src/runtime/restore.ts'
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
  await restorer.begin([task])
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
  await restorer.begin([task])
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
  await restorer.begin([task])
  await broker.deleteRecords([{ ...changelog, offset: 2 }])
  const finished: Task[] = []
  for (let i = 0; i < 100 && restorer.active; i++) finished.push(...(await restorer.step(10)))
  expect(finished).toEqual([task])
  expect(store().get('old')).toBeUndefined()
  expect(store().get('new')?.value).toBe('y')
})
