import { describe, expect, test } from 'vitest'
import type { Update } from '../../src/operators/processor.ts'
import { joinedView, joinLeft, joinRight } from '../../src/operators/table-table-join.ts'
import { context, headers, keyValueStore } from './harness.ts'

const kinds = {
  inner: { left: false, right: false },
  left: { left: true, right: false },
  outer: { left: true, right: true },
}

function joined(kind: keyof typeof kinds, sendsOld = true) {
  const lefts = keyValueStore<string, string>()
  const rights = keyValueStore<string, string>()
  const seen: unknown[] = []
  const ctx = context()
  const args = {
    ...kinds[kind],
    sendsOld,
    joiner: (left: string | null, right: string | null, key: string) => `${key}:${left}+${right}`,
  }
  const next: Update = (key, value, old, timestamp, given) => {
    if (given !== headers) throw new Error('the headers are not those of the record')
    seen.push([key, value, old, timestamp])
  }
  const left = joinLeft<string, string, string, string>({ ...args, view: (key) => rights.get(key) }, ctx, next)
  const right = joinRight<string, string, string, string>({ ...args, view: (key) => lefts.get(key) }, ctx, next)
  const put = (store: typeof lefts, update: Update) => (key: string, value: string | null, timestamp: number) => {
    const old = store.get(key)?.value ?? null
    store.put(key, value, timestamp)
    update(key, value, old, timestamp, headers)
  }
  const view = joinedView<string, string, string, string>(
    { ...args, leftView: (key) => lefts.get(key), rightView: (key) => rights.get(key) },
    ctx,
  )
  return { seen, ctx, view, left: put(lefts, left), right: put(rights, right), raw: { left, right } }
}

describe('updates', () => {
  test('inner: only where both are there; the later timestamp; the old result with the other row of now', () => {
    const { seen, left, right } = joined('inner')
    left('a', 'l1', 5)
    right('a', 'r1', 3)
    right('a', 'r2', 9)
    left('a', 'l2', 6)
    left('a', null, 7)
    right('a', 'r3', 10)
    expect(seen).toEqual([
      ['a', 'a:l1+r1', null, 5],
      ['a', 'a:l1+r2', 'a:l1+r1', 9],
      ['a', 'a:l2+r2', 'a:l1+r2', 9],
      ['a', null, 'a:l2+r2', 9],
    ])
  })

  test('left: a left row stands alone, a right one does not', () => {
    const { seen, left, right } = joined('left')
    right('a', 'r1', 1)
    right('a', null, 2)
    left('a', null, 3)
    left('a', 'l1', 4)
    right('a', 'r2', 5)
    right('a', null, 6)
    left('a', null, 7)
    expect(seen).toEqual([
      ['a', 'a:l1+null', null, 4],
      ['a', 'a:l1+r2', 'a:l1+null', 5],
      ['a', 'a:l1+null', 'a:l1+r2', 6],
      ['a', null, 'a:l1+null', 7],
    ])
  })

  test('outer: either stands alone; the last one to go deletes the result', () => {
    const { seen, left, right } = joined('outer')
    right('a', 'r1', 1)
    left('a', 'l1', 2)
    right('a', null, 3)
    left('a', null, 4)
    left('a', null, 5)
    right('a', null, 6)
    expect(seen).toEqual([
      ['a', 'a:null+r1', null, 1],
      ['a', 'a:l1+r1', 'a:null+r1', 2],
      ['a', 'a:l1+null', 'a:l1+r1', 3],
      ['a', null, 'a:l1+null', 4],
    ])
  })

  test('old results are made only where somebody asks for them', () => {
    const { seen, left, right } = joined('outer', false)
    left('a', 'l1', 1)
    right('a', 'r1', 2)
    right('a', null, 3)
    expect(seen).toEqual([
      ['a', 'a:l1+null', null, 1],
      ['a', 'a:l1+r1', null, 2],
      ['a', 'a:l1+null', null, 3],
    ])
  })

  test('an update without a key is dropped and counted', () => {
    const { seen, ctx, raw } = joined('outer')
    raw.left(null as never, 'l', null, 1, headers)
    raw.right(null as never, 'r', null, 1, headers)
    expect([seen, ctx.drops]).toEqual([[], ['null-key', 'null-key']])
  })
})

test.each([
  ['inner', [undefined, undefined, { value: 'c:l+r', timestamp: 4 }, undefined]],
  ['left', [{ value: 'a:l+null', timestamp: 1 }, undefined, { value: 'c:l+r', timestamp: 4 }, undefined]],
  [
    'outer',
    [
      { value: 'a:l+null', timestamp: 1 },
      { value: 'b:null+r', timestamp: 2 },
      { value: 'c:l+r', timestamp: 4 },
      undefined,
    ],
  ],
] as const)('a join of the result sees the rows of now: %s', (kind, rows) => {
  const { view, left, right } = joined(kind)
  left('a', 'l', 1)
  right('b', 'r', 2)
  left('c', 'l', 4)
  right('c', 'r', 3)
  expect(['a', 'b', 'c', 'd'].map(view)).toEqual(rows)
})

test('a joiner that throws names the processor', () => {
  const failing = {
    ...kinds.outer,
    sendsOld: false,
    view: () => undefined,
    joiner: () => {
      throw new Error('boom')
    },
  }
  expect(() => joinRight(failing, context('both'), () => undefined)('a', 1, null, 1, headers)).toThrow(
    expect.objectContaining({ code: 'PROCESSING', where: { node: 'both' } }),
  )
})
