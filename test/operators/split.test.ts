import { expect, test } from 'vitest'
import { split } from '../../src/operators/split.ts'
import { collector, context, headers } from './harness.ts'

const even = (value: number): boolean => value % 2 === 0
const small = (value: number): boolean => value < 10

test('each record goes to the first branch that takes it', () => {
  const ctx = context()
  const branches = [collector(), collector(), collector()]
  const run = split<string, number>(
    { predicates: [even, small, null] },
    ctx,
    branches.map(({ next }) => next),
  )
  for (const value of [2, 3, 20, 21]) run('a', value, value, headers)
  expect(branches.map(({ seen }) => seen.map(([, value]) => value))).toEqual([[2, 20], [3], [21]])
  expect(ctx.forwarded.count).toBe(4)
  expect(ctx.drops).toEqual([])
})

test('without a default what nobody takes is dropped by reason; a branch nobody reads takes its records silently', () => {
  const ctx = context()
  const { seen, next } = collector()
  const run = split<string, number>({ predicates: [even, small] }, ctx, [undefined, next])
  for (const value of [2, 3, 21]) run('a', value, value, headers)
  expect(seen).toEqual([['a', 3, 3]])
  expect(ctx.drops).toEqual(['no-match'])
  expect(ctx.forwarded.count).toBe(1)
})
