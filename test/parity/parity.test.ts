/** Every topology gives on random input what Kafka Streams gives: the same records, in the same order. */

import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { differences } from './differences.ts'
import { KafkaStreams } from './kafka-streams.ts'
import { operatorNames, pipeline, pipelineInput, stages } from './pipeline.ts'
import type { JsonRecord } from './record.ts'
import { inputOf } from './shape.ts'
import { runStreamctl } from './streamctl.ts'
import { comparable } from './twin.ts'
import { twins } from './twins.ts'
import { vectorDir, vectorInputs, vectorText } from './vectors.ts'

/** Other ones: STREAMCTL_PARITY_SEED=7 STREAMCTL_PARITY_RUNS=1000 npm run test:parity */
const seed = Number(process.env.STREAMCTL_PARITY_SEED ?? 1)
const numRuns = Number(process.env.STREAMCTL_PARITY_RUNS ?? 20)
const timeoutMs = 60_000 + 2000 * numRuns
vi.setConfig({ testTimeout: timeoutMs })

/** Ends the search for a shorter input before vitest ends the test, so that what was found is shown. */
const limits = { seed, interruptAfterTimeLimit: 0.8 * timeoutMs, markInterruptAsFailure: true }

let kafkaStreams: KafkaStreams
let known: readonly string[]

beforeAll(async () => {
  kafkaStreams = await KafkaStreams.start()
  known = await kafkaStreams.topologies()
})

afterAll(() => kafkaStreams?.close())

test('both sides have the same topologies', () => {
  const ours = [...twins.keys(), ...Object.keys(differences).map((name) => `differences.${name}`)]
  expect(ours.sort()).toEqual([...known].sort())
})

for (const [name, twin] of twins) {
  const { input, build } = twin
  test(`${name}: ${numRuns} random inputs`, async () => {
    const sides = fc.asyncProperty(inputOf(input), async (records) => {
      const [ours, theirs] = [await runStreamctl(build, records), await kafkaStreams.run(name, records)]
      expect(comparable(twin, ours)).toEqual(comparable(twin, theirs))
    })
    await fc.assert(sides, { ...limits, numRuns })
  })

  test(`${name}: the recorded inputs`, async () => {
    const runs = []
    for (const records of vectorInputs(input)) {
      runs.push({ input: records, output: await kafkaStreams.run(name, records) })
    }
    await expect(vectorText(runs)).toMatchFileSnapshot(join(vectorDir, `${name}.json`))
  })
}

test(`${10 * numRuns} random pipelines`, async () => {
  const given = stages.chain((stages) => fc.tuple(fc.constant(stages), inputOf(pipelineInput(stages))))
  const times = new Map(operatorNames.map((name) => [name, 0]))
  const sides = fc.asyncProperty(given, async ([stages, records]) => {
    for (const { operator } of stages) times.set(operator, (times.get(operator) ?? 0) + 1)
    const ours = await runStreamctl(pipeline(stages), records)
    expect(byTopic(ours)).toEqual(byTopic(await kafkaStreams.run(stages, records)))
  })
  await fc.assert(sides, { ...limits, numRuns: 10 * numRuns })
  const rare = [...times].filter(([, count]) => count < numRuns / 4)
  expect(rare, 'stages that hardly ever stood in a pipeline').toEqual([])
})

/** Between sub-topologies there is no order, so what is written by different ones is not compared in order. */
function byTopic(records: readonly JsonRecord[]): Readonly<Record<string, readonly JsonRecord[]>> {
  return Object.groupBy(records, ({ topic }) => topic) as Record<string, readonly JsonRecord[]>
}

test.each(Object.entries(differences))('differs: %s', async (name, { input, kafkaStreams: { output } }) => {
  expect(await kafkaStreams.run(`differences.${name}`, input)).toEqual(output)
})
