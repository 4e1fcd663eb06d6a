import { expect, test } from 'vitest'
import { Suppressed } from '../../src/dsl/suppressed.ts'
import { refusal } from './fixtures.ts'

test('limits are data', () => {
  const endless = Number.POSITIVE_INFINITY
  expect(Suppressed.untilWindowCloses('unbounded')).toEqual({
    kind: 'suppressed',
    until: 'window-close',
    maxRecords: endless,
    maxBytes: endless,
    whenFull: 'stop',
  })
  expect(Suppressed.untilTimeLimit('5s', { maxRecords: 10, whenFull: 'emit' })).toEqual({
    kind: 'suppressed',
    until: 'time-limit',
    limitMs: 5000,
    maxRecords: 10,
    maxBytes: endless,
    whenFull: 'emit',
  })
  expect(Suppressed.untilTimeLimit(0, { maxBytes: 10, whenFull: 'stop' })).toMatchObject({ limitMs: 0, maxBytes: 10 })
  expect(Object.isFrozen(Suppressed.untilTimeLimit(0, 'unbounded'))).toBe(true)
})

test('what cannot be is refused', () => {
  const said = (call: () => unknown) => {
    const { code, message } = refusal(call)
    expect(code).toBe('INVALID_ARGUMENT')
    return message
  }
  expect(said(() => Suppressed.untilWindowCloses({ maxRecords: 1, whenFull: 'emit' } as never))).toBe(
    'untilWindowCloses cannot pass updates on early: they would not be final',
  )
  expect(said(() => Suppressed.untilTimeLimit(1, { maxRecords: 1 } as never))).toBe(
    'it is not said what happens when the buffer is full',
  )
  expect(said(() => Suppressed.untilTimeLimit(1, undefined as never))).toBe(
    'it is not said what happens when the buffer is full',
  )
  expect(said(() => Suppressed.untilTimeLimit(1, { whenFull: 'stop' } as never))).toBe('the buffer has no limit')
  for (const maxRecords of [0, -1, 1.5, Number.NaN, '5']) {
    expect(said(() => Suppressed.untilTimeLimit(1, { maxRecords, whenFull: 'stop' } as never))).toBe(
      `maxRecords is ${maxRecords}`,
    )
  }
  expect(said(() => Suppressed.untilTimeLimit(1, { maxBytes: 0, whenFull: 'stop' }))).toBe('maxBytes is 0')
  expect(said(() => Suppressed.untilTimeLimit('5' as never, 'unbounded'))).toContain('time limit')
})
