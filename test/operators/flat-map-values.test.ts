import { expect, test } from 'vitest'
import { flatMapValues } from '../../src/operators/flat-map-values.ts'
import { collector, context, headers } from './harness.ts'

test('makes any number of values under the same key', () => {
  const ctx = context()
  const { seen, next } = collector()
  const run = flatMapValues<number, string, string>({ mapper: (line) => line.split(' ').filter(Boolean) }, ctx, next)
  run(1, 'to be', 10, headers)
  run(2, '', 11, headers)
  flatMapValues<number, string, string>({ mapper: (line) => new Set(line) }, ctx, next)(3, 'aab', 12, headers)
  expect(seen).toEqual([
    [1, 'to', 10],
    [1, 'be', 10],
    [3, 'a', 12],
    [3, 'b', 12],
  ])
  expect(ctx.forwarded.count).toBe(4)
})
