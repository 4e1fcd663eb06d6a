import fc from 'fast-check'
import { expect, test } from 'vitest'
import { powerLaw } from '../../../bench/growth/fit.ts'

test('the exponent of a power law is found, whatever its factor', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -2, max: 3, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
      (exponent, factor) => {
        const pairs = [1, 3, 10, 30, 100].map((x) => ({ x, y: factor * x ** exponent }))
        const fit = powerLaw(pairs)
        expect(fit.exponent).toBeCloseTo(exponent, 9)
        expect(fit.standardError).toBeCloseTo(0, 6)
      },
    ),
  )
})

test('what lies off the line is in the standard error', () => {
  // Logarithms to e: (0, 0), (1, 2), (2, 1), (3, 3): slope 0.8, residuals -0.3, 0.9, -0.9, 0.3.
  const fit = powerLaw([0, 2, 1, 3].map((y, x) => ({ x: Math.exp(x), y: Math.exp(y) })))
  expect(fit.exponent).toBeCloseTo(0.8, 9)
  expect(fit.standardError).toBeCloseTo(Math.sqrt(1.8 / 2 / 5), 9)
})

test('two points say nothing about the error, and one nothing at all', () => {
  const two = powerLaw([
    { x: 1, y: 3 },
    { x: 2, y: 6 },
  ])
  expect(two).toEqual({ exponent: expect.closeTo(1, 9), standardError: Number.POSITIVE_INFINITY })
  expect(() => powerLaw([{ x: 5, y: 1 }])).toThrow(RangeError)
})
