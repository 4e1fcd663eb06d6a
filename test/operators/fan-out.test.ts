import { expect, test } from 'vitest'
import { fanOut } from '../../src/operators/fan-out.ts'
import { collector, headers } from './harness.ts'

test('every child gets every record, in order; one child is taken as it is', () => {
  for (let children = 0; children <= 4; children++) {
    const order: number[] = []
    const nexts = Array.from({ length: children }, (_, i) => {
      const { next } = collector()
      return ((...record: Parameters<typeof next>) => {
        next(...record)
        order.push(i)
      }) as typeof next
    })
    fanOut(nexts)('a', 1, 10, headers)
    expect(order).toEqual(nexts.map((_, i) => i))
    if (children === 1) expect(fanOut(nexts)).toBe(nexts[0])
  }
})
