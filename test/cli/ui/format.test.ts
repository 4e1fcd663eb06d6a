/** Cells: short, honest at the edges, and as wide as they say. */

import fc from 'fast-check'
import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { clip, compact, millis, pad, span, wrap } from '../../../src/cli/ui/format.ts'

describe('numbers', () => {
  it.each([
    [0, '0'],
    [0.01, '<0.1'],
    [7.25, '7.3'],
    [9.97, '10'],
    [999, '999'],
    [999.6, '1.0k'],
    [1234, '1.2k'],
    [99_960, '100k'],
    [999_499, '999k'],
    [999_500, '1.0M'],
    [2_300_410, '2.3M'],
  ])('%d is %s', (count, text) => {
    expect(compact(count)).toBe(text)
  })

  it('never take more than six columns', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 1e17, noNaN: true }), (count) => compact(count).length <= 6))
  })

  it.each([
    [0, '0s'],
    [59_400, '59s'],
    [59_600, '1m00s'],
    [3_599_400, '59m59s'],
    [11_100_000, '3h05m'],
    [273_600_000, '3d04h'],
  ])('%d ms last %s', (ms, text) => {
    expect(span(ms)).toBe(text)
  })

  it('commits are timed in ms or s', () => {
    expect([millis(84.4), millis(999.4), millis(1250)]).toEqual(['84 ms', '999 ms', '1.3 s'])
  })
})

describe('text', () => {
  const text = fc.string({ unit: fc.constantFrom('a', ' ', '語', 'é', '👍', '…', '\u0301') })

  it('clipped fits, and is whole where it fits', () => {
    fc.assert(
      fc.property(text, fc.nat(12), (text, width) => {
        const clipped = clip(text, width, true)
        expect(stringWidth(clipped)).toBeLessThanOrEqual(width)
        if (stringWidth(text) <= width && width > 0) expect(clipped).toBe(text)
      }),
    )
  })

  it('padded is exactly as wide as asked', () => {
    expect(pad('語', 4, 'left')).toBe('語  ')
    expect(pad('語', 4, 'right')).toBe('  語')
  })

  it('wrapped stays within its width and lines', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 12 }), fc.integer({ min: 1, max: 4 }), (text, width, lines) => {
        const wrapped = wrap(text, width, lines, true)
        expect(wrapped.length).toBeLessThanOrEqual(lines)
        for (const line of wrapped) expect(stringWidth(line)).toBeLessThanOrEqual(width)
      }),
    )
    expect(wrap('cannot reach the broker at all', 14, 2, true)).toEqual(['cannot reach', 'the broker at…'])
  })
})
