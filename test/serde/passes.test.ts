import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Passes } from '../../src/common/passes.ts'
import { passes } from '../../src/serde/passes.ts'

const times = fc
  .array(fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constant(Number.MAX_SAFE_INTEGER)))
  .map((all) => all.toSorted((a, b) => a - b))

test('times come back as they were', () => {
  fc.assert(
    fc.property(times, (all) => {
      expect(passes.deserialize(passes.serialize(new Passes(all))).times).toEqual(all)
    }),
  )
})

test('a time that follows soon takes a byte', () => {
  const start = 1_700_000_000_000
  expect(passes.serialize(new Passes([start, start, start + 5, start + 132]))).toHaveLength(6 + 3)
})

test.each([
  ['an end within a time', Buffer.from([0x80])],
  ['a time beyond those of JavaScript', Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])],
])('refuses %s', (_, bytes) => {
  expect(() => passes.deserialize(bytes)).toThrow(expect.objectContaining({ code: 'DESERIALIZATION' }))
})
