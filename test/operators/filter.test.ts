import { expect, test } from 'vitest'
import { filter } from '../../src/operators/filter.ts'
import { collector, context, headers } from './harness.ts'

test('passes on what the predicate holds for, or with negate what it does not, null keys and values included', () => {
  for (const negate of [false, true]) {
    const ctx = context()
    const { seen, next } = collector()
    const run = filter<string | null, number | null>(
      { predicate: (value, key) => value === 1 || key === 'b', negate },
      ctx,
      next,
    )
    run('a', 1, 10, headers)
    run(null, 2, 11, headers)
    run('b', null, 12, headers)
    const held = [
      ['a', 1, 10],
      ['b', null, 12],
    ]
    expect(seen).toEqual(negate ? [[null, 2, 11]] : held)
    expect(ctx.forwarded.count).toBe(seen.length)
    expect(ctx.drops).toEqual([])
  }
})

test('a predicate that throws names the processor, a child that throws does not', () => {
  const boom = (): never => {
    throw new Error('boom')
  }
  const run = filter({ predicate: boom, negate: false }, context('big-ones'), () => undefined)
  expect(() => {
    run('a', 1, 1, headers)
  }).toThrow(expect.objectContaining({ code: 'PROCESSING', message: 'big-ones: boom' }))
  const passing = filter({ predicate: () => true, negate: false }, context(), boom)
  expect(() => {
    passing('a', 1, 1, headers)
  }).toThrow(expect.not.objectContaining({ code: 'PROCESSING' }))
})
