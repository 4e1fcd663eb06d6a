/** Every topology gives on random input what Kafka Streams gives: the same records, in the same order. */

import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { differences } from './differences.ts'
import { KafkaStreams } from './kafka-streams.ts'
import { inputOf } from './shape.ts'
import { runStreamctl } from './streamctl.ts'
import { twins } from './twins.ts'
import { vectorDir, vectorInputs, vectorText } from './vectors.ts'

/** Other ones: STREAMCTL_PARITY_SEED=7 STREAMCTL_PARITY_RUNS=1000 npm run test:parity */
const seed = Number(process.env.STREAMCTL_PARITY_SEED ?? 1)
const numRuns = Number(process.env.STREAMCTL_PARITY_RUNS ?? 20)

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

for (const [name, { input, build }] of twins) {
  test(`${name}: ${numRuns} random inputs`, async () => {
    const sides = fc.asyncProperty(inputOf(input), async (records) => {
      expect(await runStreamctl(build, records)).toEqual(await kafkaStreams.run(name, records))
    })
    await fc.assert(sides, { seed, numRuns })
  })

  test(`${name}: the recorded inputs`, async () => {
    const runs = []
    for (const records of vectorInputs(input)) {
      runs.push({ input: records, output: await kafkaStreams.run(name, records) })
    }
    await expect(vectorText(runs)).toMatchFileSnapshot(join(vectorDir, `${name}.json`))
  })
}

test.each(Object.entries(differences))('differs: %s', async (name, { input, kafkaStreams: { output } }) => {
  expect(await kafkaStreams.run(`differences.${name}`, input)).toEqual(output)
})
