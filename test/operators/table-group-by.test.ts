import { expect, test } from 'vitest'
import { tableGroupBy } from '../../src/operators/table-group-by.ts'
import { collector, context, headers } from './harness.ts'

const byRest = {
  mapper: (n: number, key: string): [string | null, string | null] => [
    n === 7 ? null : `${n % 2}`,
    n === 6 ? null : `${key}${n}`,
  ],
  sameKey: (a: string, b: string) => a === b,
}

test('a row that stays in its group is one record, one that moves leaves first, and one without key or value is in none', () => {
  const { seen, next } = collector()
  const ctx = context()
  const run = tableGroupBy(byRest, ctx, next)
  run('k', 1, null, 10, headers)
  run('k', 3, 1, 20, headers)
  run('k', 4, 3, 30, headers)
  run('k', 7, 4, 40, headers)
  run('k', 6, 7, 50, headers)
  run('k', 5, 6, 60, headers)
  run('k', null, 5, 70, headers)
  run('k', null, null, 80, headers)
  expect(seen).toEqual([
    ['1', { value: 'k1', old: null }, 10],
    ['1', { value: 'k3', old: 'k1' }, 20],
    ['1', { value: null, old: 'k3' }, 30],
    ['0', { value: 'k4', old: null }, 30],
    ['0', { value: null, old: 'k4' }, 40],
    ['1', { value: 'k5', old: null }, 60],
    ['1', { value: null, old: 'k5' }, 70],
  ])
  expect(ctx.forwarded.count).toBe(7)
})

test('a mapper that throws names the processor', () => {
  const failing = {
    ...byRest,
    mapper: () => {
      throw new Error('boom')
    },
  }
  expect(() => tableGroupBy(failing, context('grouping'), collector().next)('a', 1, null, 1, headers)).toThrow(
    expect.objectContaining({ code: 'PROCESSING', where: { node: 'grouping' } }),
  )
})
