import { expect, test } from 'vitest'
import { table } from '../../src/operators/table.ts'
import { collector, context, headers, keyValueStore } from './harness.ts'

test('keeps the last value by arrival, deletes on null and passes that on, drops null keys', () => {
  const ctx = context()
  const store = keyValueStore<string, number>()
  const { seen, next } = collector()
  const run = table<string, number>({ store }, ctx, next)
  run('a', 1, 10, headers)
  run('a', 2, 5, headers)
  run('b', 3, 11, headers)
  run('b', null, 12, headers)
  run('never', null, 13, headers)
  run(null, 4, 14, headers)
  expect(seen).toEqual([
    ['a', 1, 10],
    ['a', 2, 5],
    ['b', 3, 11],
    ['b', null, 12],
    ['never', null, 13],
  ])
  expect([...store.rows]).toEqual([['a', { value: 2, timestamp: 5 }]])
  expect(ctx.drops).toEqual(['null-key'])
  expect(ctx.forwarded.count).toBe(5)
})
