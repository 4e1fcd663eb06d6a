import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GlobalRows } from '../../src/state/global-rows.ts'
import { json, text } from './codecs.ts'

test('keys are equal when their bytes are', () => {
  const rows = new GlobalRows<{ readonly id: number }, string>(json())
  rows.put({ id: 1 }, 'a', 5)
  expect(rows.get({ id: 1 })).toEqual({ value: 'a', timestamp: 5 })
  rows.put({ id: 1 }, null, 6)
  expect(rows.get({ id: 1 })).toBeUndefined()
})

type Step =
  | { readonly do: 'gather' }
  | { readonly do: 'swap' }
  | { readonly do: 'put'; readonly key: string; readonly value: number }

test('the last value of each key; what gathers is seen as a whole, on random steps', () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('put' as const), key: fc.constantFrom('a', 'b', 'c'), value: fc.nat(4) }),
    },
    { weight: 1, arbitrary: fc.constantFrom({ do: 'gather' as const }, { do: 'swap' as const }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const rows = new GlobalRows<string, number>(text)
      let seen = new Map<string, number>()
      let gathering: Map<string, number> | undefined
      for (const one of steps) {
        if (one.do === 'gather') {
          rows.gather()
          gathering = new Map()
        } else if (one.do === 'swap') {
          rows.swap()
          seen = gathering ?? seen
          gathering = undefined
        } else {
          rows.put(one.key, one.value === 0 ? null : one.value, 1)
          const into = gathering ?? seen
          if (one.value === 0) into.delete(one.key)
          else into.set(one.key, one.value)
        }
        expect(['a', 'b', 'c'].map((key) => rows.get(key)?.value)).toEqual(['a', 'b', 'c'].map((key) => seen.get(key)))
        expect(rows.size).toBe(seen.size)
      }
    }),
  )
})
