import { defineTopology, int64, string, topic } from 'streamctl'
import { createTestDriver } from 'streamctl/testing'
import { expect, test } from 'vitest'

const lines = topic('lines', { key: string, value: string })
const counts = topic('word-counts', { key: string, value: int64 })

const wordCount = defineTopology('word-count', (b) => {
  b.stream(lines)
    .flatMapValues((line) => line.toLowerCase().split(/\W+/).filter(Boolean))
    .groupBy('by-word', (word) => word, { key: string, value: string })
    .count('word-counts')
    .toStream()
    .to(counts)
})

test('counts words over a repartition, in order, over several partitions', async () => {
  const driver = await createTestDriver(wordCount, { partitions: 3 })
  await driver.send(lines, null, 'a b a', 5)
  await driver.send(lines, null, 'b', 3)
  const seen = driver.read(counts).map(({ key, value, timestamp }) => [key, value, timestamp])
  expect(seen.filter(([key]) => key === 'a')).toEqual([
    ['a', 1n, 5],
    ['a', 2n, 5],
  ])
  expect(seen.filter(([key]) => key === 'b')).toEqual([
    ['b', 1n, 5],
    ['b', 2n, 5],
  ])
  expect(driver.read()).toEqual([])
  await driver.close()
})
