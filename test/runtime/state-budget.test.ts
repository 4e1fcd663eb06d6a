import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stateBudget } from '../../src/runtime/state-budget.ts'

const mib = 1 << 20

const budgetOf = (tasks: number, storesPerTask: number, totalBytes = 256 * mib) =>
  stateBudget({ tasks, storesPerTask, totalBytes, flushIntervalMs: 700 })

test('a quarter for write buffers of which there are two, an eighth for blocks, an eighth for flushes, half for rows', () => {
  expect(budgetOf(4, 2, 128 * mib)).toEqual({
    writeBufferBytes: 4 * mib,
    blockCacheBytes: 4 * mib,
    flush: { bytes: 2 * mib, rows: 16_384, intervalMs: 700 },
    cache: { cacheBytes: 8 * mib },
  })
})

test('many tasks cost what few do, until each has the least it can work with', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 5 }), (tasks, stores) => {
      const { writeBufferBytes, blockCacheBytes, flush, cache } = budgetOf(tasks, stores)
      const task = 2 * writeBufferBytes + blockCacheBytes + 2 * flush.bytes + stores * (cache.cacheBytes as number)
      const all = tasks * task
      const least = tasks * (320 * 1024 + stores * 256 * 1024)
      expect(all).toBeLessThanOrEqual(256 * mib + least)
      for (const bytes of [writeBufferBytes, blockCacheBytes, flush.bytes, cache.cacheBytes])
        expect(Number.isSafeInteger(bytes)).toBe(true)
    }),
  )
})

test('256 tasks of two stores stay below 1 GiB', () => {
  const { writeBufferBytes, blockCacheBytes, flush, cache } = budgetOf(256, 2)
  const task = 2 * writeBufferBytes + blockCacheBytes + 2 * flush.bytes + 2 * (cache.cacheBytes as number)
  expect(256 * task).toBeLessThan(1 << 30)
})
