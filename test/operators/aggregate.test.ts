import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aggregate } from '../../src/operators/aggregate.ts'
import { OverlayKeyValueStore } from '../../src/state/key-value.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import { json, text } from '../state/codecs.ts'
import { commit } from '../state/commit.ts'
import { collector, context, headers, keyValueStore } from './harness.ts'

const count = { initializer: () => 0, aggregator: (sum: number) => sum + 1 }

test('counts, with the greatest timestamp so far; null keys and values are dropped by reason', () => {
  const ctx = context()
  const { seen, update } = collector()
  const run = aggregate<string, string, number>({ store: keyValueStore(), ...count }, ctx, update)
  run('a', 'x', 10, headers)
  run('a', 'y', 5, headers)
  run('a', 'z', 11, headers)
  run(null, 'x', 12, headers)
  run('a', null, 13, headers)
  run('b', 'x', 3, headers)
  expect(seen).toEqual([
    ['a', 1, 10],
    ['a', 2, 10],
    ['a', 3, 11],
    ['b', 1, 3],
  ])
  expect(ctx.drops).toEqual(['null-key', 'null-value'])
  expect(ctx.forwarded.count).toBe(4)
})

test('reduce begins with the first value, without asking the reducer', () => {
  const asked: unknown[] = []
  const { seen, update } = collector()
  const run = aggregate<string, number, number>(
    {
      store: keyValueStore(),
      aggregator: (a, b, key) => {
        asked.push([a, b, key])
        return a + b
      },
    },
    context(),
    update,
  )
  run('a', 1, 1, headers)
  run('a', 2, 2, headers)
  expect(asked).toEqual([[1, 2, 'a']])
  expect(seen.map(([, value]) => value)).toEqual([1, 3])
})

test('a null result deletes the row and is passed on; the next value begins anew, with its own time', () => {
  const store = keyValueStore<string, number>()
  const { seen, update } = collector()
  const run = aggregate<string, number, number>(
    { store, initializer: () => 0, aggregator: (sum, value) => (sum + value > 10 ? null : sum + value) },
    context(),
    update,
  )
  run('a', 6, 20, headers)
  run('a', 6, 10, headers)
  expect(store.rows.size).toBe(0)
  run('a', 1, 5, headers)
  expect(seen).toEqual([
    ['a', 6, 20],
    ['a', null, 20],
    ['a', 1, 5],
  ])
})

test('an undefined aggregate, and a function that throws, name the processor', () => {
  const undefinedOne = aggregate<string, number, number>(
    { store: keyValueStore(), initializer: () => 0, aggregator: () => undefined as unknown as number },
    context('sum'),
    () => undefined,
  )
  expect(() => {
    undefinedOne('a', 1, 1, headers)
  }).toThrow(/sum: the aggregator returned undefined/)
  const failing = aggregate<string, number, number>(
    {
      store: keyValueStore(),
      initializer: () => {
        throw new Error('no start')
      },
      aggregator: () => 1,
    },
    context('sum'),
    () => undefined,
  )
  expect(() => {
    failing('a', 1, 1, headers)
  }).toThrow(expect.objectContaining({ code: 'PROCESSING', message: 'sum: no start' }))
})

test('on a real store, whatever the commits in between, sums are those of a plain loop', async () => {
  const record = fc.record({
    key: fc.constantFrom('a', 'b', 'c'),
    value: fc.integer({ min: -3, max: 3 }),
    time: fc.nat(50),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(record), { maxLength: 60, size: 'max' }),
      fc.constantFrom(0, 1, 100),
      async (steps, cacheRows) => {
        const bytes = new MemoryByteStore()
        const store = new OverlayKeyValueStore<string, number>({
          name: 's',
          key: text,
          value: json<number>(),
          bytes,
          cacheRows,
        })
        const { seen, update } = collector()
        // A sum of 2 deletes the row.
        const run = aggregate<string, number, number>(
          { store, initializer: () => 0, aggregator: (sum, value) => (sum + value === 2 ? null : sum + value) },
          context(),
          update,
        )
        const expected: unknown[] = []
        const model = new Map<string, { sum: number; time: number }>()
        for (const step of steps) {
          if (step === null) {
            await commit(store, bytes)
            continue
          }
          run(step.key, step.value, step.time, headers)
          const before = model.get(step.key)
          const sum = (before?.sum ?? 0) + step.value
          const time = Math.max(before?.time ?? -1, step.time)
          if (sum === 2) model.delete(step.key)
          else model.set(step.key, { sum, time })
          expected.push([step.key, sum === 2 ? null : sum, time])
        }
        expect(seen).toEqual(expected)
      },
    ),
    { numRuns: 200 },
  )
})
