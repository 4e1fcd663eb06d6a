/** Every topology still gives what Kafka Streams gave when its vectors were recorded, but for the named differences. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { differences } from './differences.ts'
import { runStreamctl } from './streamctl.ts'
import { comparable } from './twin.ts'
import { twins } from './twins.ts'
import { readVectors, vectorDir } from './vectors.ts'

test('every topology has its vectors', async () => {
  expect((await readdir(vectorDir)).sort()).toEqual([...twins.keys()].map((name) => `${name}.json`).sort())
})

test.each([...twins])('%s', async (name, twin) => {
  const vectors = readVectors(await readFile(join(vectorDir, `${name}.json`), 'utf8'))
  for (const { input, output } of vectors) {
    expect(comparable(twin, await runStreamctl(twin.build, input))).toEqual(comparable(twin, output))
  }
})

test.each(Object.entries(differences))('differs: %s', async (_, { build, input, streamctl, kafkaStreams }) => {
  expect(streamctl.output).not.toEqual(kafkaStreams.output)
  expect(await runStreamctl(build, input)).toEqual(streamctl.output)
})
