import { expect, test } from 'vitest'
import { mappedView, tableMapValues } from '../../src/operators/table-map-values.ts'
import { context, headers, keyValueStore } from './harness.ts'

const double = { mapper: (value: number, key: string) => `${key}${value * 2}` }

test('each row has another value, old ones too where they are asked for; a deleted one stays deleted', () => {
  const updates = (sendsOld: boolean): unknown[] => {
    const seen: unknown[] = []
    const run = tableMapValues<string, number, string>({ ...double, sendsOld }, context(), (_key, value, old) =>
      seen.push([value, old]),
    )
    run('a', 1, null, 1, headers)
    run('a', 2, 1, 2, headers)
    run('a', null, 2, 3, headers)
    return seen
  }
  expect(updates(true)).toEqual([
    ['a2', null],
    ['a4', 'a2'],
    [null, 'a4'],
  ])
  expect(updates(false)).toEqual([
    ['a2', null],
    ['a4', null],
    [null, null],
  ])
})

test('a join sees the mapped rows, with their timestamps', () => {
  const store = keyValueStore<string, number>()
  store.put('a', 21, 7)
  const view = mappedView<string, number, string>(double, context(), (key) => store.get(key))
  expect(view('a')).toEqual({ value: 'a42', timestamp: 7 })
  expect(view('b')).toBeUndefined()
})

test('a row mapped to null is none for a join', () => {
  const view = mappedView<string, number, null>({ mapper: () => null }, context(), () => ({ value: 1, timestamp: 7 }))
  expect(view('a')).toBeUndefined()
})
