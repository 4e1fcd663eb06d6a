import { expect, test } from 'vitest'
import type { Passes } from '../../src/common/passes.ts'
import { rateLimit } from '../../src/operators/rate-limit.ts'
import { collector, context, headers, windowStore } from './harness.ts'

const args = { limit: 2, periodMs: 10, graceMs: 10, identify: (key: unknown, id: string) => `${key}/${id}` }

function run(by?: (value: string, key: unknown) => string) {
  const ctx = context()
  const within = collector()
  const over = collector()
  const store = windowStore<unknown, Passes>()
  const process = rateLimit<unknown, string>({ ...args, store, by }, ctx, [within.next, over.next])
  const send = (key: unknown, value: string, timestamp: number) => process(key, value, timestamp, headers)
  return { ctx, within: within.seen, over: over.seen, send }
}

test('what is beyond the limit is over, and counts for nothing', () => {
  const { send, within, over, ctx } = run()
  for (const time of [1, 2, 3, 10, 11, 12]) send('a', 'v', time)
  send('b', 'v', 12)
  expect(within.map(([key, , time]) => [key, time])).toEqual([
    ['a', 1],
    ['a', 2],
    ['a', 11],
    ['a', 12],
    ['b', 12],
  ])
  expect(over.map(([, , time]) => time)).toEqual([3, 10])
  expect([ctx.drops, ctx.forwarded.count]).toEqual([[], 7])
})

test('each id within a key has the limit for itself', () => {
  const { send, within, over } = run((value) => value)
  for (const value of ['x', 'y', 'x', 'y', 'x']) send('a', value, 5)
  expect([within.length, over.length]).toEqual([4, 1])
})

test('a record without a key is within; one too late to be judged is over', () => {
  const { send, within, over } = run()
  for (const _ of [1, 2, 3]) send(null, 'v', 100)
  send('a', 'v', 100)
  send('a', 'v', 89)
  expect([within.length, over.length]).toEqual([4, 1])
})

test('a branch that nobody reads costs nothing: what is over is counted as dropped', () => {
  const ctx = context()
  const process = rateLimit<unknown, string>({ ...args, store: windowStore() }, ctx, [undefined, undefined])
  for (const time of [1, 2, 3]) process('a', 'v', time, headers)
  expect([ctx.drops, ctx.forwarded.count]).toEqual([['over-limit'], 0])
})
