import { expect, test } from 'vitest'
import { verdictOf } from '../../../bench/growth/verdict.ts'
import { measured } from './points.ts'

const operators = { quantity: 'operators in the chain', unit: 'operator call' }
const partitions = { quantity: 'partitions', unit: 'record' }
const values = [1, 3, 10, 30, 100]

test('a cost in proportion to the work passes, and is named by the work', () => {
  const verdict = verdictOf(
    operators,
    values.map((value) => measured(value, 0.5 * value, value)),
  )
  expect(verdict).toMatchObject({ exponent: 1, standardError: 0, lastToCheapest: 1, failures: [] })
  expect(verdict.says).toBe('grows as work^1; the cost per operator call at the last point is 1 times the lowest')
})

test('a cost that stays while the work does is named by the axis', () => {
  const verdict = verdictOf(
    partitions,
    values.map((value) => measured(value, 7)),
  )
  expect(verdict).toMatchObject({ costExponent: 0, workExponent: 0, exponent: 1, failures: [] })
  expect(verdict.says).toContain("a record's cost grows as (partitions)^0, its work as ^0")
})

test('a cost that grows faster than the work fails by the last point and by the exponent', () => {
  const verdict = verdictOf(
    operators,
    values.map((value) => measured(value, value ** 1.2, value)),
  )
  expect(verdict.exponent).toBe(1.2)
  expect(verdict.failures).toEqual([
    'the cost per operator call at 100 is 2.51 times the lowest, above 2',
    'cost grows as work^1.2, above 1.15',
  ])
})

test('just below twice the lowest and the exponent it goes with is not yet too fast', () => {
  const points = values.map((value) => measured(value, value ** 1.149, value))
  expect(verdictOf(operators, points).failures).toEqual([])
})

test('a cliff at the last point fails, though a line through all points is not steep beyond its error', () => {
  const points = values.map((value) => measured(value, value === 100 ? 15 : 7))
  expect(verdictOf(partitions, points).failures).toEqual([
    'the cost per record at 100 is 2.14 times the lowest, above 2',
  ])
})

test('an exponent that two standard errors cover is noise', () => {
  const noisy = [1, 1.8, 1.1, 1.9].map((cost, i) => measured(2 ** i, cost))
  expect(verdictOf(partitions, noisy)).toMatchObject({ exponent: 1.21, standardError: 0.22, failures: [] })
})

test('what a small point costs more is no growth', () => {
  const points = values.map((value) => measured(value, value === 1 ? 70 : 7))
  expect(verdictOf(partitions, points)).toMatchObject({ lastToCheapest: 1, failures: [] })
})

test('memory above its bound fails at any point', () => {
  const points = values.map((value) => ({ ...measured(value, 7), rssMiB: value === 10 ? 1025 : 1024 }))
  expect(verdictOf(partitions, points).failures).toEqual(['peak memory at 10 is 1025 MiB, above 1024'])
})

test('one point is no growth, and two have no error', () => {
  expect(verdictOf(partitions, [measured(1, 7)])).toMatchObject({ exponent: 1, standardError: null, failures: [] })
  const two = verdictOf(partitions, [measured(1, 7), measured(2, 13)])
  expect(two).toMatchObject({ exponent: 1.89, standardError: null, lastToCheapest: 1.86, failures: [] })
})
