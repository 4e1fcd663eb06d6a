import { expect, test } from 'vitest'
import { counted } from '../../../bench/growth/number-words.ts'

test('counts as people say them', () => {
  expect([250, 1_000, 10_000, 123_456, 1_000_000, 2_500_000].map(counted)).toEqual([
    '250',
    '1 thousand',
    '10 thousand',
    '123 thousand',
    '1 million',
    '2.5 million',
  ])
})
