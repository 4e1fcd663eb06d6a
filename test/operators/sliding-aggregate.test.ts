import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type SlidingWindows, Windows } from '../../src/common/windows.ts'
import type { Aggregation } from '../../src/operators/aggregator.ts'
import type { Process, Update } from '../../src/operators/processor.ts'
import { slidingAggregate } from '../../src/operators/sliding-aggregate.ts'
import { slidingStore } from '../../src/state/sliding.ts'
import type { Pane } from '../../src/state/store.ts'
import { context, headers, windowStore } from './harness.ts'

const tracing: Aggregation<string, string, string> = {
  initializer: () => '',
  aggregator: (trace, value) => trace + value,
}

interface Made {
  readonly send: (value: string | null, timestamp: number, key?: string | null) => readonly string[]
  readonly ctx: ReturnType<typeof context>
  readonly store: ReturnType<typeof slidingStore<string, string>>
}

/** Updates as `[start,end] old->new @timestamp`. */
function make(
  aggregation: Aggregation<string, string, string> = tracing,
  windows = Windows.sliding(10, { grace: 50 }),
): Made {
  const ctx = context()
  const store = slidingStore(windowStore<string, Pane<string>[]>(), windows)
  const seen: string[] = []
  const update: Update = ({ key, start, end }, value, old, timestamp, given) => {
    expect([key, given]).toEqual(['k', headers])
    seen.push(`[${start},${end}] ${old}->${value} @${timestamp}`)
  }
  const process = slidingAggregate({ ...aggregation, store, windows }, ctx, update) as Process
  return {
    ctx,
    store,
    send: (value, timestamp, key = 'k') => {
      process(key, value, timestamp, headers)
      return seen.splice(0)
    },
  }
}

test('a record alone has one window, which ends with it', () => {
  const { send, ctx } = make()
  expect(send('a', 100)).toEqual(['[90,100] null->a @100'])
  expect(send('b', 111)).toEqual(['[101,111] null->b @111'])
  expect(ctx.forwarded.count).toBe(2)
})

test('a later record makes the window after the one before it, and one that ends with itself', () => {
  const { send } = make()
  send('a', 100)
  expect(send('b', 110)).toEqual(['[101,111] null->b @110', '[100,110] null->ab @110'])
  expect(send('c', 111)).toEqual(['[101,111] b->bc @111', '[111,121] null->c @111'])
})

test('a record between others is added to the windows that hold it, and the window after it holds what follows', () => {
  const { send } = make()
  send('a', 100)
  send('c', 106)
  expect(send('b', 103)).toEqual([
    '[101,111] c->cb @106',
    '[96,106] ac->acb @106',
    '[93,103] null->ab @103',
    '[104,114] null->c @106',
  ])
})

test('a record at the time of another is added to its windows and makes none', () => {
  const { send } = make()
  send('a', 100)
  send('b', 104)
  expect(send('c', 104)).toEqual(['[101,111] b->bc @104', '[94,104] ab->abc @104'])
})

test('before the time difference has passed all windows that would start before 1970 are one', () => {
  const { send } = make()
  expect(send('a', 3)).toEqual(['[0,10] null->a @3'])
  expect(send('b', 7)).toEqual(['[4,14] null->b @7', '[0,10] a->ab @7'])
  expect(send('c', 1)).toEqual(['[2,12] null->ab @7', '[0,10] ab->abc @7'])
  expect(send('d', 10)).toEqual([
    '[4,14] b->bd @10',
    '[2,12] ab->abd @10',
    '[0,10] abc->abcd @10',
    '[8,18] null->d @10',
  ])
})

test('a closed window is left as it is, and each is counted; a record too old for any is dropped whole', () => {
  const { send, ctx } = make(tracing, Windows.sliding(10, { grace: 5 }))
  send('a', 100)
  send('b', 108)
  // Closed are those that end before 103.
  expect(send('c', 99)).toEqual(['[98,108] ab->abc @108', '[100,110] null->ab @108'])
  expect(ctx.drops).toEqual(['late', 'late'])
  expect(send('d', 92)).toEqual([])
  expect(ctx.drops).toHaveLength(3)
  // As in Kafka Streams: it begins as the window before it, which was closed when c came.
  expect(send('e', 93)).toEqual(['[94,104] null->a @100'])
  expect(ctx.drops).toHaveLength(5)
})

test('a null key or value is dropped and moves nothing', () => {
  const { send, ctx, store } = make()
  expect([send('a', 50, null), send(null, 60)]).toEqual([[], []])
  expect([ctx.drops, store.streamTime]).toEqual([['null-key', 'null-value'], -1])
})

test('reduce: the first value is the first result', () => {
  const { send } = make({ aggregator: (a, b) => `${a}+${b}` })
  expect(send('a', 100)).toEqual(['[90,100] null->a @100'])
  expect(send('b', 105)).toEqual(['[101,111] null->b @105', '[95,105] null->a+b @105'])
})

test('a null aggregate deletes the window', () => {
  const { send, store } = make({ ...tracing, aggregator: (trace, value) => (value === 'x' ? null : trace + value) })
  send('a', 100)
  expect(send('x', 100)).toEqual(['[90,100] a->null @100'])
  expect(store.get('k', 90)).toBeUndefined()
})

test('an undefined aggregate names the operator', () => {
  const { send } = make({ ...tracing, aggregator: () => undefined as never })
  expect(() => send('a', 100)).toThrow(/the-node: the aggregator returned undefined/)
})

// What the windows are, told another way: going up through all windows of the key that there are, as Kafka Streams does on a store that
// cannot go down. Of a record that is not late for any of its windows the results must be the same.

type Windowed = Map<number, { value: string; timestamp: number }>

function inOrder(panes: Windowed, { timeDifferenceMs: d }: SlidingWindows, value: string, t: number): void {
  const before = [...panes].sort(([a], [b]) => a - b).map(([start, pane]) => ({ start, ...pane }))
  const put = (start: number, aggregate: string, timestamp: number) => panes.set(start, { value: aggregate, timestamp })
  const reach = before.filter(({ start }) => start >= t - 2 * d && start <= t + 1)
  const holding = reach.filter(({ start }) => start <= t && start + d >= t)
  for (const pane of holding) put(pane.start, pane.value + value, Math.max(pane.timestamp, t))
  const early = t < d
  const earlier = early
    ? reach.filter(({ start, timestamp }) => start === 0 && timestamp < t)
    : reach.filter(({ start, timestamp }) => start + d <= t && timestamp < t)
  const previous = earlier.at(-1)
  const has = (start: number) => before.some((pane) => pane.start === start)
  if (previous !== undefined && !has(previous.timestamp + 1) && previous.timestamp + 1 + d >= t) {
    put(previous.timestamp + 1, value, t)
  }
  const leftStart = early ? 0 : t - d
  if (!has(leftStart)) {
    const last = reach.filter(({ start }) => start + d < t).at(-1)
    put(leftStart, (last !== undefined && last.timestamp >= leftStart ? last.value : '') + value, t)
  }
  const right = holding.filter(({ timestamp }) => timestamp > t).at(-1)
  if (!has(t + 1) && right !== undefined && holding.at(-1) === right) put(t + 1, right.value, right.timestamp)
}

test('going up or down through the windows of a key gives the same', () => {
  const windows = Windows.sliding(6, { grace: 1000 })
  const times = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 40 })
  fc.assert(
    fc.property(times, (times) => {
      const { send, store } = make(tracing, windows)
      const expected: Windowed = new Map()
      for (const [at, time] of times.entries()) {
        const value = String.fromCharCode(97 + (at % 26))
        send(value, time)
        inOrder(expected, windows, value, time)
        for (let start = 0; start <= 41; start++) {
          const pane = store.get('k', start)
          const known = expected.get(start)
          expect(pane && { value: pane.value, timestamp: pane.timestamp }).toEqual(known)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('each window holds the records of its time, in the order they came', () => {
  const windows = Windows.sliding(6, { grace: 1000 })
  const times = fc.array(fc.integer({ min: 6, max: 60 }), { maxLength: 40 })
  fc.assert(
    fc.property(times, (times) => {
      const { send, store } = make(tracing, windows)
      const records: { readonly value: string; readonly time: number }[] = []
      for (const [at, time] of times.entries()) {
        const value = String.fromCharCode(97 + (at % 26))
        send(value, time)
        records.push({ value, time })
      }
      const within = (start: number) => records.filter(({ time }) => time >= start && time <= start + 6)
      for (let start = 0; start <= 61; start++) {
        // There is one that ends with each record, and one that begins after each that others follow.
        const isThere =
          records.some(({ time }) => time - 6 === start) ||
          (records.some(({ time }) => time + 1 === start) && within(start).length > 0)
        const expected = isThere ? within(start).map(({ value }) => value) : undefined
        expect(store.get('k', start)?.value.split('').sort()).toEqual(expected?.sort())
      }
    }),
    { numRuns: 300 },
  )
})
