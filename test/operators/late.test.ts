import { expect, test } from 'vitest'
import type { Headers } from '../../src/common/record.ts'
import { noHeaders } from '../../src/common/record.ts'
import { slidingStretches, Windows } from '../../src/common/windows.ts'
import { type Late, late } from '../../src/operators/late.ts'
import type { Process } from '../../src/operators/processor.ts'
import { sessionAggregate } from '../../src/operators/session-aggregate.ts'
import { slidingAggregate } from '../../src/operators/sliding-aggregate.ts'
import { windowAggregate } from '../../src/operators/window-aggregate.ts'
import { slidingStore } from '../../src/state/sliding.ts'
import type { Pane } from '../../src/state/store.ts'
import { context, headers, sessionStore, windowStore } from './harness.ts'

test('a late record goes on as it came, with headers that say which window had closed', () => {
  const seen: unknown[] = []
  const send = late<string, number>('counts', (key, value, timestamp, given) =>
    seen.push([key, value, timestamp, given.map(({ key, value }) => `${key}=${value}`)]),
  )
  send('a', 7, 3, headers, 100, 0, 10)
  const ours = (start: number, end: number, streamTime: number) => [
    'streamctl.late.node=counts',
    `streamctl.late.window-start=${start}`,
    `streamctl.late.window-end=${end}`,
    `streamctl.late.stream-time=${streamTime}`,
  ]
  expect(seen.splice(0)).toEqual([['a', 7, 3, ['trace=1', ...ours(0, 10, 100)]]])
  // Read again and late again.
  const before: Headers = [{ key: 'streamctl.late.window-start', value: Buffer.from('9') }, ...headers]
  send('a', 7, 3, before, 200, 5, 15)
  expect(seen).toEqual([['a', 7, 3, ['trace=1', ...ours(5, 15, 200)]]])
})

const counting = { initializer: () => 0, aggregator: (n: number) => n + 1, merger: (a: number, b: number) => a + b }

/** What is late, as `timestamp: [start,end] at stream time`. */
function collecting(): { readonly seen: string[]; readonly late: Late<string, string> } {
  const seen: string[] = []
  return {
    seen,
    late: (key, value, timestamp, given, streamTime, start, end) => {
      expect([key, value, given]).toEqual(['k', 'v', headers])
      seen.push(`${timestamp}: [${start},${end}] at ${streamTime}`)
    },
  }
}

const send = (process: Process, ...timestamps: readonly number[]): void => {
  for (const timestamp of timestamps) process('k', 'v', timestamp, headers)
}

test('each closed window of a record is told, and counted', () => {
  const { seen, late } = collecting()
  const ctx = context()
  const windows = Windows.hopping(20, { advance: 10, grace: 5 })
  const store = windowStore<string, number>()
  send(windowAggregate({ ...counting, store, windows, late }, ctx, () => undefined) as Process, 100, 85, 12)
  expect(seen).toEqual(['85: [70,90] at 100', '12: [0,20] at 100', '12: [10,30] at 100'])
  expect(ctx.drops).toEqual(['late', 'late', 'late'])
})

test('of sliding windows too; a record that is too old for any is told once, with the window that would begin with it', () => {
  const { seen, late } = collecting()
  const ctx = context()
  const windows = Windows.sliding(10, { grace: 5 })
  const store = slidingStore(windowStore<string, Pane<number>[]>(), windows)
  expect(slidingStretches(windows).advanceMs).toBe(11)
  send(slidingAggregate({ ...counting, store, windows, late }, ctx, () => undefined) as Process, 100, 90, 84)
  expect(seen).toEqual(['90: [80,90] at 100', '84: [84,94] at 100'])
  expect(ctx.drops).toEqual(['late', 'late'])
})

test('of a session it is the one that the record would be part of', () => {
  const { seen, late } = collecting()
  const ctx = context()
  const windows = Windows.session(10, { grace: 5 })
  const store = sessionStore<string, number>(1000)
  const process = sessionAggregate({ ...counting, store, windows, late }, ctx, () => undefined) as Process
  send(process, 50, 60, 100, 57)
  expect(seen).toEqual(['57: [50,60] at 100'])
  expect(ctx.drops).toEqual(['late'])
})

test('a record without key is not late', () => {
  const { seen, late } = collecting()
  const windows = Windows.tumbling(10, { grace: 0 })
  const store = windowStore<string, number>()
  const process = windowAggregate({ ...counting, store, windows, late }, context(), () => undefined) as Process
  process('k', 'v', 100, headers)
  process(null, 'v', 1, noHeaders)
  expect(seen).toEqual([])
})
