import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type TimeWindows, Windows } from '../../src/common/windows.ts'
import { windowAggregate } from '../../src/operators/window-aggregate.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import { OverlayWindowStore } from '../../src/state/window.ts'
import { json, text } from '../state/codecs.ts'
import { commit as commitStore } from '../state/commit.ts'
import { collector, context, headers, windowStore } from './harness.ts'

const count = { initializer: () => 0, aggregator: (sum: number) => sum + 1 }
const at = (key: string, start: number, end: number): object => ({ key, start, end })

describe('tumbling', () => {
  const windows = Windows.tumbling(10, { grace: 5 })

  test('counts per window, and takes late records until stream time reaches end + grace', () => {
    const ctx = context()
    const { seen, update } = collector()
    const run = windowAggregate<string, number, number>({ store: windowStore(), windows, ...count }, ctx, update)
    run('a', 1, 3, headers)
    run('a', 1, 9, headers)
    run('a', 1, 14, headers)
    run('a', 1, 4, headers)
    run('b', 1, 15, headers)
    run('a', 1, 9, headers)
    expect(seen).toEqual([
      [at('a', 0, 10), 1, 3],
      [at('a', 0, 10), 2, 9],
      [at('a', 10, 20), 1, 14],
      [at('a', 0, 10), 3, 9],
      [at('b', 10, 20), 1, 15],
    ])
    expect(ctx.drops).toEqual(['late'])
    expect(ctx.forwarded.count).toBe(5)
  })

  test('a null key is dropped and moves no time; a null value reaches the aggregator', () => {
    const ctx = context()
    const store = windowStore<string, number>()
    const { seen, update } = collector()
    const run = windowAggregate<string, number | null, number>({ store, windows, ...count }, ctx, update)
    run(null, 1, 1000, headers)
    expect(store.streamTime).toBe(-1)
    run('a', null, 3, headers)
    expect(seen).toEqual([[at('a', 0, 10), 1, 3]])
    expect(ctx.drops).toEqual(['null-key'])
  })

  test('reduce begins with the first value; a null result deletes the row and is passed on', () => {
    const store = windowStore<string, number>()
    const { seen, update } = collector()
    const run = windowAggregate<string, number, number>(
      { store, windows, aggregator: (a, b) => (a + b === 0 ? null : a + b) },
      context(),
      update,
    )
    run('a', 2, 1, headers)
    run('a', -2, 0, headers)
    expect(store.rows.size).toBe(0)
    run('a', 7, 0, headers)
    expect(seen).toEqual([
      [at('a', 0, 10), 2, 1],
      [at('a', 0, 10), null, 1],
      [at('a', 0, 10), 7, 0],
    ])
  })
})

test('a hopping record updates its open windows in order and is late for each closed one', () => {
  const windows = Windows.hopping(10, { advance: 3, grace: 0 })
  const ctx = context()
  const { seen, update } = collector()
  const run = windowAggregate<string, number, number>({ store: windowStore(), windows, ...count }, ctx, update)
  run('a', 1, 16, headers)
  run('a', 1, 11, headers)
  expect(seen).toEqual([
    [at('a', 9, 19), 1, 16],
    [at('a', 12, 22), 1, 16],
    [at('a', 15, 25), 1, 16],
    // 3..13 and 6..16 have ended.
    [at('a', 9, 19), 2, 16],
  ])
  expect(ctx.drops).toEqual(['late', 'late'])
})

test('stream time is moved by a record that is itself late for some windows', () => {
  const windows = Windows.hopping(10, { advance: 5, grace: 0 })
  const store = windowStore<string, number>()
  const run = windowAggregate<string, number, number>({ store, windows, ...count }, context(), () => undefined)
  run('a', 1, 7, headers)
  expect(store.streamTime).toBe(7)
  run('a', 1, 3, headers)
  expect(store.streamTime).toBe(7)
})

/** Every window by trying every start there could be, straight from the rule. */
function naive(
  windows: TimeWindows,
  records: readonly { key: string; value: number; time: number }[],
): { seen: unknown[]; late: number } {
  const seen: unknown[] = []
  let late = 0
  let streamTime = -1
  const rows = new Map<string, { sum: number; time: number }>()
  for (const { key, value, time } of records) {
    streamTime = Math.max(streamTime, time)
    for (let start = 0; start <= time; start++) {
      const end = start + windows.sizeMs
      if (start % windows.advanceMs !== 0 || time >= end) continue
      if (streamTime >= end + windows.graceMs) {
        late++
        continue
      }
      const name = `${key}@${start}`
      const row = rows.get(name) ?? { sum: 0, time }
      const after = { sum: row.sum + value, time: Math.max(row.time, time) }
      rows.set(name, after)
      seen.push([{ key, start, end }, after.sum, after.time])
    }
  }
  return { seen, late }
}

test('on a real store that commits, expires and caches little, results are those of the naive model', async () => {
  const shape = fc
    .record({
      size: fc.integer({ min: 1, max: 12 }),
      advance: fc.integer({ min: 1, max: 12 }),
      grace: fc.integer({ min: 0, max: 15 }),
    })
    .map(({ size, advance, grace }) => Windows.hopping(size, { advance: Math.min(size, advance), grace }))
  // Time goes up by steps, and each record is behind it by up to 30.
  const record = fc.record({
    key: fc.constantFrom('a', 'b'),
    value: fc.integer({ min: 1, max: 3 }),
    step: fc.integer({ min: 0, max: 6 }),
    behind: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 })),
    commit: fc.constantFrom('no', 'no', 'commit', 'commit and expire'),
  })
  let allLate = 0
  await fc.assert(
    fc.asyncProperty(
      shape,
      fc.array(record, { maxLength: 60, size: 'max' }),
      fc.constantFrom(0, 2, 1000),
      async (windows, steps, cacheRows) => {
        const bytes = new MemoryByteStore()
        const store = new OverlayWindowStore<string, number>({
          name: 'w',
          key: text,
          value: json<number>(),
          windows,
          bytes,
          cacheRows,
        })
        const ctx = context()
        const { seen, update } = collector()
        const run = windowAggregate<string, number, number>(
          { store, windows, initializer: () => 0, aggregator: (sum, value) => sum + value },
          ctx,
          update,
        )
        const records: { key: string; value: number; time: number }[] = []
        let now = 0
        for (const { key, value, step, behind, commit } of steps) {
          now += step
          const time = Math.max(0, now - behind)
          records.push({ key, value, time })
          run(key, value, time, headers)
          if (commit === 'no') continue
          await commitStore(store, bytes)
          if (commit === 'commit and expire') await store.expire()
        }
        const expected = naive(windows, records)
        allLate += expected.late
        expect(seen).toEqual(expected.seen)
        expect(ctx.drops).toEqual(Array.from({ length: expected.late }, () => 'late'))
        expect(ctx.forwarded.count).toBe(expected.seen.length)
      },
    ),
    { numRuns: 400 },
  )
  // The records must have put the rule to the test.
  expect(allLate).toBeGreaterThan(100)
})
