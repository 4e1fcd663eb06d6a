import fc from 'fast-check'
import { expect, test } from 'vitest'
import { estimateOf, merged, noRegisters, withText } from '../../src/common/hyper-log-log.ts'

function registersOf(texts: Iterable<string>, precision: number) {
  let registers = noRegisters(precision)
  for (const text of texts) registers = withText(registers, text)
  return registers
}

function* texts(count: number, of: string): Iterable<string> {
  for (let i = 0; i < count; i++) yield `${of}-${i}`
}

test('nothing is nothing, and one is one', () => {
  expect(estimateOf(noRegisters(12))).toBe(0)
  expect(Math.round(estimateOf(registersOf(['a'], 12)))).toBe(1)
})

test.each([
  [8, 100],
  [8, 5000],
  [12, 1000],
  [12, 10_000],
  [12, 100_000],
  [14, 20_000],
])('with a precision of %i, %i texts are told within the error of theory', { timeout: 60_000 }, (precision, count) => {
  const runs = 12
  let squares = 0
  for (let run = 0; run < runs; run++) {
    const error = estimateOf(registersOf(texts(count, `${precision}/${run}`), precision)) / count - 1
    squares += error * error
  }
  // Of the mean of 12 squares, twice its expectation is far out.
  expect(Math.sqrt(squares / runs)).toBeLessThan((1.04 / Math.sqrt(2 ** precision)) * Math.SQRT2)
})

test('the order and number of times do not count, and parts merge into the whole', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.string()), (one, other) => {
      const whole = registersOf([...one, ...other], 6)
      expect(registersOf([...other, ...one, ...one], 6)).toEqual(whole)
      expect(merged(registersOf(one, 6), registersOf(other, 6))).toEqual(whole)
    }),
  )
})

test('what changes nothing gives the same registers, and what changes something leaves those it was given', () => {
  const before = registersOf(['a'], 10)
  expect(withText(before, 'a')).toBe(before)
  const copy = Uint8Array.from(before)
  expect(withText(before, 'b')).not.toEqual(before)
  expect(before).toEqual(copy)
})
