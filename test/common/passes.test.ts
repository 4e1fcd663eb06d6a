import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Passes } from '../../src/common/passes.ts'

test('times are in order, however they come', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), fc.nat(20), (times, at) => {
      const passes = new Passes()
      for (const time of times) passes.add(time)
      const sorted = times.toSorted((a, b) => a - b)
      expect(passes.times).toEqual(sorted)
      expect(passes.latest).toBe(sorted.at(-1) ?? -1)
      expect(passes.upTo(at)).toBe(sorted.filter((time) => time <= at).length)
    }),
  )
})
