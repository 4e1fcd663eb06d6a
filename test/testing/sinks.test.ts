/** Dynamic topics, partitioners and prints on the test driver. */

import { defineTopology, type StreamsBuilder, string, topic } from 'streamctl'
import { createTestDriver, type TestDriver, type TestDriverOptions } from 'streamctl/testing'
import { afterEach, expect, test, vi } from 'vitest'

const input = topic('input', { key: string, value: string })
const first = topic('first', { key: string, value: string })
const second = topic('second', { key: string, value: string })

let driver: TestDriver | undefined
afterEach(async () => {
  await driver?.close()
  driver = undefined
  vi.restoreAllMocks()
})

async function run(build: (b: StreamsBuilder) => void, options?: TestDriverOptions): Promise<TestDriver> {
  driver = await createTestDriver(defineTopology('driven', build), options)
  return driver
}

test('a topic is chosen by the record and where it is', async () => {
  const d = await run((b) =>
    b
      .stream(input)
      .to((value, key, { offset }) => (value === key || offset > 2 ? first : second), { among: [first, second] }),
  )
  for (const value of ['a', 'k', 'b', 'c']) await d.send(input, 'k', value)
  expect(d.read().map(({ topic, value }) => [topic, value])).toEqual([
    ['second', 'a'],
    ['first', 'k'],
    ['second', 'b'],
    ['first', 'c'],
  ])
})

test('a topic that is not among the declared ones fails with the line and the record', async () => {
  const d = await run((b) => b.stream(input).to(() => input as never, { among: [first] }))
  await expect(d.send(input, 'k', 'v')).rejects.toMatchObject({
    code: 'PROCESSING',
    message: expect.stringContaining('the topic input was chosen, and is not declared: among has first'),
    where: { file: expect.stringContaining('sinks.test.ts'), topic: 'input', offset: 0 },
  })
})

test('a partitioner chooses, and leaves to the key what it does not choose', async () => {
  const d = await run(
    (b) => {
      const byLength = (_: string, value: string, partitions: number) =>
        value === '' ? undefined : value.length % partitions
      b.stream(input).to(first, { partitioner: byLength })
      b.stream(input)
        .repartition('again', { partitioner: (key) => (key === null ? 2 : undefined) })
        .processValues('where', {
          out: { value: string },
          on: (_, { forward, partition }) => forward(String(partition)),
        })
        .to(second)
    },
    { partitions: 3 },
  )
  for (const [key, value] of [
    ['21', 'a'],
    ['21', 'aaaaa'],
    ['21', ''],
    [null, 'aaa'],
    [null, ''],
  ] as const)
    await d.send(input, key, value)
  const where = d.read(first).map(({ partition }) => partition)
  expect(where).toEqual([1, 2, 0, 0, 1])
  expect(d.read(second).map(({ value }) => value)).toEqual(['0', '0', '0', '2', '2'])
})

test.each([-1, 3, 1.5, Number.NaN, '1'])('a partitioner that gives %s fails', async (given) => {
  const d = await run((b) => b.stream(input).to(first, { partitioner: () => given as number }), { partitions: 3 })
  await expect(d.send(input, 'k', 'v')).rejects.toMatchObject({
    code: 'PROCESSING',
    message: expect.stringContaining('the partitioner gave partition'),
    where: { file: expect.stringContaining('sinks.test.ts') },
  })
})

test('what is printed is on stderr: stdout is data', async () => {
  const out = vi.spyOn(process.stdout, 'write')
  const said = vi.spyOn(console, 'error').mockReturnValue(undefined)
  const d = await run((b) => b.stream(input).print({ label: 'seen', limit: 2 }))
  for (const value of ['a', 'b', 'c']) await d.send(input, 'k', value)
  expect(said.mock.calls).toEqual([["[seen]: 'k', 'a'"], ["[seen]: 'k', 'b'"]])
  expect(out).not.toHaveBeenCalled()
})
