import fc from 'fast-check'
import { createTestDriver } from 'streamctl/testing'
import { expect, test } from 'vitest'
import wordCount, { lines, wordCounts } from '../../topologies/word-count.ts'

test('every word is counted, whatever its case and script', async () => {
  const driver = await createTestDriver(wordCount)
  await driver.send(lines, null, 'The cat, the dog. Größe', 5)
  expect(driver.read(wordCounts)).toMatchObject([
    { key: 'the', value: 1n, timestamp: 5 },
    { key: 'cat', value: 1n },
    { key: 'the', value: 2n },
    { key: 'dog', value: 1n },
    { key: 'größe', value: 1n },
  ])
  await driver.close()
})

test('the last count of a word is how often it came, over any partitions', async () => {
  const text = fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'dd'), { maxLength: 8 }), { maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 4 }), async (given, partitions) => {
      const model = new Map<string, bigint>()
      for (const word of given.flat()) model.set(word, (model.get(word) ?? 0n) + 1n)
      const driver = await createTestDriver(wordCount, { partitions })
      for (const words of given) await driver.send(lines, null, words.join(' '))
      const last = new Map(driver.read(wordCounts).map(({ key, value }) => [key, value]))
      expect(last).toEqual(model)
      await driver.close()
    }),
    { numRuns: 30 },
  )
})
