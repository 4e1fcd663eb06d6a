import { expect, test } from 'vitest'
import type { Passes } from '../../src/common/passes.ts'
import { dedupe } from '../../src/operators/dedupe.ts'
import type { IdOf } from '../../src/operators/limited-by.ts'
import { collector, context, headers, windowStore } from './harness.ts'

interface Payment {
  readonly id: string | number | null
}

function run(by?: IdOf<string | null, Payment | null>['by']) {
  const ctx = context()
  const { seen, next } = collector()
  const store = windowStore<unknown, Passes>()
  const args = { store, periodMs: 10, graceMs: 10, by, identify: (key: string | null, id: string) => `${key}/${id}` }
  const process = dedupe(args, ctx, next)
  return {
    ctx,
    seen,
    send: (key: string | null, value: Payment | null, timestamp: number) => process(key, value, timestamp, headers),
  }
}

test('the first record of a key passes, and the next when a period has gone by', () => {
  const { send, seen, ctx } = run()
  send('a', { id: 1 }, 3)
  send('a', { id: 2 }, 12)
  send('b', { id: 3 }, 12)
  send('a', { id: 4 }, 13)
  expect(seen).toEqual([
    ['a', { id: 1 }, 3],
    ['b', { id: 3 }, 12],
    ['a', { id: 4 }, 13],
  ])
  expect([ctx.drops, ctx.forwarded.count]).toEqual([['duplicate'], 3])
})

test('a duplicate does not make the period longer', () => {
  const { send, seen } = run()
  for (const time of [0, 9, 10]) send('a', null, time)
  expect(seen.map(([, , time]) => time)).toEqual([0, 10])
})

test('with an id, records of one key are told apart by it, and one id under two keys is two', () => {
  const { send, seen } = run((payment) => payment.id)
  send('a', { id: 'x' }, 1)
  send('a', { id: 'y' }, 2)
  send('b', { id: 'x' }, 3)
  send('a', { id: 'x' }, 4)
  send('a', { id: 1 }, 5)
  send('a', { id: '1' }, 6)
  expect(seen.map(([, , time]) => time)).toEqual([1, 2, 3, 5])
})

test('what has no key, no value or no id cannot be told to be a duplicate', () => {
  const keyless = run()
  keyless.send(null, { id: 'x' }, 1)
  keyless.send(null, { id: 'x' }, 1)
  expect(keyless.seen).toHaveLength(2)
  const { send, seen } = run((payment) => payment.id)
  for (const _ of [1, 2]) {
    send('a', { id: null }, 1)
    send('a', null, 1)
    send(null, { id: 'x' }, 1)
  }
  expect(seen.map(([key, value]) => [key, value])).toEqual([
    ['a', { id: null }],
    ['a', null],
    [null, { id: 'x' }],
    ['a', { id: null }],
    ['a', null],
  ])
})

test('a record that is too late to be judged is passed on', () => {
  const { send, seen } = run()
  send('a', null, 5)
  send('b', null, 100)
  send('a', null, 5)
  expect(seen).toHaveLength(3)
})

test.each([
  ['undefined', undefined, 'undefined'],
  ['an object', {}, 'an object'],
])('an id that is %s is an error that names the operator', (_, id, said) => {
  const { send } = run(() => id as unknown as string)
  expect(() => send('a', { id: 'x' }, 1)).toThrow(
    expect.objectContaining({
      code: 'PROCESSING',
      message: expect.stringContaining(`the-node: \`by\` gave ${said}`),
    }),
  )
})

test('an id that throws names the operator', () => {
  const { send } = run(() => {
    throw new Error('no id')
  })
  expect(() => send('a', { id: 'x' }, 1)).toThrow(
    expect.objectContaining({ code: 'PROCESSING', message: 'the-node: no id' }),
  )
})
