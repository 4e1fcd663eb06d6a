import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ErrorCode, StreamError } from '../../src/common/errors.ts'
import { isRecoverable, retryDelayMs } from '../../src/runtime/recovery.ts'

test.each(['FENCED', 'UNKNOWN_OUTCOME', 'REBALANCE', 'UNREACHABLE', 'TIMEOUT'] satisfies ErrorCode[])(
  '%s may pass',
  (code) => {
    expect(isRecoverable(new StreamError(code, 'x'))).toBe(true)
  },
)

test.each([
  'DESERIALIZATION',
  'SERIALIZATION',
  'PROCESSING',
  'PRODUCTION',
  'OFFSET_OUT_OF_RANGE',
  'CORRUPT',
  'LOCKED',
  'UNAUTHORIZED',
  'INTERNAL',
  'INVALID_ARGUMENT',
  'NOT_COPARTITIONED',
] satisfies ErrorCode[])('%s does not', (code) => {
  expect(isRecoverable(new StreamError(code, 'x'))).toBe(false)
})

test('an error of another kind does not pass, whatever it says of itself', () => {
  expect(isRecoverable(Object.assign(new Error('x'), { code: 'UNREACHABLE' }))).toBe(false)
  expect(isRecoverable(undefined)).toBe(false)
})

test('delays double from 100 ms to 10 s, the later half of each at random', () => {
  expect([1, 2, 3, 8, 50, 5000].map((attempt) => retryDelayMs(attempt, () => 0))).toEqual([
    50, 100, 200, 5000, 5000, 5000,
  ])
  expect([1, 2, 3].map((attempt) => retryDelayMs(attempt, () => 1))).toEqual([100, 200, 400])
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), (attempt) => {
      const delay = retryDelayMs(attempt)
      expect(delay >= 50 && delay <= 10_000).toBe(true)
    }),
  )
})
