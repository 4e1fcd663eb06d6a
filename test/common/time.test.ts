import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Duration, durationMs } from '../../src/common/time.ts'

test.each([
  [0, 0],
  [1500, 1500],
  ['250ms', 250],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['7d', 604_800_000],
  ['1.5h', 5_400_000],
  ['0s', 0],
] as const)('%s is %i ms', (duration, ms) => {
  expect(durationMs(duration)).toBe(ms)
})

test.each([
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '5',
  'm',
  '-5m',
  '5 m',
  '1e3s',
  '5M',
  '0.5ms',
  '1m30s',
  '',
  null,
  {},
  [5],
])('%o is refused, with its name', (given) => {
  expect(() => durationMs(given as Duration, 'grace')).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('grace') }),
  )
})

test('a number with a unit is that many of it', () => {
  const units = [
    ['ms', 1],
    ['s', 1000],
    ['m', 60_000],
    ['h', 3_600_000],
    ['d', 86_400_000],
  ] as const
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100_000 }), fc.constantFrom(...units), (count, [unit, ms]) => {
      expect(durationMs(`${count}${unit}`)).toBe(count * ms)
    }),
  )
})
