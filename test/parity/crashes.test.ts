/**
 * Every topology gives the same when its tasks die in the middle of open transactions, one or all, between commits at random points: nothing is lost,
 * nothing comes twice. State comes from the changelogs alone, or from what is on disk and the rest of the changelog.
 *
 * Inputs are waited for (`maxTaskIdle`), so that what is read again is merged as it was at first; a global table is not part of that, and what
 * follows from when it changes is left out. Of several tasks that write one topic the order among each other is open: there the records
 * are compared, and not how they lie.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { defineTopology, type StoreSupplier, type StreamsBuilder } from 'streamctl'
import { createTestDriver, type TestDriver } from 'streamctl/testing'
import { expect, test } from 'vitest'
import type { NodeId, Topology, TopologyNode } from '../../src/topology/node.ts'
import { subTopologies } from '../../src/topology/subtopology.ts'
import { topicOf } from '../../src/topology/upstream.ts'
import { listSupplier } from '../support/list-store.ts'
import { pipeline, pipelineInput, stages } from './pipeline.ts'
import type { JsonRecord } from './record.ts'
import { inputOf, type Shape } from './shape.ts'
import { twins } from './twins.ts'

const seed = Number(process.env.STREAMCTL_PARITY_SEED ?? Date.now() % 1_000_000)
/** `npm run test:parity` has more of them. */
const numRuns = Number(process.env.STREAMCTL_RESTART_RUNS ?? 2)

interface Interruption {
  /** Number of the record after which it comes. */
  readonly after: number
  readonly kind: 'commit' | 'crash'
  /** Of the tasks, in turn; null: all. */
  readonly task: number | null
}

const interruptions = (records: number) =>
  fc.array(
    fc.record({
      after: fc.nat(records - 1),
      kind: fc.constantFrom('commit' as const, 'commit' as const, 'crash' as const),
      task: fc.option(fc.nat(5)),
    }),
    { minLength: 1, maxLength: 12 },
  )

const given = (shape: Shape, most: number) =>
  inputOf(shape, 1, most).chain((input) =>
    fc.record({
      input: fc.constant(input),
      interruptions: interruptions(input.length),
      partitions: fc.constantFrom(1, 1, 3),
      onDisk: fc.constantFrom(false, false, true),
    }),
  )

interface Run {
  readonly partitions: number
  readonly interruptions: readonly Interruption[]
  readonly onDisk?: boolean
  /** Of stores that say nothing; default on disk. */
  readonly storage?: () => StoreSupplier
}

/** What is committed in the end, as far as its order is not open. */
async function outputOf(build: (b: StreamsBuilder) => void, input: readonly JsonRecord[], run: Run): Promise<unknown> {
  const topology = defineTopology('parity', build, { maxTaskIdle: '1d', storage: run.storage?.() })
  // Records that several tasks send to one come in the order of their commits.
  const crosses = topology.nodes.some(({ kind }) => kind === 'repartition')
  const partitions = crosses ? 1 : run.partitions
  const stateDir = run.onDisk ? await mkdtemp(join(tmpdir(), 'streamctl-crashes-')) : undefined
  const driver = await createTestDriver(topology, { partitions, commit: 'manual', ...(stateDir && { stateDir }) })
  try {
    for (const [nth, { topic, key, value, timestamp, headers }] of input.entries()) {
      const bytes = headers.map(([key, value]) => ({ key, value: Buffer.from(value) }))
      await driver.send(topic, key, value, timestamp, bytes)
      for (const { after, kind, task } of run.interruptions) {
        if (after !== nth) continue
        await driver[kind](task === null ? undefined : driver.tasks[task % driver.tasks.length])
      }
    }
    await finish(driver)
    const records = driver.read().map(({ partition, headers, ...record }) => ({
      ...record,
      // Where a record without a key goes is the producer's to say.
      ...(record.key !== null && { partition }),
      headers: headers.map(({ key, value }) => [key, String(value)]),
    }))
    const isOrdered = (topic: string) => partitions === 1 && writersOf(topology, topic) === 1
    return Object.fromEntries(
      Object.entries(Object.groupBy(records, ({ topic }) => topic)).map(([topic, records = []]) => [
        topic,
        isOrdered(topic) ? records : records.map((record) => JSON.stringify(record)).sort(),
      ]),
    )
  } finally {
    await driver.close()
    if (stateDir !== undefined) await rm(stateDir, { recursive: true })
  }
}

function writersOf(topology: Topology, topic: string): number {
  const writes = (id: NodeId) => topicOf(topology.nodes[id] as TopologyNode) === topic
  return subTopologies(topology).filter(({ sinks }) => sinks.some(writes)).length
}

/** Commits until nothing follows from it, and goes on with what waits for an input that has ended. */
async function finish(driver: TestDriver): Promise<void> {
  do {
    while (!driver.isCommitted) await driver.commit()
    await driver.advanceWallClock(2 * 86_400_000)
  } while (!driver.isCommitted)
}

async function expectSame(build: (b: StreamsBuilder) => void, given: Run & { readonly input: readonly JsonRecord[] }) {
  const { input, partitions } = given
  expect(await outputOf(build, input, given)).toEqual(await outputOf(build, input, { partitions, interruptions: [] }))
}

/**
 * Joins by foreign key have test/testing/foreign-keys.test.ts instead: their tasks feed each other, so that one that waits for its inputs does nothing before the end.
 * With `compat` a join forgets at a restart how far it has looked for records without a match, as Kafka Streams does; and what one of the topologies
 * remembers in a variable is not taken back.
 */
const lasting = [...twins].filter(
  ([name]) => !/^(streamJoins\.compat|globalTables|foreignKeyJoins|stateless\.peek$)/.test(name),
)

test.each(lasting)(`%s (seed ${seed})`, async (_, { input, build }) => {
  const same = fc.asyncProperty(given(input, 60), (given) => expectSame(build, given))
  await fc.assert(same, { seed, numRuns })
})

/** With a store of a user's own under all stores, whose rows are there after a crash or are not. */
const supplied = lasting.filter(([name]) =>
  /^(tables|aggregates|windowedAggregates|sessionAggregates|suppress)\./.test(name),
)

test.each(supplied)(`%s on stores of the user's (seed ${seed})`, async (_, { input, build }) => {
  const runs = fc.tuple(given(input, 60), fc.boolean())
  const same = fc.asyncProperty(runs, ([given, keeps]) =>
    expectSame(build, { ...given, storage: () => listSupplier('lists', { keeps }) }),
  )
  await fc.assert(same, { seed, numRuns: 1 })
})

test(`random pipelines (seed ${seed})`, async () => {
  const random = stages.chain((stages) => fc.tuple(fc.constant(stages), given(pipelineInput(stages), 40)))
  const same = fc.asyncProperty(random, ([stages, given]) => expectSame(pipeline(stages), given))
  await fc.assert(same, { seed, numRuns: 20 * numRuns })
})
