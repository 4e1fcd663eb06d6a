/** Every topology gives the same when its tasks end at random points and come back from their changelogs. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pipeline, pipelineInput, stages } from './pipeline.ts'
import { inputOf, type Shape } from './shape.ts'
import { runStreamctl } from './streamctl.ts'
import { twins } from './twins.ts'

const seed = Number(process.env.STREAMCTL_PARITY_SEED ?? Date.now() % 1_000_000)
/** `npm run test:parity` has more of them. */
const numRuns = Number(process.env.STREAMCTL_RESTART_RUNS ?? 2)
const limits = { seed, numRuns }

const interrupted = (shape: Shape, most: number) =>
  inputOf(shape, 1, most).chain((input) =>
    fc.tuple(fc.constant(input), fc.array(fc.nat(input.length), { minLength: 1, maxLength: 5 })),
  )

/** With `compat` a join forgets at a restart how far it has looked for records without a match, as Kafka Streams does. */
const lasting = [...twins].filter(([name]) => !name.startsWith('streamJoins.compat'))

test.each(lasting)(`%s (seed ${seed})`, async (_, { input, build }) => {
  const same = fc.asyncProperty(interrupted(input, 120), async ([records, restarts]) => {
    expect(await runStreamctl(build, records, restarts)).toEqual(await runStreamctl(build, records))
  })
  await fc.assert(same, limits)
})

test(`random pipelines (seed ${seed})`, async () => {
  const given = stages.chain((stages) => fc.tuple(fc.constant(stages), interrupted(pipelineInput(stages), 60)))
  const same = fc.asyncProperty(given, async ([stages, [records, restarts]]) => {
    const build = pipeline(stages)
    expect(await runStreamctl(build, records, restarts)).toEqual(await runStreamctl(build, records))
  })
  await fc.assert(same, { seed, numRuns: 20 * numRuns })
})
