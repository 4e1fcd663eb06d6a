/** A task of two inputs, of which one is at its end: how long it is waited for, in a running application on the embedded broker. */

import { setTimeout } from 'node:timers/promises'
import { defineTopology, string, topic } from 'streamctl'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { noHeaders } from '../../src/common/record.ts'
import { startApp } from '../../src/runtime/app.ts'

const [left, right, output] = ['left', 'right', 'output'].map((name) => topic(name, { key: string, value: string }))

const merged = (maxTaskIdle: '1h' | 'never' | 0) =>
  defineTopology(
    'merged',
    (b) => {
      if (left === undefined || right === undefined || output === undefined) return
      b.stream(left)
        .merge(b.stream(right))
        .groupByKey()
        .reduce('all', (all, one) => all + one)
        .toStream()
        .to(output)
    },
    { maxTaskIdle },
  )

let broker: EmbeddedBroker
beforeEach(async () => {
  broker = await openEmbedded()
  await broker.createTopics(['left', 'right', 'output'].map((name) => ({ name, partitions: 1, configs: {} })))
})
afterEach(() => broker.close())

async function write(name: string, value: string, timestamp: number): Promise<void> {
  const producer = await broker.plainProducer()
  producer.output(name).append(0, Buffer.from('k'), Buffer.from(value), timestamp, noHeaders)
  await producer.flush()
  await producer.close()
}

const written = async () => (await broker.offsets([{ topic: 'output', partition: 0 }], 'stable'))[0]?.offset ?? 0

/** Waits for what has to come, in the end: the engine runs on its own time. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await setTimeout(5)
}

test('the records of the other input wait until time is over, and are taken in the order of time when one comes', async () => {
  let now = 1_000_000
  await write('left', 'l', 20)
  const app = await startApp(merged('1h'), { broker, stateDir: null, clock: () => now })
  await until(async () => app.snapshot().tasks.some((task) => task.inputs.some(({ position }) => position === 0)))
  await write('right', 'r', 10)
  // The right one is processed, so the left one was there and waits.
  await until(async () => (await written()) > 0)
  now += 3_600_000
  await app.caughtUp()
  await app.stop()
  const fetcher = broker.fetcher()
  fetcher.assign([{ topic: 'output', partition: 0, offset: 0 }])
  const values: string[] = []
  while (values.length < 2) {
    for (const { records } of await fetcher.poll(100)) values.push(...records.map(({ value }) => String(value)))
  }
  await fetcher.close()
  expect(values).toEqual(['r', 'rl'])
})

test.each(['never', 0] as const)('%s: an input at its end is not waited for', async (maxTaskIdle) => {
  await write('left', 'l', 20)
  const app = await startApp(merged(maxTaskIdle), { broker, stateDir: null, clock: () => 1_000_000 })
  await app.caughtUp()
  await app.stop()
  expect(await written()).toBeGreaterThan(0)
})
