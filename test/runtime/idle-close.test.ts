/** When a worker closes windows, and lets go what else waits for time, by the wall clock: never while something that belongs there may be on its way. */

import { defineTopology, int64, string, topic, Windows, windowed } from 'streamctl'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { type ConsumerRecord, noHeaders, partitionName } from '../../src/common/record.ts'
import { startApp } from '../../src/runtime/app.ts'
import { IdleClose, inputsBefore } from '../../src/runtime/idle-close.ts'
import { makePlan, type Plan } from '../../src/runtime/plan.ts'
import type { Task } from '../../src/runtime/task.ts'
import type { Topology } from '../../src/topology/node.ts'

const input = topic('input', { key: string, value: string })
const output = topic('output', { key: windowed(string, 10), value: int64 })
/** Two sub-topologies: 0 reads input and writes the repartition topic, 1 reads that. */
const topology = defineTopology(
  'app',
  (b) => {
    b.stream(input)
      .groupBy('by-value', (value) => value, { key: string })
      .windowedBy(Windows.tumbling(10, { grace: 5 }))
      .count('counts', { emit: 'final' })
      .toStream()
      .to(output)
  },
  { idleClose: '30s' },
)

let broker: EmbeddedBroker
let plan: Plan
let now = 0
let log: string[] = []

beforeEach(async () => {
  now = 1_000_000
  log = []
  broker = await openEmbedded()
  await broker.createTopics(['input', 'output'].map((name) => ({ name, partitions: 1, configs: {} })))
  plan = await makePlan(topology, 'app', broker)
})
afterEach(() => broker.close())

async function write(name: string, key: string, timestamp: number): Promise<void> {
  const producer = await broker.plainProducer()
  producer.output(name).append(0, Buffer.from('k'), Buffer.from(key), timestamp, noHeaders)
  await producer.flush()
  await producer.close()
}

async function commit(name: string, offset: number): Promise<void> {
  const producer = await broker.transactionalProducer({ transactionalId: 't' })
  const group = { groupId: 'app', generation: -1, memberId: '', instanceId: null }
  await producer.commit({ group, offsets: [{ topic: name, partition: 0, offset, metadata: '' }] })
  await producer.close()
}

/** A task of a sub-topology as far as it is looked at, at a position of its input. */
function taskOf(subTopology: number, topicName: string, position: number) {
  const task = {
    id: { subTopology, partition: 0 },
    name: `${subTopology}_0`,
    state: 'running',
    inputs: [{ topic: topicName, partition: 0 }],
    quietSince: now,
    position,
    closed: 0,
    idleDueAt: (idleMs: number) => (task.closed > 0 ? Number.POSITIVE_INFINITY : task.quietSince + idleMs),
    isAt: (ends: ReadonlyMap<string, number>) => task.position >= (ends.get(partitionName(topicName, 0)) ?? 0),
    closeIdle: () => {
      task.closed++
      return true
    },
  }
  return task
}

function idleClose(on: Broker = broker): IdleClose {
  return new IdleClose({
    plan,
    broker: on,
    groupId: 'app',
    idleMs: 30_000,
    clock: () => now,
    log: (level, message) => log.push(`${level} ${message}`),
  })
}

type Fake = ReturnType<typeof taskOf>

/** A look, to its end, and what it leads to. */
async function look(idle: IdleClose, task: Fake, between = () => undefined): Promise<number> {
  const tasks = [task as unknown as Task]
  idle.whenDue(tasks)
  // Whatever a look asks of the embedded broker is answered within a few turns.
  for (let turns = 0; turns < 50; turns++) await new Promise(setImmediate)
  between()
  idle.whenDue(tasks)
  return task.closed
}

test('inputs at their end are closed when they have been quiet for long enough', async () => {
  const idle = idleClose()
  const task = taskOf(0, 'input', 0)
  now += 29_999
  expect(await look(idle, task)).toBe(0)
  now += 1000
  expect(await look(idle, task)).toBe(1)
  expect(log).toEqual(['info task 0_0: its inputs are idle, open windows were closed'])
  now += 60_000
  expect(await look(idle, task)).toBe(1)
})

test('not while the broker has more than was processed', async () => {
  await write('input', 'a', 3)
  const idle = idleClose()
  const task = taskOf(0, 'input', 0)
  now += 30_000
  expect(await look(idle, task)).toBe(0)
  task.position = 1
  now += 1000
  expect(await look(idle, task)).toBe(1)
})

test('not before what lies behind the last record was passed by: the marker of a transaction', async () => {
  const producer = await broker.transactionalProducer({ transactionalId: 'other' })
  producer.output('input').append(0, null, Buffer.from('a'), 3, noHeaders)
  await producer.commit(null)
  await producer.close()
  const idle = idleClose()
  const task = taskOf(0, 'input', 1)
  now += 30_000
  expect(await look(idle, task)).toBe(0)
  task.position = 2
  now += 1000
  expect(await look(idle, task)).toBe(1)
})

test('not when a record has come since the look', async () => {
  const idle = idleClose()
  const task = taskOf(0, 'input', 0)
  now += 30_000
  const record = () => {
    task.quietSince = Number.POSITIVE_INFINITY
    return undefined
  }
  expect(await look(idle, task, record)).toBe(0)
  const suspended = taskOf(0, 'input', 0)
  suspended.quietSince = now - 30_000
  now += 1000
  const suspend = () => {
    suspended.state = 'suspended'
    return undefined
  }
  expect(await look(idle, suspended, suspend)).toBe(0)
})

test('not while the sub-topology before has records to pass on', async () => {
  await write('input', 'a', 3)
  const idle = idleClose()
  const task = taskOf(1, 'app-by-value-repartition', 0)
  now += 30_000
  expect(await look(idle, task)).toBe(0)
  await commit('input', 1)
  now += 1000
  expect(await look(idle, task)).toBe(1)
})

test('what the one before has passed on is looked for after its commit', async () => {
  await write('input', 'a', 3)
  await write('app-by-value-repartition', 'a', 3)
  await commit('input', 1)
  const idle = idleClose()
  const task = taskOf(1, 'app-by-value-repartition', 0)
  now += 30_000
  expect(await look(idle, task)).toBe(0)
})

test('a look that fails is said, and comes again', async () => {
  let fails = true
  const flaky: Broker = Object.create(broker, {
    offsets: {
      value: (...args: Parameters<Broker['offsets']>) =>
        fails ? Promise.reject(new Error('no leader')) : broker.offsets(...args),
    },
  })
  const idle = idleClose(flaky)
  const task = taskOf(0, 'input', 0)
  now += 30_000
  expect(await look(idle, task)).toBe(0)
  expect(log).toEqual(['warn idle inputs were not looked at: no leader'])
  fails = false
  now += 1000
  expect(await look(idle, task)).toBe(1)
})

test('what a look has found is forgotten when the tasks are taken away', async () => {
  const idle = idleClose()
  const task = taskOf(0, 'input', 0)
  now += 30_000
  idle.whenDue([task as unknown as Task])
  await idle.finished()
  idle.whenDue([])
  expect(task.closed).toBe(0)
})

test('inputs before a sub-topology are those of all that feed it, the first ones first', async () => {
  expect(inputsBefore(plan, 0)).toEqual([])
  expect(inputsBefore(plan, 1)).toEqual([[{ topic: 'input', partition: 0 }]])
  const chain = defineTopology('chain', (b) => {
    const named = { key: string, value: string }
    b.stream(input)
      .selectKey((v) => v)
      .repartition('one', named)
      .selectKey((v) => v)
      .repartition('two', named)
      .foreach(() => undefined)
  })
  const names = inputsBefore(await makePlan(chain, 'chain', broker), 2).map((level) => level.map(({ topic }) => topic))
  expect(names).toEqual([['input'], ['chain-one-repartition']])
})

type Bytes = Pick<ConsumerRecord, 'key' | 'value' | 'timestamp'>

async function written(name: string): Promise<readonly Bytes[]> {
  const [end] = await broker.offsets([{ topic: name, partition: 0 }], 'stable')
  const fetcher = broker.fetcher()
  fetcher.assign([{ topic: name, partition: 0, offset: 0 }])
  const found: Bytes[] = []
  for (let at = 0; at < (end?.offset ?? 0); ) {
    for (const { records, position } of await fetcher.poll(100)) {
      at = position
      found.push(...records)
    }
  }
  await fetcher.close()
  return found
}

/** Time passes until there are so many results. */
async function untilWritten(name: string, count: number): Promise<void> {
  while ((await written(name)).length < count) {
    now += 10_000
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
  }
}

const start = (given: Topology) => startApp(given, { broker, stateDir: null, clock: () => now, commitIntervalMs: 1 })

test('an application closes what is open, and a restart from nothing but the changelog knows what it has closed', async () => {
  let app = await start(topology)
  await write('input', 'a', 3)
  await app.caughtUp()
  await untilWritten('output', 1)
  await app.stop()
  app = await start(topology)
  // Late by what was closed, and the window is not written again.
  await write('input', 'a', 4)
  await write('input', 'b', 15)
  await app.caughtUp()
  await untilWritten('output', 2)
  expect(app.snapshot().errors.dropped).toMatchObject({ late: 1 })
  await app.stop()
  const results = (await written('output')).map(({ key, value }) => {
    const window = output.key.deserialize(key as Buffer)
    return `${window.key}@${window.start}=${output.value.deserialize(value as Buffer)}`
  })
  expect(results).toEqual(['a@0=1', 'b@10=1'])
})

test('what waits for late updates of a table goes on, and after a restart what is older than that waits no more', async () => {
  const text = { key: string, value: string }
  const settled = defineTopology(
    'settled',
    (b) => {
      const rows = b.table(topic('rows', text), { store: 'rows', history: 100 })
      b.stream(input)
        .leftJoin(rows, (value, row) => `${value}/${row}`, { name: 'waiting', grace: 10 })
        .to(topic('texts', text))
    },
    { idleClose: '30s' },
  )
  await broker.createTopics(['rows', 'texts'].map((name) => ({ name, partitions: 1, configs: {} })))
  const results = async () => (await written('texts')).map(({ value, timestamp }) => `${value}@${timestamp}`)
  let app = await start(settled)
  await write('rows', 'row', 15)
  await write('input', 'b', 20)
  await write('input', 'a', 14)
  await app.caughtUp()
  expect(await results()).toEqual([])
  await untilWritten('texts', 2)
  await app.stop()
  app = await start(settled)
  await write('input', 'c', 20)
  await write('input', 'd', 21)
  await app.caughtUp()
  await app.stop()
  // Without time to be idle in.
  expect(await results()).toEqual(['a/null@14', 'b/row@20', 'c/row@20'])
})
