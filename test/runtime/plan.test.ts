import { defineTopology, json, string, topic, Windows } from 'streamctl'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import type { Broker, TopicSpec } from '../../src/broker/port.ts'
import { checkPartitions, inputsOf, makePlan, planWith } from '../../src/runtime/plan.ts'
import { taskName } from '../../src/runtime/task-id.ts'

const orders = topic('orders', { key: string, value: json<{ readonly customer: string }>() })
const refunds = topic('refunds', { key: string, value: json<{ readonly customer: string }>() })
const totals = topic('totals', { key: string, value: string })

const shop = defineTopology('shop', (b) => {
  b.stream(orders, { onDeserializationError: { deadLetter: 'orders.dlq' } })
    .groupBy('by-customer', (order) => order.customer, { key: string })
    .count('counts')
    .toStream()
    .mapValues(String)
    .to(totals)
  b.stream(refunds)
    .groupByKey()
    .windowedBy(Windows.tumbling('1h', { grace: 0 }))
    .count('refunds-per-hour')
})

const counts = new Map([
  ['orders', 3],
  ['orders.dlq', 1],
  ['refunds', 2],
  ['totals', 7],
])

let broker: EmbeddedBroker
beforeEach(async () => {
  broker = await openEmbedded()
})
afterEach(() => broker.close())

test('sub-topologies become tasks, one per partition of what each reads', () => {
  const plan = planWith(shop, 'app', counts)
  expect(plan.externalSources).toEqual(['orders', 'refunds'])
  expect(plan.repartitionTopics).toEqual(['app-by-customer-repartition'])
  expect(plan.subTopologies).toHaveLength(3)
  expect(plan.tasks.map(taskName)).toEqual(['0_0', '0_1', '0_2', '1_0', '1_1', '1_2', '2_0', '2_1'])
  expect(inputsOf(plan, { subTopology: 0, partition: 2 })).toEqual([{ topic: 'orders', partition: 2 }])
  expect(inputsOf(plan, { subTopology: 1, partition: 1 })).toEqual([
    { topic: 'app-by-customer-repartition', partition: 1 },
  ])
  expect(inputsOf(plan, { subTopology: 2, partition: 0 })).toEqual([{ topic: 'refunds', partition: 0 }])
})

test('internal topics have the names, counts and cleanup that Kafka Streams gives them', () => {
  const plan = planWith(shop, 'app', counts)
  expect(
    plan.internalTopics.map(({ name, partitions, configs }) => [name, partitions, configs['cleanup.policy']]),
  ).toEqual([
    ['app-by-customer-repartition', 3, 'delete'],
    ['app-counts-changelog', 3, 'compact'],
    ['app-refunds-per-hour-changelog', 2, 'compact,delete'],
  ])
})

test('a task of topics with different counts reads those that have its partition', () => {
  const merged = defineTopology('merged', (b) => b.stream(orders).merge(b.stream(refunds)).mapValues(String).to(totals))
  const plan = planWith(merged, 'app', counts)
  expect(plan.tasks).toHaveLength(3)
  expect(inputsOf(plan, { subTopology: 0, partition: 1 })).toHaveLength(2)
  expect(inputsOf(plan, { subTopology: 0, partition: 2 })).toEqual([{ topic: 'orders', partition: 2 }])
})

test.each(['orders', 'orders.dlq', 'totals'])('a missing %s is named before anything starts', async (missing) => {
  for (const [name, partitions] of counts) {
    if (name !== missing) await broker.createTopics([{ name, partitions, configs: {} }])
  }
  await expect(makePlan(shop, 'app', broker)).rejects.toMatchObject({
    code: 'TOPIC_MISSING',
    message: expect.stringContaining(missing),
    hint: expect.stringContaining(`--topic ${missing}`),
    where: { topic: missing },
  })
  expect((await broker.topics()).has('app-counts-changelog')).toBe(false)
})

test('a topic of the user that has a name of the application is refused before anything is created', async () => {
  const copy = defineTopology('copy', (b) => {
    b.table(totals, { store: 'c' })
    b.stream(refunds)
      .mapValues(String)
      .to({ ...totals, name: 'app-c-changelog' })
  })
  const external = ['totals', 'refunds', 'app-c-changelog'].map((name) => ({ name, partitions: 1, configs: {} }))
  await broker.createTopics(external.slice(0, 2))
  await expect(makePlan(copy, 'app', broker)).rejects.toMatchObject({
    code: 'INVALID_TOPOLOGY',
    where: { topic: 'app-c-changelog' },
  })
  expect([...(await broker.topics()).keys()].sort()).toEqual(['refunds', 'totals'])
  await broker.createTopics(external)
  await expect(makePlan(copy, 'app', broker)).rejects.toMatchObject({ code: 'INVALID_TOPOLOGY' })
  await expect(makePlan(copy, 'copy', broker)).resolves.toMatchObject({ appId: 'copy' })
})

test('internal topics that are missing are created, and a second start finds them', async () => {
  for (const [name, partitions] of counts) await broker.createTopics([{ name, partitions, configs: {} }])
  await makePlan(shop, 'app', broker)
  await makePlan(shop, 'app', broker)
  const found = await broker.topics()
  expect(found.get('app-by-customer-repartition')?.partitions).toBe(3)
  expect(found.get('app-counts-changelog')?.partitions).toBe(3)
  expect(found.get('app-refunds-per-hour-changelog')?.partitions).toBe(2)
})

test('configs that are asked for come to the broker with the topics that are created, and none that break them', async () => {
  await broker.createTopics([...counts].map(([name, partitions]) => ({ name, partitions, configs: {} })))
  const created: TopicSpec[] = []
  const watched: Broker = {
    ...broker,
    createTopics: (specs) => {
      created.push(...specs)
      return broker.createTopics(specs)
    },
  }
  await expect(makePlan(shop, 'app', watched, { 'retention.ms': '1' })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  })
  expect(created).toEqual([])
  const plan = await makePlan(shop, 'app', watched, { 'min.insync.replicas': '2' })
  expect(plan.topicConfigs).toEqual({ 'min.insync.replicas': '2' })
  expect(
    created.map(({ name, configs }) => [name, configs['min.insync.replicas'], configs['message.timestamp.type']]),
  ).toEqual([
    ['app-by-customer-repartition', '2', 'CreateTime'],
    ['app-counts-changelog', '2', 'CreateTime'],
    ['app-refunds-per-hour-changelog', '2', 'CreateTime'],
  ])
})

test('an internal topic with another count is refused: its keys would be elsewhere', async () => {
  for (const [name, partitions] of counts) await broker.createTopics([{ name, partitions, configs: {} }])
  await broker.createTopics([{ name: 'app-counts-changelog', partitions: 2, configs: {} }])
  await expect(makePlan(shop, 'app', broker)).rejects.toMatchObject({
    code: 'NOT_COPARTITIONED',
    message: expect.stringContaining('app-counts-changelog has 2 partitions and needs 3'),
  })
})

test('partitions added to a source since the start are refused, by name and count', async () => {
  await broker.createTopics([...counts].map(([name, partitions]) => ({ name, partitions, configs: {} })))
  const plan = await makePlan(shop, 'shop', broker)
  await expect(checkPartitions(plan, broker)).resolves.toBeUndefined()
  const grown = { ...broker, topics: async () => new Map([['orders', { name: 'orders', partitions: 4 }]]) }
  await expect(checkPartitions(plan, grown)).rejects.toMatchObject({
    code: 'NOT_COPARTITIONED',
    message: 'topic orders has 4 partitions now and had 3 at the start',
    where: { topic: 'orders' },
  })
})
