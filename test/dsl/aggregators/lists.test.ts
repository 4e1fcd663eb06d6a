import fc from 'fast-check'
import { expect, test } from 'vitest'
import { collect, first, last, topK } from '../../../src/dsl/aggregators/lists.ts'
import { string } from '../../../src/serde/string.ts'
import { refusal } from '../fixtures.ts'
import { expectModel, folded } from './support.ts'

interface Value {
  readonly id: string
  readonly n: number
}
const values: fc.Arbitrary<Value> = fc.record({ id: fc.uuid(), n: fc.integer({ min: 0, max: 4 }) })
const id = (value: Value): string => value.id

test('first and last are those of the list', () => {
  expectModel(first(id, string), values, (list) => (list[0] as Value).id)
  expectModel(last(id), values, (list) => (list.at(-1) as Value).id)
})

test('collect keeps the last ones, or the first', () => {
  expectModel(collect(id, { max: 3 }), values, (list) => list.slice(-3).map(id))
  expectModel(collect(id, { max: 3, keep: 'first' }), values, (list) => list.slice(0, 3).map(id))
})

test('topK keeps the greatest, of equal ones those that came first', () => {
  const model = (list: readonly Value[]) => list.toSorted((a, b) => b.n - a.n).slice(0, 3)
  expectModel(
    topK(3, ({ n }: Value) => n),
    values,
    model,
  )
})

test('a score of NaN is the least of all, and what is no number fails', () => {
  const scores = topK(2, (value: number | string) => (value === 'none' ? Number.NaN : (value as number)))
  expect(folded(scores, ['none', 1, 'none', -5])).toEqual([1, -5])
  expect(folded(scores, ['none', 1])).toEqual([1, 'none'])
  expect(() => scores.add([], 'x')).toThrow('topK was given string, not a number')
})

test('limits are whole numbers above 0', () => {
  for (const limit of [0, -1, 1.5, Number.NaN, undefined]) {
    expect(refusal(() => collect(id, { max: limit as number }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: `collect: max is ${limit}`,
    })
    expect(refusal(() => topK(limit as number, () => 1)).message).toBe(`topK: k is ${limit}`)
  }
  expect(refusal(() => collect(id, undefined as never)).message).toBe('collect: max is undefined')
})
