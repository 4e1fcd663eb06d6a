import { expect, test } from 'vitest'
import { peek } from '../../src/operators/peek.ts'
import { collector, context, headers } from './harness.ts'

test('peek shows the record and passes it on', () => {
  const shown: unknown[] = []
  const { seen, next } = collector()
  peek<string, number>({ action: (value, key) => shown.push([key, value]) }, context(), next)('a', 1, 10, headers)
  expect(shown).toEqual([['a', 1]])
  expect(seen).toEqual([['a', 1, 10]])
})
