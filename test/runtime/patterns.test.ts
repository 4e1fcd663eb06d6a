/** Streams by a pattern: which topics are read, those that come while an application runs, and that nothing of them is lost or read twice. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineTopology, int64, type KStream, string, topic, topicPattern } from 'streamctl'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { StreamError } from '../../src/common/errors.ts'
import { noHeaders, partitionsOf } from '../../src/common/record.ts'
import type { StartFromOption } from '../../src/dsl/start-from.ts'
import { startApp } from '../../src/runtime/app.ts'
import type { AppOptions, StreamsApp } from '../../src/runtime/app-options.ts'
import { makePlan, planWith } from '../../src/runtime/plan.ts'
import { taskName } from '../../src/runtime/task-id.ts'
import type { Topology } from '../../src/topology/node.ts'

const shops = topicPattern(/shop-.*/, { key: string, value: string })
const output = topic('output', { key: string, value: string })
const counts = topic('counts', { key: string, value: int64 })

const copyFrom = (startFrom?: StartFromOption): Topology =>
  defineTopology('copy', (b) => {
    b.stream(shops, startFrom === undefined ? {} : { startFrom }).to(output)
  })
const copy = copyFrom()
const counting = (group: (stream: KStream<string, string>) => ReturnType<KStream<string, string>['groupByKey']>) =>
  defineTopology('counting', (b) => {
    group(b.stream(shops)).count('per-key').toStream().to(counts)
  })
const countByKey = counting((stream) => stream.groupByKey())

let broker: EmbeddedBroker
let dir: string
let apps: StreamsApp[]
let logged: string[]

beforeEach(async () => {
  broker = await openEmbedded()
  await create({ output: 1, counts: 2 })
  dir = await mkdtemp(join(tmpdir(), 'streamctl-patterns-'))
  apps = []
  logged = []
})
afterEach(async () => {
  for (const app of apps) await app.stop().catch(() => undefined)
  await broker.close()
  await rm(dir, { recursive: true })
})

const create = (topics: Readonly<Record<string, number>>): Promise<void> =>
  broker.createTopics(Object.entries(topics).map(([name, partitions]) => ({ name, partitions, configs: {} })))

async function start(topology: Topology, options: Partial<AppOptions> = {}): Promise<StreamsApp> {
  const app = await startApp(topology, {
    broker: broker.connect(),
    stateDir: join(dir, 'one'),
    commitIntervalMs: 5,
    metadataMaxAgeMs: 5,
    log: (level, message) => logged.push(`${level} ${message}`),
    ...options,
  })
  apps.push(app)
  return app
}

async function produce(name: string, values: readonly string[], partition = 0): Promise<void> {
  const producer = await broker.plainProducer()
  const target = producer.output(name)
  for (const value of values) target.append(partition, Buffer.from('k'), Buffer.from(value), 1, noHeaders)
  await producer.flush()
  await producer.close()
}

/** Values committed to a topic so far, over all of its partitions. */
async function values(name: string, partitions = 1): Promise<readonly Buffer[]> {
  const ends = await broker.offsets(partitionsOf(name, partitions), 'stable')
  const found: Buffer[] = []
  for (const end of ends) {
    const fetcher = broker.fetcher()
    fetcher.assign([{ ...end, offset: 0 }])
    for (let position = 0; position < end.offset; ) {
      for (const batch of await fetcher.poll(1000)) {
        position = batch.position
        found.push(...batch.records.map(({ value }) => value as Buffer))
      }
    }
    await fetcher.close()
  }
  return found
}
const results = async () => (await values('output')).map(String).sort()
const inputs = (app: StreamsApp) =>
  app.snapshot().tasks.flatMap((task) => task.inputs.map(({ topic, partition }) => `${task.id} ${topic}-${partition}`))

test('the topics that match are read, in as many tasks as the largest has partitions', async () => {
  await create({ 'shop-eu': 1, 'shop-us': 3, 'copy-shop-1-changelog': 1, 'my-shop-x': 1, 'all-shops': 1 })
  const plan = await makePlan(copy, 'copy', broker)
  expect(plan.externalSources).toEqual(['shop-eu', 'shop-us'])
  expect(plan.tasks.map(taskName)).toEqual(['0_0', '0_1', '0_2'])
  await produce('shop-eu', ['a'])
  await produce('shop-us', ['b'], 2)
  await produce('my-shop-x', ['c'])
  const app = await start(copy)
  await app.caughtUp()
  expect(inputs(app)).toEqual(['0_0 shop-eu-0', '0_0 shop-us-0', '0_1 shop-us-1', '0_2 shop-us-2'])
  expect(await results()).toEqual(['a', 'b'])
})

test('a plan of another process, by the partition counts alone, is the same', async () => {
  await create({ 'shop-eu': 1, 'shop-us': 3 })
  const plan = await makePlan(copy, 'copy', broker)
  const external = new Map(['shop-eu', 'shop-us', 'output'].map((name) => [name, plan.partitions.get(name) as number]))
  const { topology, tasks, partitions } = planWith(copy, 'copy', external)
  expect({ nodes: topology.nodes, tasks, partitions }).toEqual({
    nodes: plan.topology.nodes,
    tasks: plan.tasks,
    partitions: plan.partitions,
  })
})

test('a topic that comes while it runs is read from its first record, and the counters go on', async () => {
  await create({ 'shop-eu': 1 })
  await produce('shop-eu', ['eu 1', 'eu 2'])
  const app = await start(copy)
  await app.caughtUp()
  await create({ 'shop-us': 2, 'shed-us': 1 })
  await produce('shop-us', ['us 1'], 1)
  await produce('shed-us', ['no'])
  await expect.poll(results).toEqual(['eu 1', 'eu 2', 'us 1'])
  await produce('shop-eu', ['eu 3'])
  await produce('shop-us', ['us 2'])
  await expect.poll(results).toEqual(['eu 1', 'eu 2', 'eu 3', 'us 1', 'us 2'])
  await app.caughtUp()
  expect(inputs(app)).toEqual(['0_0 shop-eu-0', '0_0 shop-us-0', '0_1 shop-us-1'])
  expect(app.snapshot()).toMatchObject({ state: 'running', recordsIn: 5, recordsOut: 5, commits: { aborted: 0 } })
  const processors = new Map(app.snapshot().processors.map(({ name, records }) => [name, records]))
  expect([processors.get('shop-eu'), processors.get('shop-us'), processors.get('/shop-.*/')]).toEqual([3, 2, 5])
  expect(logged.filter((line) => line.includes('topics that match have come'))).toEqual([
    'info topics that match have come: shop-us; the tasks start anew with them',
  ])
})

test('nothing is read before there is a topic, and all of it then', async () => {
  const app = await start(countByKey)
  expect(logged).toContain('warn no topic matches /shop-.*/ yet: nothing is read by it until there is one')
  await app.caughtUp()
  await expect.poll(() => app.snapshot().state).toBe('running')
  expect([...(await broker.topics()).keys()].sort()).toEqual(['counts', 'output'])
  await create({ 'shop-eu': 2 })
  await produce('shop-eu', ['a', 'b'], 1)
  await expect.poll(async () => (await values('counts', 2)).map((value) => int64.deserialize(value))).toEqual([1n, 2n])
  expect((await broker.topics()).get('counting-per-key-changelog')?.partitions).toBe(2)
})

test.each<readonly [StartFromOption | undefined, readonly string[]]>([
  [undefined, ['eu 2', 'us 1']],
  ['latest', ['eu 2', 'us 1']],
  [{ ago: 0 }, ['eu 2', 'us 1']],
])('started at the latest record (%j), it misses nothing of a topic that comes later', async (startFrom, expected) => {
  await create({ 'shop-eu': 1 })
  await produce('shop-eu', ['eu 1'])
  const app = await start(copyFrom(startFrom), { from: 'latest', stateDir: null })
  await app.caughtUp()
  await create({ 'shop-us': 1 })
  await produce('shop-us', ['us 1'])
  await produce('shop-eu', ['eu 2'])
  await expect.poll(results).toEqual(expected)
})

test('state is kept when a topic comes: counting goes on, from disk and from the changelog', async () => {
  await create({ 'shop-eu': 2 })
  let total = 0n
  for (const stateDir of [join(dir, 'one'), null]) {
    const app = await start(countByKey, { stateDir })
    await produce('shop-eu', ['a', 'b'])
    await app.caughtUp()
    const name = `shop-${total}`
    await create({ [name]: 2 })
    await produce(name, ['c', 'd', 'e'])
    total += 5n
    await expect.poll(async () => int64.deserialize((await values('counts', 2)).at(-1) as Buffer)).toBe(total)
    await app.stop()
  }
  const all = (await values('counts', 2)).map((value) => int64.deserialize(value))
  expect(all).toEqual(Array.from({ length: 10 }, (_, i) => BigInt(i + 1)))
})

test('of two processes each finds the topic, and every record comes out once', async () => {
  await create({ 'shop-eu': 2 })
  const expected: string[] = []
  const feed = async (name: string, partition: number) => {
    const value = `${name} ${expected.length}`
    expected.push(value)
    await produce(name, [value], partition)
  }
  const one = await start(copy)
  // It looks only when somebody else has changed the group.
  const two = await start(copy, { stateDir: join(dir, 'two'), metadataMaxAgeMs: 3_600_000 })
  for (let i = 0; i < 10; i++) await feed('shop-eu', i % 2)
  await expect.poll(results).toEqual([...expected].sort())
  await create({ 'shop-us': 4 })
  for (let i = 0; i < 20; i++) await feed(i % 2 === 0 ? 'shop-us' : 'shop-eu', i % (i % 2 === 0 ? 4 : 2))
  await expect.poll(results, { timeout: 10_000 }).toEqual([...expected].sort())
  await expect
    .poll(() => [...inputs(one), ...inputs(two)].sort(), { timeout: 10_000 })
    .toEqual(['0_0 shop-eu-0', '0_0 shop-us-0', '0_1 shop-eu-1', '0_1 shop-us-1', '0_2 shop-us-2', '0_3 shop-us-3'])
  for (let i = 0; i < 8; i++) await feed('shop-us', i % 4)
  await expect.poll(results, { timeout: 10_000 }).toEqual([...expected].sort())
}, 30_000)

test('topics of different partitions that are counted together are refused, at the start and when one comes', async () => {
  await create({ 'shop-eu': 2 })
  const app = await start(countByKey)
  await produce('shop-eu', ['a'])
  await app.caughtUp()
  await create({ 'shop-us': 3 })
  await expect(app.ended).rejects.toMatchObject({
    code: 'NOT_COPARTITIONED',
    message: expect.stringContaining('topic shop-eu has 2, topic shop-us has 3'),
  })
  await expect(start(countByKey)).rejects.toMatchObject({ code: 'NOT_COPARTITIONED' })
})

test('a larger topic before a repartition topic is refused when it comes, and the hint says why', async () => {
  const rekeyed = counting((stream) => stream.groupBy('by-value', (value) => value, { key: string }))
  await create({ 'shop-eu': 2, 'shop-us': 1 })
  const app = await start(rekeyed)
  await app.caughtUp()
  await create({ 'shop-apac': 2 })
  await produce('shop-apac', ['a'])
  await expect.poll(async () => (await values('counts', 2)).length).toBe(1)
  await create({ 'shop-all': 5 })
  await expect(app.ended).rejects.toMatchObject({
    code: 'NOT_COPARTITIONED',
    message: 'internal topic counting-by-value-repartition has 2 partitions and needs 5',
    hint: expect.stringMatching(
      /^Other topics match than when counting first ran.*\.repartition\('<name>', \{ partitions \}\)/,
    ),
  })
})

test('behind a repartition topic of fixed partitions, topics of any size come and go', async () => {
  const fixed = counting((stream) => stream.repartition('fixed', { partitions: 2 }).groupByKey())
  await create({ 'shop-eu': 2 })
  const gone = new Set<string>()
  const app = await start(fixed, { broker: deleting(gone) })
  await create({ 'shop-us': 5 })
  await produce('shop-us', ['a', 'b', 'c'], 4)
  await expect.poll(async () => (await values('counts', 2)).length).toBe(3)
  gone.add('shop-us')
  await expect.poll(() => app.snapshot().tasks.length).toBe(4)
  await produce('shop-eu', ['d'])
  await expect.poll(async () => int64.deserialize((await values('counts', 2)).at(-1) as Buffer)).toBe(4n)
})

test('none: a topic that comes ends the app, as nothing of it is committed', async () => {
  await create({ 'shop-eu': 1 })
  await produce('shop-eu', ['a'])
  await (await start(copy)).caughtUp()
  await apps.pop()?.stop()
  const app = await start(copyFrom('none'))
  await app.caughtUp()
  await create({ 'shop-us': 1 })
  await expect(app.ended).rejects.toMatchObject({ code: 'NO_OFFSET', where: { topic: 'shop-us' } })
})

/** A broker on which topics can be deleted: they are gone for this connection. */
function deleting(gone: ReadonlySet<string>, isListed = false): Broker {
  const inner = broker.connect()
  return {
    ...inner,
    topics: async (names) => new Map([...(await inner.topics(names))].filter(([name]) => isListed || !gone.has(name))),
    fetcher: (options) => {
      const fetcher = inner.fetcher(options)
      let assigned: readonly string[] = []
      return {
        assign: (positions) => {
          assigned = positions.map(({ topic }) => topic)
          fetcher.assign(positions)
        },
        pause: (partitions) => fetcher.pause(partitions),
        resume: (partitions) => fetcher.resume(partitions),
        poll: async (maxWaitMs) => {
          const missing = assigned.find((topic) => gone.has(topic))
          if (missing === undefined) return fetcher.poll(maxWaitMs)
          throw new StreamError('TOPIC_MISSING', `topic ${missing} does not exist`, { where: { topic: missing } })
        },
        wake: () => fetcher.wake(),
        close: () => fetcher.close(),
      }
    },
  }
}

test('a topic that is deleted is read no more, and the others are', async () => {
  await create({ 'shop-eu': 2, 'shop-us': 2 })
  const gone = new Set<string>()
  const app = await start(countByKey, { broker: deleting(gone) })
  await produce('shop-us', ['a', 'b'])
  await produce('shop-eu', ['c'])
  await app.caughtUp()
  gone.add('shop-us')
  await expect.poll(() => inputs(app)).toEqual(['0_0 shop-eu-0', '0_1 shop-eu-1'])
  await produce('shop-eu', ['d', 'e'])
  await app.caughtUp()
  const all = (await values('counts', 2)).map((value) => int64.deserialize(value))
  expect(all).toEqual([1n, 2n, 3n, 4n, 5n])
  expect(app.snapshot()).toMatchObject({ state: 'running', recordsIn: 5 })
  expect(logged).toContain('warn topic shop-us is gone, and what was not read of it; the tasks start anew without it')
})

test('a topic that is missing and yet listed ends the app: to begin anew could not help', async () => {
  await create({ 'shop-eu': 1 })
  const gone = new Set<string>()
  const app = await start(copy, { broker: deleting(gone, true) })
  await app.caughtUp()
  gone.add('shop-eu')
  await expect(app.ended).rejects.toMatchObject({ code: 'TOPIC_MISSING' })
})

test('a topic that is read by its name and deleted ends the app', async () => {
  await create({ 'shop-eu': 1, named: 1 })
  const gone = new Set<string>()
  const both = defineTopology('both', (b) => {
    b.stream([shops, topic('named', { key: string, value: string })]).to(output)
  })
  const app = await start(both, { broker: deleting(gone) })
  await app.caughtUp()
  gone.add('named')
  await expect(app.ended).rejects.toMatchObject({ code: 'TOPIC_MISSING', where: { topic: 'named' } })
  expect(app.snapshot().state).toBe('failed')
})

/** A broker whose list of all topics fails as told. */
function listing(fails: () => StreamError | undefined): Broker {
  const inner = broker.connect()
  return {
    ...inner,
    topics: async (names) => {
      const error = names === undefined ? fails() : undefined
      if (error !== undefined) throw error
      return inner.topics(names)
    },
  }
}

test('a list of topics that fails is asked for again, but not where that cannot help', async () => {
  await create({ 'shop-eu': 1 })
  let fails: StreamError | undefined
  let asked = 0
  const app = await start(copy, {
    broker: listing(() => {
      asked++
      return fails
    }),
  })
  fails = new StreamError('UNREACHABLE', 'nobody answers')
  await expect.poll(() => logged).toContain('warn nobody answers; topics are looked for again')
  await create({ 'shop-us': 1 })
  await produce('shop-us', ['us'])
  fails = undefined
  await expect.poll(results).toEqual(['us'])
  fails = new StreamError('UNAUTHORIZED', 'no longer allowed')
  await expect(app.ended).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  const before = asked
  expect(app.snapshot()).toMatchObject({ state: 'failed', errors: { last: 'no longer allowed' } })
  await new Promise((resolve) => setImmediate(resolve))
  expect(asked).toBe(before)
})

test('stop ends it whatever it is at: while topics come, one after another', async () => {
  await create({ 'shop-0': 1 })
  const app = await start(copy, { metadataMaxAgeMs: 1 })
  for (let i = 1; i < 12; i++) {
    await create({ [`shop-${i}`]: 1 })
    await produce(`shop-${i}`, [`${i}`])
    await new Promise((resolve) => setImmediate(resolve))
  }
  await app.stop()
  await expect(app.ended).resolves.toBeUndefined()
  const next = await start(copy)
  await next.caughtUp()
  expect(await results()).toEqual(Array.from({ length: 11 }, (_, i) => `${i + 1}`).sort())
})
