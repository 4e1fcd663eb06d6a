import { expect, test } from 'vitest'
import { filteredView, tableFilter } from '../../src/operators/table-filter.ts'
import { collector, context, headers, keyValueStore } from './harness.ts'

const large = { predicate: (value: number) => value > 10, negate: false }

test('a row that no longer passes is deleted downstream; nothing is said of one that passes neither before nor after', () => {
  const seen: unknown[] = []
  const run = tableFilter<string, number>(large, context(), (...update) => seen.push(update.slice(0, 4)))
  run('a', 5, null, 1, headers)
  run('a', 20, 5, 2, headers)
  run('a', 30, 20, 3, headers)
  run('a', 6, 30, 4, headers)
  run('a', null, 6, 5, headers)
  expect(seen).toEqual([
    ['a', 20, null, 2],
    ['a', 30, 20, 3],
    ['a', null, 30, 4],
  ])
})

test('of a versioned table every version is passed on, as a deletion when it does not pass', () => {
  const seen: unknown[] = []
  const versioned = { ...large, isVersioned: true }
  const run = tableFilter<string, number>(versioned, context(), (...update) => seen.push(update.slice(0, 4)))
  run('a', 5, null, 1, headers)
  run('a', 20, 5, 2, headers)
  expect(seen).toEqual([
    ['a', null, null, 1],
    ['a', 20, null, 2],
  ])
})

test('a join sees the rows that pass; negated, the others', () => {
  const store = keyValueStore<string, number>()
  store.put('a', 20, 1)
  store.put('b', 5, 1)
  const rows = (negate: boolean) => {
    const view = filteredView<string, number>({ ...large, negate }, context(), (key) => store.get(key))
    return ['a', 'b', 'c'].map((key) => view(key)?.value)
  }
  expect(rows(false)).toEqual([20, undefined, undefined])
  expect(rows(true)).toEqual([undefined, 5, undefined])
})

test('a predicate that throws names the processor', () => {
  const failing = {
    predicate: () => {
      throw new Error('boom')
    },
    negate: false,
  }
  expect(() => tableFilter(failing, context('picky'), collector().update)('a', 1, null, 1, headers)).toThrow(
    expect.objectContaining({ code: 'PROCESSING', where: { node: 'picky' } }),
  )
})
