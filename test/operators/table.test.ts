import { expect, test } from 'vitest'
import { table } from '../../src/operators/table.ts'
import { collector, context, headers, keyValueStore } from './harness.ts'

test('keeps the last value by arrival, deletes on null and passes that on, drops null keys', () => {
  const ctx = context()
  const store = keyValueStore<string, number>()
  const { seen, update } = collector()
  const run = table<string, number>({ store, sendsOld: false }, ctx, update)
  run('a', 1, 10, headers)
  run('a', 2, 5, headers)
  run('b', 3, 11, headers)
  run('b', null, 12, headers)
  run('never', null, 13, headers)
  run(null, 4, 14, headers)
  expect(seen).toEqual([
    ['a', 1, 10],
    ['a', 2, 5],
    ['b', 3, 11],
    ['b', null, 12],
    ['never', null, 13],
  ])
  expect([...store.rows]).toEqual([['a', { value: 2, timestamp: 5 }]])
  expect(ctx.drops).toEqual(['null-key'])
  expect(ctx.forwarded.count).toBe(5)
})

test('gives the old value beside the new one where somebody asks for it, and looks nothing up otherwise', () => {
  const olds = (sendsOld: boolean): unknown[] => {
    const seen: unknown[] = []
    const store = keyValueStore<string, number>()
    let looked = 0
    const counting = {
      ...store,
      get: (key: string) => {
        looked++
        return store.get(key)
      },
    }
    const run = table<string, number>({ store: counting, sendsOld }, context(), (_key, value, old) =>
      seen.push([value, old]),
    )
    run('a', 1, 1, headers)
    run('a', 2, 2, headers)
    run('a', null, 3, headers)
    return [seen, looked]
  }
  expect(olds(true)).toEqual([
    [
      [1, null],
      [2, 1],
      [null, 2],
    ],
    3,
  ])
  expect(olds(false)[1]).toBe(0)
})
