/** The three parts of a foreign-key join, each with what it is told and what it says. */

import { describe, expect, test } from 'vitest'
import type { SubscriptionRow } from '../../src/common/subscription.ts'
import { foreignKeySubscribed, foreignKeyUpdated } from '../../src/operators/foreign-key-join.ts'
import { foreignKeyResult } from '../../src/operators/foreign-key-result.ts'
import { foreignKeySubscribe } from '../../src/operators/foreign-key-subscribe.ts'
import { subscriptions } from '../../src/state/subscriptions.ts'
import { collector, context, headers, keyValueStore } from './harness.ts'

interface Row {
  readonly to: string | null
  readonly n: number
}

describe('what a change of a left row tells the other side', () => {
  function told(left: boolean, changes: readonly (Row | null)[]) {
    const { seen, next } = collector()
    const ctx = context()
    const run = foreignKeySubscribe<string, Row, string>(
      {
        foreignKey: (row) => row.to,
        left,
        sameForeignKey: (a, b) => a === b,
        keyText: (key) => `<${key}>`,
        digest: (_key, row) => (row === null ? null : `#${row.n}`),
        partition: 3,
      },
      ctx,
      next,
    )
    let old: Row | null = null
    for (const [at, row] of changes.entries()) {
      run('k', row, old, at, headers)
      old = row
    }
    const said = seen.map(([foreignKey, message, at]) => {
      const { instruction, hash, key, partition } = message as Record<string, unknown>
      expect([key, partition]).toEqual(['<k>', 3])
      return `${at} ${foreignKey} ${instruction} ${hash}`
    })
    return { said, drops: ctx.drops }
  }
  const a1 = { to: 'a', n: 1 }
  const a2 = { to: 'a', n: 2 }
  const b3 = { to: 'b', n: 3 }
  const none4 = { to: null, n: 4 }

  test('inner', () => {
    const { said, drops } = told(false, [null, a1, a2, b3, none4, none4, null, a1, null, null])
    expect(said).toEqual([
      '1 a subscribe #1',
      '2 a subscribe #2',
      '3 a unsubscribe #3',
      '3 b resubscribe #3',
      '4 b unsubscribe-and-answer #4',
      '5 null subscribe #4',
      '6 null subscribe null',
      '7 a subscribe #1',
      '8 a unsubscribe-and-answer null',
    ])
    expect(drops).toEqual(['null-foreign-key', 'null-foreign-key'])
  })

  test('left: every change is answered', () => {
    const { said, drops } = told(true, [null, a1, a2, b3, none4, a1, null, null])
    expect(said).toEqual([
      '1 a resubscribe #1',
      '2 a resubscribe #2',
      '3 a unsubscribe #3',
      '3 b resubscribe #3',
      '4 b unsubscribe #4',
      '4 null resubscribe #4',
      '5 a resubscribe #1',
      '6 a unsubscribe null',
      '6 null resubscribe null',
    ])
    expect(drops).toEqual([])
  })
})

test('a subscription is answered as it asks, an update of the row answers all who refer to it', () => {
  const rows = keyValueStore<string, string>()
  const { seen, next } = collector()
  const ring = subscriptions(keyValueStore<string, SubscriptionRow>())
  const args = { subscriptions: ring, keyText: (key: string) => key }
  const ask = foreignKeySubscribed<string, string>({ ...args, view: (key) => rows.get(key) }, context(), next)
  const update = foreignKeyUpdated<string, string>(args, context(), next)
  const said = () =>
    seen.splice(0).map(([key, message, at]) => {
      const { value, quiet } = message as { readonly value: unknown; readonly quiet?: true }
      return [key, quiet ? 'quietly none' : value, at]
    })
  const message = (instruction: 'subscribe' | 'resubscribe' | 'unsubscribe' | 'unsubscribe-and-answer', key: string) =>
    ({ instruction, hash: `#${key}`, key, partition: 1 }) as const

  ask('a', message('subscribe', 'k1'), 5, headers)
  ask('a', message('resubscribe', 'k2'), 6, headers)
  ask(null, message('resubscribe', 'k3'), 7, headers)
  ask(null, message('subscribe', 'k5'), 8, headers)
  expect(said()).toEqual([
    ['k1', 'quietly none', 5],
    ['k2', null, 6],
    ['k3', null, 7],
    ['k5', 'quietly none', 8],
  ])
  rows.put('a', 'row', 9)
  update('a', 'row', null, 9, headers)
  expect(said()).toEqual([
    ['k1', 'row', 9],
    ['k2', 'row', 9],
  ])
  ask('a', message('subscribe', 'k4'), 20, headers)
  ask('a', message('resubscribe', 'k1'), 8, headers)
  ask('a', message('unsubscribe', 'k2'), 21, headers)
  ask('a', message('unsubscribe-and-answer', 'k4'), 2, headers)
  expect(said()).toEqual([
    ['k4', 'row', 20],
    ['k1', 'row', 9],
    ['k4', null, 9],
  ])
  update('a', null, 'row', 30, headers)
  update('nobody', 'x', null, 31, headers)
  expect(said()).toEqual([['k1', null, 30]])
})

describe('the result', () => {
  function results(left: boolean, sendsOld = true, kept = true) {
    const rows = keyValueStore<string, number>()
    const store = keyValueStore<string, string>()
    const seen: unknown[] = []
    const run = foreignKeyResult<string, number, string, string>(
      {
        view: (key) => rows.get(key),
        left,
        joiner: (n, other, key) => `${key}${n}${other}`,
        digest: (_key, n) => (n === null ? null : `#${n}`),
        store: kept ? store : undefined,
        sendsOld,
      },
      context(),
      (key, value, old, at) => seen.push([key, value, old, at]),
    )
    const answer = (hash: string | null, value: string | null, at: number) =>
      run('k', { hash, value, partition: -1 }, at, headers)
    const quietly = (hash: string | null, at: number) =>
      run('k', { hash, value: null, quiet: true, partition: -1 }, at, headers)
    return { rows, store, seen, answer, quietly }
  }

  test('an answer to another version of the row is stale', () => {
    const { rows, seen, answer } = results(false)
    rows.put('k', 2, 1)
    answer('#1', 'x', 5)
    answer(null, null, 6)
    answer('#2', 'x', 7)
    answer('#2', 'y', 8)
    expect(seen).toEqual([
      ['k', 'k2x', null, 7],
      ['k', 'k2y', 'k2x', 8],
    ])
  })

  test('a quiet answer takes back a result that is kept, and else says nothing', () => {
    const { rows, seen, answer, quietly } = results(false)
    rows.put('k', 2, 1)
    quietly('#2', 5)
    answer('#2', 'x', 7)
    quietly('#1', 8)
    quietly('#2', 9)
    quietly('#2', 10)
    expect(seen).toEqual([
      ['k', 'k2x', null, 7],
      ['k', null, 'k2x', 9],
    ])
  })

  test('where none is kept a quiet answer is passed on', () => {
    const { rows, store, seen, answer, quietly } = results(false, false, false)
    rows.put('k', 2, 1)
    quietly('#1', 5)
    quietly('#2', 6)
    answer('#2', 'x', 7)
    quietly('#2', 8)
    expect(seen).toEqual([
      ['k', null, null, 6],
      ['k', 'k2x', null, 7],
      ['k', null, null, 8],
    ])
    expect(store.get('k')).toBeUndefined()
  })

  test('old values are not looked up for nobody', () => {
    const { rows, store, seen, answer } = results(false, false)
    rows.put('k', 2, 1)
    answer('#2', 'x', 7)
    answer('#2', 'y', 8)
    expect(seen).toEqual([
      ['k', 'k2x', null, 7],
      ['k', 'k2y', null, 8],
    ])
    expect(store.get('k')?.value).toBe('k2y')
  })

  test.each([
    [false, null],
    [true, 'k2null'],
  ])('without a row there (left: %s) and without a row here', (left, alone) => {
    const { rows, store, seen, answer } = results(left)
    rows.put('k', 2, 1)
    answer('#2', null, 5)
    rows.put('k', null, 6)
    answer(null, null, 7)
    expect(seen).toEqual([
      ['k', alone, null, 5],
      ['k', null, alone, 7],
    ])
    expect(store.rows.size).toBe(0)
  })
})
