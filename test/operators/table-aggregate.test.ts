import { expect, test } from 'vitest'
import type { Change } from '../../src/common/change.ts'
import { tableAggregate } from '../../src/operators/table-aggregate.ts'
import { collector, context, headers, keyValueStore } from './harness.ts'

function folded(initial?: string) {
  const store = keyValueStore<string, string>()
  const { seen, update } = collector()
  const ctx = context()
  const run = tableAggregate<string, string, string>(
    {
      store,
      ...(initial === undefined ? {} : { initializer: () => initial }),
      aggregator: (all, value) => (value === 'none' ? null : `${all}+${value}`),
      subtractor: (all, value) => (value === 'last' ? null : `${all}-${value}`),
    },
    ctx,
    update,
  )
  return { store, seen, ctx, run: (change: Change<string>, at: number) => run('k', change, at, headers), raw: run }
}

test('the old value is subtracted, then the new one added; the greatest timestamp is carried', () => {
  const { seen, run } = folded('<')
  run({ value: 'a', old: null }, 30)
  run({ value: 'b', old: 'a' }, 20)
  run({ value: null, old: 'b' }, 40)
  expect(seen).toEqual([
    ['k', '<+a', 30],
    ['k', '<+a-a+b', 30],
    ['k', '<+a-a+b-b', 40],
  ])
})

test('nothing is subtracted where there is no aggregate; a null result deletes the row', () => {
  const { seen, run, store } = folded('<')
  run({ value: null, old: 'x' }, 1)
  run({ value: 'a', old: 'x' }, 2)
  run({ value: null, old: 'last' }, 3)
  expect(store.rows.size).toBe(0)
  run({ value: 'b', old: null }, 4)
  run({ value: 'none', old: null }, 5)
  expect(store.rows.size).toBe(0)
  expect(seen).toEqual([
    ['k', null, 1],
    ['k', '<+a', 2],
    ['k', null, 3],
    ['k', '<+b', 4],
    ['k', null, 5],
  ])
})

test('without an initializer the first value is the aggregate', () => {
  const { seen, run } = folded()
  run({ value: 'a', old: null }, 1)
  run({ value: 'b', old: 'last' }, 2)
  expect(seen).toEqual([
    ['k', 'a', 1],
    ['k', 'b', 2],
  ])
})

test('a null key is dropped and counted, and undefined is no aggregate', () => {
  const { raw, ctx, seen } = folded('<')
  raw(null, { value: 'a', old: null }, 1, headers)
  expect([seen, ctx.drops]).toEqual([[], ['null-key']])
  const store = keyValueStore<string, string>()
  store.put('k', 'a', 1)
  const wrong = tableAggregate<string, string, string>(
    { store, aggregator: () => 'a', subtractor: () => undefined as never },
    context('the sum'),
    collector().update,
  )
  expect(() => wrong('k', { value: null, old: 'a' }, 1, headers)).toThrow('the sum: the subtractor returned undefined')
})
