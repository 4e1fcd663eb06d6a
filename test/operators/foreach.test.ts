import { expect, test } from 'vitest'
import { foreach } from '../../src/operators/foreach.ts'
import { context, headers } from './harness.ts'

test('foreach shows the record, and names itself when its function throws', () => {
  const shown: unknown[] = []
  foreach<string, number>({ action: (value, key) => shown.push([key, value]) }, context())('a', 1, 10, headers)
  expect(shown).toEqual([['a', 1]])
  const failing = foreach(
    {
      action: () => {
        throw new Error('no')
      },
    },
    context('show'),
  )
  expect(() => {
    failing('a', 1, 1, headers)
  }).toThrow('show: no')
})
