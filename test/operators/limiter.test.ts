import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Passes } from '../../src/common/passes.ts'
import { limiter } from '../../src/operators/limiter.ts'
import { passes } from '../../src/serde/passes.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import { OverlayWindowStore } from '../../src/state/window.ts'
import { text } from '../state/codecs.ts'
import { commit } from '../state/commit.ts'
import { windowStore } from './harness.ts'

const args = { periodMs: 10, graceMs: 10 }

test('lets so many pass in any period, and again when the first of them is a period ago', () => {
  const verdict = limiter({ ...args, limit: 2, store: windowStore<string, Passes>() })
  expect([3, 8, 12, 13, 17, 18, 22].map((time) => verdict('a', time))).toEqual([
    'passes',
    'passes',
    'exceeds',
    'passes',
    'exceeds',
    'passes',
    'exceeds',
  ])
  expect(verdict('b', 13)).toBe('passes')
})

test('a record that comes late is held against those after it', () => {
  const verdict = limiter({ ...args, limit: 1, store: windowStore<string, Passes>() })
  expect([20, 10, 11, 30, 29].map((time) => verdict('a', time))).toEqual([
    'passes',
    'passes',
    'exceeds',
    'passes',
    'exceeds',
  ])
})

test('what is further behind stream time than the grace is late, whatever its key', () => {
  const verdict = limiter({ ...args, graceMs: 3, limit: 1, store: windowStore<string, Passes>() })
  expect([verdict('a', 100), verdict('b', 97), verdict('b', 96), verdict('c', 96)]).toEqual([
    'passes',
    'passes',
    'late',
    'late',
  ])
})

describe('on random input', () => {
  const input = fc.record({
    limit: fc.integer({ min: 1, max: 4 }),
    periodMs: fc.constantFrom(1, 5, 10),
    graceMs: fc.constantFrom(0, 5, 30),
    records: fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b'),
        step: fc.integer({ min: 0, max: 6 }),
        late: fc.oneof(
          { weight: 3, arbitrary: fc.constant(0) },
          { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 }) },
        ),
      }),
      { maxLength: 60 },
    ),
    /** After which records a commit comes. */
    commits: fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
    restarts: fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
  })

  /** Of all that ever passed: whether any span of a period would have more than the limit. */
  function verdictOf(passed: readonly number[], time: number, streamTime: number, limits: Limits): string {
    const { limit, periodMs, graceMs } = limits
    if (time < streamTime - graceMs) return 'late'
    const all = [...passed, time]
    const tooMany = all.some((from) => all.filter((one) => one >= from && one < from + periodMs).length > limit)
    return tooMany ? 'exceeds' : 'passes'
  }
  interface Limits {
    readonly limit: number
    readonly periodMs: number
    readonly graceMs: number
  }

  test('says what a look at all passes says, with commits and restarts in between, and forgets what is over', async () => {
    await fc.assert(
      fc.asyncProperty(input, async ({ records, commits, restarts, ...limits }) => {
        const bytes = new MemoryByteStore()
        const { periodMs, graceMs } = limits
        const windows = { kind: 'time', sizeMs: periodMs, advanceMs: periodMs, graceMs: periodMs + graceMs } as const
        const open = () => new OverlayWindowStore({ name: 'passed', key: text, value: passes, windows, bytes })
        let store = open()
        let verdict = limiter({ ...limits, store })
        const passed = { a: [] as number[], b: [] as number[] }
        let now = 100
        let streamTime = -1
        for (const [nth, { key, step, late }] of records.entries()) {
          now += step
          const time = Math.max(0, now - late)
          streamTime = Math.max(streamTime, time)
          const mine = passed[key as 'a' | 'b']
          const expected = verdictOf(mine, time, streamTime, limits)
          expect([nth, verdict(key, time)]).toEqual([nth, expected])
          if (expected === 'passes') mine.push(time)
          if (commits[nth]) {
            await commit(store, bytes)
            await store.expire()
            if (restarts[nth]) {
              store = open()
              store.recoverStreamTime(streamTime)
              verdict = limiter({ ...limits, store })
            }
          }
        }
        const last = Math.max(streamTime, 0) + 10 * (periodMs + graceMs)
        verdict('b', last)
        await commit(store, bytes)
        await store.expire()
        const left: Buffer[] = []
        for await (const [row] of bytes.scan(Buffer.alloc(0), Buffer.alloc(300, 0xff))) left.push(row)
        expect(left).toHaveLength(1)
      }),
    )
  })
})
