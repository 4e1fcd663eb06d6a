import { expect, test } from 'vitest'
import { mapValues } from '../../src/operators/map-values.ts'
import { collector, context, headers } from './harness.ts'

test('makes another value; key and time stay', () => {
  const { seen, next } = collector()
  mapValues<string, number, string>({ mapper: (value, key) => `${key}${value}` }, context(), next)('a', 1, 10, headers)
  expect(seen).toEqual([['a', 'a1', 10]])
})
