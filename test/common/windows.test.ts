import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  firstWindowStart,
  sessionRetentionMs,
  slidingStretches,
  Windows,
  windowRetentionMs,
} from '../../src/common/windows.ts'

const windows = fc
  .record({ size: fc.integer({ min: 1, max: 50 }), part: fc.integer({ min: 1, max: 50 }), grace: fc.nat(50) })
  .map(({ size, part, grace }) => Windows.hopping(size, { advance: Math.min(size, part), grace }))

test('tumbling windows advance by their size; durations are ms', () => {
  expect(Windows.tumbling('1h', { grace: '5m' })).toEqual({
    kind: 'time',
    sizeMs: 3_600_000,
    advanceMs: 3_600_000,
    graceMs: 300_000,
  })
})

test('join windows have a side of their own for each direction', () => {
  expect(Windows.join('10m', { grace: '1m' })).toEqual({
    kind: 'join',
    beforeMs: 600_000,
    afterMs: 600_000,
    graceMs: 60_000,
  })
  expect(Windows.join('10m', { before: '20m', after: '-5m', grace: 0 })).toMatchObject({
    beforeMs: 1_200_000,
    afterMs: -300_000,
  })
  expect(Windows.join(0, { before: -3, after: 3, grace: 0 })).toMatchObject({ beforeMs: -3, afterMs: 3 })
})

test.each([
  [() => Windows.join(10, { before: -11, grace: 0 }), 'from -11 ms before to 10 ms after'],
  [() => Windows.join(-1, { grace: 0 }), 'time difference -1'],
  [() => Windows.join(1, { after: '-x' as never, grace: 0 }), 'after "x"'],
  [() => Windows.join(1, {} as never), 'grace'],
  [() => Windows.tumbling(0, { grace: 0 }), 'a window of 0 ms'],
  [() => Windows.hopping(10, { advance: 0, grace: 0 }), 'advances by 0 ms'],
  [() => Windows.hopping(10, { advance: 11, grace: 0 }), 'advances by 11 ms'],
  [() => Windows.session(0, { grace: 0 }), 'a gap of 0 ms'],
  [() => Windows.session('x' as never, { grace: 0 }), 'session gap'],
  [() => Windows.session(1, {} as never), 'grace'],
  [() => Windows.sliding(0, { grace: 0 }), 'a time difference of 0 ms'],
  [() => Windows.sliding('x' as never, { grace: 0 }), 'time difference'],
  [() => Windows.sliding(1, {} as never), 'grace'],
  [() => Windows.tumbling('1 h' as never, { grace: 0 }), 'window size "1 h"'],
  [() => Windows.tumbling(10, {} as never), 'grace'],
])('windows that cannot be are refused: %#', (make, message) => {
  expect(make).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) }))
})

test('from the first start on, every advance, the windows that hold a timestamp are found, and no earlier one does', () => {
  fc.assert(
    fc.property(windows, fc.nat(500), (w, timestamp) => {
      const found: number[] = []
      for (let start = firstWindowStart(w, timestamp); start <= timestamp; start += w.advanceMs) found.push(start)
      const all: number[] = []
      for (let start = 0; start <= timestamp; start += w.advanceMs) if (timestamp < start + w.sizeMs) all.push(start)
      expect(found).toEqual(all)
    }),
  )
})

test('a row is kept until its window can take no more: size and grace after its start', () => {
  fc.assert(
    fc.property(windows, (w) => {
      expect(windowRetentionMs(w)).toBe(w.sizeMs + w.graceMs)
    }),
  )
})

test('sessions have a gap above 0, and are kept for gap and grace after their end', () => {
  const session = Windows.session('5m', { grace: '1m' })
  expect(session).toEqual({ kind: 'session', gapMs: 300_000, graceMs: 60_000 })
  expect(sessionRetentionMs(session)).toBe(360_000)
})

test('sliding windows have a time difference above 0, and are kept until no record can look for them', () => {
  const sliding = Windows.sliding('10s', { grace: '5s' })
  expect(sliding).toEqual({ kind: 'sliding', timeDifferenceMs: 10_000, graceMs: 5000 })
  const stretches = slidingStretches(sliding)
  expect(stretches).toEqual({ kind: 'time', sizeMs: 40_001, advanceMs: 10_001, graceMs: 5000 })
})
