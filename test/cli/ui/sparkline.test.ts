/** Bars: the newest at the right, zero unlike little, full only when done. */

import { describe, expect, it } from 'vitest'
import { percent, progressBar, sparkline } from '../../../src/cli/ui/sparkline.ts'

const series = (values: readonly number[], end = values.length) => ({ values, end })

describe('a sparkline', () => {
  it('rises with its values and leaves places without a sample blank', () => {
    expect(sparkline(series([0, 1, 50, 100]), 6, 6, true)).toBe('  ▁▂▅█')
    expect(sparkline(series([0, 1, 50, 100]), 6, 6, false)).toBe('  _.=#')
  })

  it('of nothing or of zeros is flat', () => {
    expect(sparkline(series([]), 4, 4, true)).toBe('    ')
    expect(sparkline(series([0, 0]), 4, 4, true)).toBe('  ▁▁')
  })

  it('puts several samples into a bar, the same ones whatever comes after', () => {
    const values = [10, 10, 0, 0, 100, 100]
    expect(sparkline(series(values), 3, 6, true)).toBe('▂▁█')
    // One more: the oldest has left, and the bars before the newest are as they were.
    expect(sparkline(series([...values.slice(1), 100], 7), 3, 6, true)).toBe('▁██')
  })

  it('is never wider than asked', () => {
    for (let width = 0; width < 70; width++) {
      const values = Array.from({ length: 60 }, (_, index) => index)
      expect(sparkline(series(values, 977), width, 60, true)).toHaveLength(width)
    }
  })
})

describe('a progress bar', () => {
  it('is full only when nothing is left', () => {
    expect(progressBar(999, 1000, 10, true)).toBe('█████████░')
    expect(progressBar(1000, 1000, 10, true)).toBe('██████████')
    expect(progressBar(0, 0, 4, false)).toBe('####')
    expect([percent(999, 1000), percent(1000, 1000), percent(0, 0)]).toEqual(['99%', '100%', '100%'])
  })
})
