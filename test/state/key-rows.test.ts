import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyRows, type TimedRow } from '../../src/state/key-rows.ts'

function seen(rows: KeyRows<TimedRow>, from: number, most = Number.POSITIVE_INFINITY): TimedRow[] {
  const found: TimedRow[] = []
  rows.visitFrom(from, (row) => found.push(row) < most)
  return found
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add' as const), back: fc.constantFrom(0, 0, 0, 1, 3, 40) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), nth: fc.constantFrom(0, 0, 0, 1, 5, 30) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'empty' as const }) },
)

test('are in the order of time, then of arrival, whatever comes and goes; the same one serves another key', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 400, size: 'max' }), (steps) => {
      const rows = new KeyRows<TimedRow>('a')
      let model: TimedRow[] = []
      let now = 100
      for (const action of steps) {
        if (action.do === 'add') {
          now += model.length % 3
          const timestamp = now - action.back
          const equal = model.filter((row) => row.timestamp === timestamp)
          expect(rows.nextSeq(timestamp)).toBe(equal.length === 0 ? 0 : (equal.at(-1) as TimedRow).seq + 1)
          const row = { timestamp, seq: rows.nextSeq(timestamp) }
          rows.add(row)
          model.push(row)
          model.sort((a, b) => a.timestamp - b.timestamp || a.seq - b.seq)
        } else if (action.do === 'remove') {
          const row = model[action.nth]
          if (row === undefined) continue
          rows.remove(row)
          model = model.filter((other) => other !== row)
        } else if (model.length < 4) {
          for (const row of model) rows.remove(row)
          model = []
          rows.reuse('b')
        }
        expect(rows.isEmpty).toBe(model.length === 0)
        for (const from of [0, now - 40, now - 3, now, now + 1]) {
          expect(seen(rows, from)).toEqual(model.filter((row) => row.timestamp >= from))
        }
        expect(seen(rows, 0, 2)).toEqual(model.slice(0, 2))
      }
    }),
    { numRuns: 100 },
  )
})
