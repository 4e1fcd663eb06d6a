/** Topics by a pattern on Kafka: two processes of two engines each find a topic that comes while they run, and lose one that is deleted. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { int64 } from 'streamctl'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { partitionOf } from '../../src/common/partitioner.ts'
import { noHeaders, partitionsOf } from '../../src/common/record.ts'
import { javaTools, runJavaTool } from '../../tools/kafka/java-tool.ts'
import { type RunProcess, startRun } from './support/run-process.ts'
import { createTopic } from './support/topic.ts'

const fixture = join(import.meta.dirname, 'fixtures/shops.ts')
const partitions = 4
const keys = Array.from({ length: 12 }, (_, i) => `key-${i}`)

let broker: Broker
let prefix: string
let dir: string
const processes: RunProcess[] = []

beforeEach(async () => {
  broker = await connectKafka({ bootstrap: inject('bootstrap') })
  prefix = `patterns-${Date.now()}-${process.pid}`
  process.env.SHOPS_TOPICS = prefix
  dir = await mkdtemp(join(tmpdir(), 'streamctl-patterns-'))
})

afterEach(async () => {
  for (const process of processes.splice(0)) process.kill('SIGKILL')
  await broker.close()
  await rm(dir, { recursive: true, force: true })
})

function start(at: string, ...more: readonly string[]): RunProcess {
  const process = startRun([
    fixture,
    ...['--broker', inject('bootstrap'), '--app-id', prefix, '--state-dir', join(dir, at), '--workers', '2'],
    ...more,
  ])
  processes.push(process)
  return process
}

/** A record of each key, so many times. */
async function order(shop: string, times: number): Promise<void> {
  const producer = await broker.plainProducer()
  const output = producer.output(`${prefix}-shop-${shop}`)
  for (let i = 0; i < times * keys.length; i++) {
    const key = Buffer.from(keys[i % keys.length] as string)
    output.append(partitionOf(key, partitions), key, Buffer.from(shop), Date.now(), noHeaders)
  }
  await producer.flush()
  await producer.close()
}

/** Counts of each key in the order of the log. */
async function counts(): Promise<ReadonlyMap<string, readonly number[]>> {
  const ends = await broker.offsets(partitionsOf(`${prefix}-counts`, partitions), 'stable')
  const fetcher = broker.fetcher()
  fetcher.assign(ends.map((end) => ({ ...end, offset: 0 })))
  const found = new Map<string, readonly number[]>()
  const left = new Map(ends.filter(({ offset }) => offset > 0).map(({ partition, offset }) => [partition, offset]))
  while (left.size > 0) {
    for (const { partition, records, position } of await fetcher.poll(100)) {
      for (const { key, value } of records) {
        found.set(String(key), [...(found.get(String(key)) ?? []), Number(int64.deserialize(value as Buffer))])
      }
      if (position >= (left.get(partition) ?? 0)) left.delete(partition)
    }
  }
  await fetcher.close()
  return found
}

async function counted(times: number): Promise<void> {
  const reached = async () => [...(await counts()).values()].filter((seen) => seen.length >= times).length
  await expect.poll(reached, { timeout: 60_000, interval: 200 }).toBe(keys.length)
  const expected = Array.from({ length: times }, (_, i) => i + 1)
  for (const [key, seen] of await counts()) expect([key, seen]).toEqual([key, expected])
}

test('a topic that comes is read from its first record by all processes, and what was counted is counted on, also when it is gone', async () => {
  await createTopic(broker, `${prefix}-counts`, partitions)
  await createTopic(broker, `${prefix}-shop-eu`, partitions)
  await order('eu', 20)
  const one = start('one', '--metadata-max-age', '2s')
  // Finds out by the other one's leaving alone.
  const two = start('two', '--metadata-max-age', '10m')
  await Promise.all([one, two].map((process) => process.said(/generation \d+: [1-3] tasks/)))
  await counted(20)
  await createTopic(broker, `${prefix}-shop-us`, partitions)
  await order('us', 10)
  await order('eu', 5)
  await counted(35)
  await Promise.all([one, two].map((process) => process.said(/topics that match have come: \S+-shop-us/)))
  await order('us', 5)
  await counted(40)
  for (const process of [one, two]) process.kill('SIGINT')
  expect(await Promise.all([one.ended, two.ended])).toEqual([0, 0])
  expect(`${one.log()}${two.log()}`).not.toContain('dropped')

  await order('us', 1)
  const last = start('one')
  await counted(41)
  await runJavaTool(javaTools.topics, [
    ...['--bootstrap-server', inject('bootstrap'), '--delete', '--topic', `${prefix}-shop-us`],
  ])
  await last.said(/topic \S+-shop-us is gone/)
  await order('eu', 2)
  await counted(43)
  last.kill('SIGINT')
  expect(await last.ended).toBe(0)
}, 180_000)
