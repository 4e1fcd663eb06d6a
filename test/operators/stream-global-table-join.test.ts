import { expect, test } from 'vitest'
import { streamGlobalTableJoin } from '../../src/operators/stream-global-table-join.ts'
import { collector, context, headers } from './harness.ts'

function joined(left: boolean) {
  const rows = new Map([['A', { value: 7, timestamp: 1000 }]])
  const ctx = context()
  const { seen, next } = collector()
  const asked: unknown[] = []
  const run = streamGlobalTableJoin<string | null, string, string, number, string>(
    {
      view: (key) => rows.get(key),
      left,
      selector: (value) => {
        asked.push(value)
        return value === 'none' ? null : value
      },
      joiner: (value, other, key) => `${value}+${other}@${key}`,
    },
    ctx,
    next,
  )
  run('k', 'A', 10, headers)
  run(null, 'A', 11, headers)
  run('k', 'B', 12, headers)
  run('k', 'none', 13, headers)
  run('k', null, 14, headers)
  return { seen, drops: ctx.drops, forwarded: ctx.forwarded.count, asked }
}

test("inner: what has a row, under the stream's key and time; without a key to look up or a row it is dropped", () => {
  expect(joined(false)).toEqual({
    seen: [
      ['k', 'A+7@k', 10],
      [null, 'A+7@null', 11],
    ],
    drops: ['no-match', 'null-key', 'null-value'],
    forwarded: 2,
    asked: ['A', 'A', 'B', 'none'],
  })
})

test('left: all but null values pass on', () => {
  expect(joined(true)).toMatchObject({
    seen: [
      ['k', 'A+7@k', 10],
      [null, 'A+7@null', 11],
      ['k', 'B+null@k', 12],
      ['k', 'none+null@k', 13],
    ],
    drops: ['null-value'],
    forwarded: 4,
  })
})

test('a selector that throws names the join', () => {
  const failing = () => {
    throw new Error('boom')
  }
  const args = { view: () => undefined, left: true, selector: failing, joiner: () => 0 }
  const run = streamGlobalTableJoin(args, context(), collector().next)
  expect(() => run('k', 'v', 1, headers)).toThrow('the-node: boom')
})
