import { defineTopology, string, topic } from 'streamctl'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { noHeaders } from '../../src/common/record.ts'
import { caughtUp } from '../../src/runtime/caught-up.ts'
import { makePlan, type Plan } from '../../src/runtime/plan.ts'

const input = topic('input', { key: string, value: string })
const repartition = 'app-middle-repartition'
const topology = defineTopology('app', (b) => {
  b.stream(input)
    .selectKey((value) => value)
    .repartition('middle', { key: string })
    .foreach(() => undefined)
})

let broker: EmbeddedBroker
let plan: Plan

beforeEach(async () => {
  broker = await openEmbedded()
  await broker.createTopics([{ name: 'input', partitions: 2, configs: {} }])
  plan = await makePlan(topology, 'app', broker)
})
afterEach(() => broker.close())

async function write(name: string, partition: number, count: number): Promise<void> {
  const producer = await broker.plainProducer()
  for (let i = 0; i < count; i++) producer.output(name).append(partition, null, Buffer.from('v'), i, noHeaders)
  await producer.flush()
  await producer.close()
}

async function commit(name: string, partition: number, offset: number): Promise<void> {
  const producer = await broker.transactionalProducer({ transactionalId: 't' })
  const group = { groupId: 'app', generation: -1, memberId: '', instanceId: null }
  await producer.commit({ group, offsets: [{ topic: name, partition, offset, metadata: '' }] })
  await producer.close()
}

/** Runs to the end, doing one step at each look that finds it unfinished. @returns steps that were not needed. */
async function looks(...steps: (() => Promise<void>)[]): Promise<number> {
  const left = [...steps]
  await caughtUp(plan, {
    broker,
    groupId: 'app',
    pause: async () => {
      const step = left.shift()
      if (step === undefined) throw new Error('still not caught up')
      await step()
    },
  })
  return left.length
}

const nothing = async () => undefined

test('empty topics are caught up with at once', async () => {
  expect(await looks(nothing)).toBe(1)
})

test('every partition has to be committed to its end', async () => {
  await write('input', 0, 3)
  await write('input', 1, 1)
  expect(
    await looks(
      () => commit('input', 0, 2),
      () => commit('input', 1, 1),
      () => commit('input', 0, 3),
      nothing,
    ),
  ).toBe(1)
})

test('the ends are those of the call: a producer that keeps writing is not waited for', async () => {
  await write('input', 0, 3)
  expect(
    await looks(
      () => write('input', 0, 5),
      () => commit('input', 0, 2),
      async () => {
        await write('input', 0, 5)
        await write('input', 1, 5)
        await commit('input', 0, 3)
      },
      nothing,
    ),
  ).toBe(1)
})

test('what the sources caused in a repartition topic is waited for, markers included', async () => {
  await write('input', 0, 1)
  expect(
    await looks(
      async () => {
        const producer = await broker.transactionalProducer({ transactionalId: 'worker' })
        producer.output(repartition).append(1, null, Buffer.from('v'), 1, noHeaders)
        const group = { groupId: 'app', generation: -1, memberId: '', instanceId: null }
        await producer.commit({ group, offsets: [{ topic: 'input', partition: 0, offset: 1, metadata: '' }] })
        await producer.close()
      },
      // The record alone, not its marker.
      () => commit(repartition, 1, 1),
      () => commit(repartition, 1, 2),
      nothing,
    ),
  ).toBe(1)
})

test('a log whose records were all deleted is at its end', async () => {
  await write('input', 0, 3)
  await broker.deleteRecords([{ topic: 'input', partition: 0, offset: 3 }])
  expect(await looks(nothing)).toBe(1)
})

test('an open transaction in a source is not waited for, as its records may never be', async () => {
  const open = await broker.transactionalProducer({ transactionalId: 'writer' })
  for (let i = 0; i < 2; i++) open.output('input').append(0, null, Buffer.alloc(700_000), 1, noHeaders)
  expect(await looks(nothing)).toBe(1)
  await open.close()
})

test("giving up is the caller's: what the pause throws ends it", async () => {
  await write('input', 0, 1)
  await expect(looks()).rejects.toThrow('still not caught up')
})

test('what the topology writes into a topic that it reads itself is waited for too', async () => {
  const middle = topic('middle', { key: string, value: string })
  await broker.createTopics([{ name: 'middle', partitions: 1, configs: {} }])
  plan = await makePlan(
    defineTopology('app', (b) => {
      b.stream(input).to(middle)
      b.stream(middle).foreach(() => undefined)
    }),
    'app',
    broker,
  )
  await write('input', 0, 1)
  expect(
    await looks(
      async () => {
        await write('middle', 0, 2)
        await commit('input', 0, 1)
      },
      () => commit('middle', 0, 1),
      () => commit('middle', 0, 2),
      nothing,
    ),
  ).toBe(1)
})
