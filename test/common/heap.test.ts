import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Heap } from '../../src/common/heap.ts'

test('what is pushed and popped in any order comes out as from a sorted list', () => {
  const steps = fc.array(fc.option(fc.integer({ min: 0, max: 20 }), { freq: 3, nil: 'pop' as const }), {
    maxLength: 100,
  })
  fc.assert(
    fc.property(steps, (all) => {
      const heap = new Heap<number>((a, b) => a < b)
      let list: number[] = []
      for (const step of all) {
        if (step === 'pop') expect(heap.pop()).toBe(list.shift())
        else {
          heap.push(step)
          list = [...list, step].sort((a, b) => a - b)
        }
        expect([heap.size, heap.first]).toEqual([list.length, list[0]])
      }
    }),
  )
})

test('a cleared heap is empty', () => {
  const heap = new Heap<number>((a, b) => a < b)
  heap.push(1)
  heap.clear()
  expect([heap.size, heap.first, heap.pop()]).toEqual([0, undefined, undefined])
})
