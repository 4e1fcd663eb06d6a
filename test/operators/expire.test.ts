import { expect, test } from 'vitest'
import { noHeaders } from '../../src/common/record.ts'
import { aggregate } from '../../src/operators/aggregate.ts'
import { expireRows, expireStores } from '../../src/operators/expire.ts'
import type { Process, Update } from '../../src/operators/processor.ts'
import { table } from '../../src/operators/table.ts'
import { OverlayExpiringStore } from '../../src/state/expiring.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import { json, text } from '../state/codecs.ts'
import { context, headers, type TestContext } from './harness.ts'

function store(ttlMs = 10): OverlayExpiringStore<string, number> {
  return new OverlayExpiringStore({ name: 's', key: text, value: json<number>(), bytes: new MemoryByteStore(), ttlMs })
}

/** An operator whose rows end, and what it passes on. */
function ending(
  keepsLatest: boolean,
  make: (rows: OverlayExpiringStore<string, number>, ctx: TestContext, update: Update<string, number>) => Process,
) {
  const ctx = context()
  const rows = store()
  const seen: unknown[] = []
  const update: Update<string, number> = (key, value, old, timestamp, given) => {
    seen.push([key, value, old, timestamp, given === headers ? 'its headers' : given])
  }
  const run = expireRows({ store: rows, keepsLatest }, ctx, update, make(rows, ctx, update))
  return { ctx, seen, run }
}

test('rows of a table end before the record that ends them does anything, without headers, with the time of their end', () => {
  const { ctx, seen, run } = ending(false, (rows, ctx, update) => table({ store: rows, sendsOld: true }, ctx, update))
  run('b', 1, 3, headers)
  run('a', 2, 3, headers)
  run('b', 3, 5, headers)
  run('a', 4, 15, headers)
  expect(seen.splice(0)).toEqual([
    ['b', 1, null, 3, 'its headers'],
    ['a', 2, null, 3, 'its headers'],
    ['b', 3, 1, 5, 'its headers'],
    ['a', null, 2, 13, noHeaders],
    ['b', null, 3, 15, noHeaders],
    ['a', 4, null, 15, 'its headers'],
  ])
  expect(ctx.forwarded.count).toBe(6)
})

test('what comes when its row would have ended is dropped as late, a tombstone too; a null key moves nothing', () => {
  const { ctx, seen, run } = ending(false, (rows, ctx, update) => table({ store: rows, sendsOld: false }, ctx, update))
  run(null, 1, 1000, headers)
  run('a', 1, 20, headers)
  run('a', 2, 10, headers)
  run('a', null, 10, headers)
  run('a', 3, 11, headers)
  expect(seen).toEqual([
    ['a', 1, null, 20, 'its headers'],
    ['a', 3, null, 11, 'its headers'],
  ])
  expect(ctx.drops).toEqual(['null-key', 'late', 'late'])
})

test('an aggregate that is there takes late records, and ends by the latest of its records', () => {
  const { ctx, seen, run } = ending(true, (rows, ctx, update) =>
    aggregate({ store: rows, aggregator: (sum: number, n: number) => sum + n }, ctx, update),
  )
  run('a', 1, 20, headers)
  run('a', 2, 3, headers)
  run('b', 5, 3, headers)
  run('b', 7, 29, headers)
  run('b', 7, 30, headers)
  expect(seen.map((row) => (row as unknown[]).slice(0, 4))).toEqual([
    ['a', 1, null, 20],
    ['a', 3, 1, 20],
    ['b', 7, null, 29],
    ['a', null, 3, 30],
    ['b', 14, 7, 30],
  ])
  expect(ctx.drops).toEqual(['late'])
})

test('stores of a processor move on together, and never back', () => {
  const [one, other] = [store(), store(3)]
  expireStores([one, other], 5)
  one.put('a', 1, 5)
  other.put('a', 1, 5)
  expireStores([one, other], 8)
  expect([one.get('a')?.value, other.get('a')]).toEqual([1, undefined])
  expireStores([one, other], 4)
  expect([one.streamTime, other.streamTime]).toEqual([8, 8])
})
