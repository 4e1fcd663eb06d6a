import { expect, test } from 'vitest'
import { selectKey } from '../../src/operators/select-key.ts'
import { collector, context, headers } from './harness.ts'

test('gives another key; value and time stay', () => {
  const { seen, next } = collector()
  selectKey<string | null, { id: number }, number>({ mapper: (value) => value.id }, context(), next)(
    null,
    { id: 7 },
    10,
    headers,
  )
  expect(seen).toEqual([[7, { id: 7 }, 10]])
})
