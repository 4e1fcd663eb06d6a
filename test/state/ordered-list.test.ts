import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OrderedList } from '../../src/state/ordered-list.ts'

interface Item {
  readonly n: number
}

const ordered = () => new OrderedList<Item>((a, b) => a.n - b.n)

function all(list: OrderedList<Item>, from = Number.NEGATIVE_INFINITY): number[] {
  const seen: number[] = []
  list.visitFrom({ n: from }, ({ n }) => seen.push(n) > 0)
  return seen
}

test('is an array that is kept sorted, however long', () => {
  // Long stretches, so that runs fill and are split; then every question at a few places.
  const stretch = fc.record({
    start: fc.integer({ min: 0, max: 3000 }),
    step: fc.constantFrom(1, 1, 2, 3, -1),
    count: fc.integer({ min: 1, max: 700 }),
    remove: fc.boolean(),
  })
  fc.assert(
    fc.property(
      fc.array(stretch, { maxLength: 12 }),
      fc.array(fc.integer({ min: -2, max: 4000 })),
      (stretches, places) => {
        const list = ordered()
        const model = new Map<number, Item>()
        for (const { start, step, count, remove } of stretches) {
          for (let i = 0, n = start; i < count; i++, n += step) {
            const known = model.get(n)
            if (remove) {
              list.remove(known ?? { n })
              model.delete(n)
            } else if (known === undefined) {
              const item = { n }
              list.add(item)
              model.set(n, item)
            }
          }
        }
        const sorted = [...model.keys()].sort((a, b) => a - b)
        expect(all(list)).toEqual(sorted)
        expect([list.first?.n, list.last?.n, list.isEmpty]).toEqual([sorted[0], sorted.at(-1), sorted.length === 0])
        for (const n of places) {
          expect(list.from({ n })?.n).toBe(sorted.find((other) => other >= n))
          expect(list.before({ n })?.n).toBe(sorted.findLast((other) => other < n))
          expect(all(list, n)).toEqual(sorted.filter((other) => other >= n))
        }
        list.clear()
        expect([all(list), list.first, list.last, list.isEmpty]).toEqual([[], undefined, undefined, true])
      },
    ),
    { numRuns: 200 },
  )
})

test('shows no more than is asked for', () => {
  const list = ordered()
  for (let n = 0; n < 1000; n++) list.add({ n })
  const seen: number[] = []
  list.visitFrom({ n: 400 }, ({ n }) => {
    seen.push(n)
    return n < 402
  })
  expect(seen).toEqual([400, 401, 402])
})

test('does not take out an item that is equal and another one', () => {
  const list = ordered()
  list.add({ n: 1 })
  list.remove({ n: 1 })
  expect(all(list)).toEqual([1])
})
