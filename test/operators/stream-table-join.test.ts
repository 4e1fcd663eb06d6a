import { expect, test } from 'vitest'
import { streamTableJoin } from '../../src/operators/stream-table-join.ts'
import { collector, context, headers, keyValueStore } from './harness.ts'

function joined(left: boolean): { seen: unknown[]; drops: readonly string[]; forwarded: number } {
  const store = keyValueStore<string, number>()
  store.put('a', 7, 1000)
  const ctx = context()
  const { seen, next } = collector()
  const run = streamTableJoin<string | null, string, number, string>(
    {
      view: (key) => (key === null ? undefined : store.get(key)),
      left,
      joiner: (value, other, key) => `${value}+${other}@${key}`,
    },
    ctx,
    next,
  )
  run('a', 'x', 10, headers)
  run('b', 'x', 11, headers)
  run(null, 'x', 12, headers)
  run('a', null, 13, headers)
  run(null, null, 14, headers)
  store.put('a', null, 2000)
  run('a', 'y', 15, headers)
  return { seen, drops: ctx.drops, forwarded: ctx.forwarded.count }
}

test("inner: what has a row, with the stream's time; the rest is dropped by reason", () => {
  expect(joined(false)).toEqual({
    seen: [['a', 'x+7@a', 10]],
    drops: ['no-match', 'null-key', 'null-value', 'null-key', 'no-match'],
    forwarded: 1,
  })
})

test('left: a null key or no row gives a null table value; only a null value is dropped', () => {
  expect(joined(true)).toEqual({
    seen: [
      ['a', 'x+7@a', 10],
      ['b', 'x+null@b', 11],
      [null, 'x+null@null', 12],
      ['a', 'y+null@a', 15],
    ],
    drops: ['null-value', 'null-value'],
    forwarded: 4,
  })
})

test("the table is asked as of the record's time", () => {
  const asked: unknown[] = []
  const { next } = collector()
  const view = (key: string, asOf?: number) => {
    asked.push([key, asOf])
    return undefined
  }
  streamTableJoin({ view, left: true, joiner: () => 0 }, context(), next)('a', 1, 17, headers)
  expect(asked).toEqual([['a', 17]])
})
