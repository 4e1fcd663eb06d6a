import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type JoinWindows, joinReachMs, Windows } from '../../src/common/windows.ts'
import type { StreamJoinArgs } from '../../src/operators/join-sides.ts'
import { kafkaStreamsJoin } from '../../src/operators/kafka-streams-join.ts'
import { streamJoin } from '../../src/operators/stream-join.ts'
import { OverlayJoinBuffer } from '../../src/state/join-buffer.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import type { ByteStore } from '../../src/state/store.ts'
import { json, text } from '../state/codecs.ts'
import { commit } from '../state/commit.ts'
import { collector, context, headers, type Seen } from './harness.ts'

type Outer = StreamJoinArgs<unknown, unknown, unknown, unknown>['outer']
type Buffer_ = OverlayJoinBuffer<string, number>

interface Input {
  readonly side: 'left' | 'right'
  readonly key: string | null
  readonly value: number | null
  readonly timestamp: number
}

function left(timestamp: number, value: number | null = timestamp, key: string | null = 'k'): Input {
  return { side: 'left', key, value, timestamp }
}

function right(timestamp: number, value: number | null = timestamp, key: string | null = 'k'): Input {
  return { side: 'right', key, value, timestamp }
}

function buffer(
  side: 'left' | 'right',
  windows: JoinWindows,
  bytes: ByteStore,
  empty: boolean,
  ownTime: boolean,
): Buffer_ {
  const { beforeMs, afterMs, graceMs } = windows
  const reachMs = ownTime ? beforeMs + afterMs + graceMs : joinReachMs(windows, side)
  const codecs = { key: text, value: json<number>() }
  return new OverlayJoinBuffer({ name: side, ...codecs, retentionMs: reachMs + 1, ownTime, bytes, empty, cacheRows: 2 })
}

/** A join on stores of its own; `empty` when there is nothing in the bytes. */
function joined(
  outer: Outer,
  windows: JoinWindows,
  operator: typeof streamJoin = streamJoin,
  bytes = new MemoryByteStore(),
  empty = true,
) {
  const ownTime = operator === kafkaStreamsJoin
  const stores = {
    left: buffer('left', windows, bytes, empty, ownTime),
    right: buffer('right', windows, bytes, empty, ownTime),
  }
  const ctx = context()
  const { seen, next } = collector()
  const joiner = (value: number | null, other: number | null, key: string): string => `${key}:${value}/${other}`
  const [onLeft, onRight] = operator({ ...stores, windows, outer, joiner }, ctx, next)
  const run = (inputs: readonly Input[]): void => {
    for (const { side, key, value, timestamp } of inputs) {
      ;(side === 'left' ? onLeft : onRight)(key, value, timestamp, headers)
    }
  }
  return { run, seen, ctx, stores, bytes }
}

function results(outer: Outer, windows: JoinWindows, inputs: readonly Input[]): readonly unknown[] {
  const { run, seen } = joined(outer, windows)
  run(inputs)
  return seen.map(([, value, timestamp]) => [value, timestamp])
}

const within10 = Windows.join(10, { grace: 5 })

describe('matches', () => {
  test('within the windows, bounds included, whichever side comes first; earliest first, with the later timestamp', () => {
    const inputs = [right(9), right(10), right(30), right(31), right(20, 21), right(20, 22), left(20)]
    expect(results('none', Windows.join(10, { grace: 50 }), inputs)).toEqual([
      ['k:20/10', 20],
      ['k:20/21', 20],
      ['k:20/22', 20],
      ['k:20/30', 30],
    ])
    expect(results('none', within10, [left(20), right(31), right(30), right(30, 7)])).toEqual([
      ['k:20/30', 30],
      ['k:20/7', 30],
    ])
  })

  test('before and after are seen from the left side', () => {
    const windows = Windows.join(0, { before: 5, after: 20, grace: 50 })
    const others = [right(94), right(95), right(120), right(121)]
    const expected = [
      ['k:100/95', 100],
      ['k:100/120', 120],
    ]
    expect(results('none', windows, [...others, left(100)])).toEqual(expected)
    expect(results('none', windows, [left(100), ...others])).toEqual(expected)
  })

  test('a window of 0 joins equal timestamps, with no grace too', () => {
    expect(results('none', Windows.join(0, { grace: 0 }), [left(5), right(5), right(6), left(6)])).toEqual([
      ['k:5/5', 5],
      ['k:6/6', 6],
    ])
  })

  test('a window may lie apart from its record, and the record is not late for that', () => {
    const windows = Windows.join(0, { before: 20, after: -10, grace: 0 })
    expect(results('none', windows, [right(79), right(80), right(90), right(91), left(100)])).toEqual([
      ['k:100/80', 100],
      ['k:100/90', 100],
    ])
  })

  test('only records of one key', () => {
    expect(results('none', within10, [left(1, 1, 'a'), right(1, 2, 'b'), right(1, 3, 'a')])).toEqual([['a:1/3', 1]])
  })
})

describe('records that nothing matches', () => {
  test('are given out once stream time is past their window and the grace, not a ms before', () => {
    const { run, seen, ctx } = joined('left', within10)
    run([left(100), right(115, 1, 'other')])
    expect(seen).toEqual([])
    run([right(116, 1, 'other')])
    expect(seen).toEqual([['k', 'k:100/null', 100]])
    expect(ctx.forwarded.count).toBe(1)
  })

  test('of both sides by timestamp, the right side first, then by key', () => {
    const { run, seen } = joined('both', within10)
    run([left(5, 1, 'b'), left(5, 2, 'a'), right(5, 3, 'z'), right(4, 4, 'y'), left(4, 5, 'x'), right(100, 6, 'q')])
    expect(seen.map(([, value]) => value)).toEqual(['y:null/4', 'x:5/null', 'z:null/3', 'a:2/null', 'b:1/null'])
  })

  test('of a left join the right side has none', () => {
    expect(results('left', within10, [right(1), right(100), left(200, 1, 'a'), left(300, 2, 'a')])).toEqual([
      ['a:1/null', 200],
    ])
  })

  test('wait for the whole grace, also when they come late (KAFKA-19536)', () => {
    expect(results('left', Windows.join(10, { grace: 50 }), [left(100, 1, 'a'), left(60), right(65)])).toEqual([
      ['k:60/65', 65],
    ])
  })

  test('are final: what comes later does not match them', () => {
    const windows = Windows.join(10, { grace: 0 })
    // The right record is in time by its own window, and would be a match for 100.
    expect(results('left', windows, [left(100), left(111, 1, 'a'), right(105)])).toEqual([['k:100/null', 100]])
    expect(results('both', windows, [left(100), left(111, 1, 'a'), right(105), left(200, 2, 'a')])).toEqual([
      ['k:100/null', 100],
      ['k:null/105', 105],
      ['a:1/null', 111],
    ])
  })

  test('one that had a match can have others until it is out of reach', () => {
    expect(
      results('left', Windows.join(10, { grace: 0 }), [left(100), right(100), left(111, 1, 'a'), right(105)]),
    ).toEqual([
      ['k:100/100', 100],
      ['k:100/105', 105],
    ])
  })

  test('at once when their window has closed before they come', () => {
    const windows = Windows.join(0, { before: 20, after: -10, grace: 0 })
    expect(results('left', windows, [left(100)])).toEqual([['k:100/null', 100]])
  })
})

describe('records that take no part', () => {
  test('inner: null keys and null values are dropped by reason, late records too', () => {
    const { run, seen, ctx } = joined('none', within10)
    run([left(1, 1, null), right(1, 1, null), left(1, null), left(1, null, null), right(100), left(85), left(84)])
    expect(ctx.drops).toEqual(['null-key', 'null-key', 'null-value', 'null-key', 'late'])
    expect(seen).toEqual([])
  })

  test('a null key passes at once on a side that is given out alone (KIP-962), late or not', () => {
    const { run, seen, ctx } = joined('left', within10)
    run([right(1000), left(1, 1, null), left(1, null, null), right(1, 1, null)])
    expect(seen).toEqual([[null, 'null:1/null', 1]])
    expect(ctx.drops).toEqual(['null-value', 'null-key'])
    const both = joined('both', within10)
    both.run([left(1, 1, null), right(2, 2, null)])
    expect(both.seen.map(([, value]) => value)).toEqual(['null:1/null', 'null:null/2'])
  })

  test('move stream time all the same', () => {
    expect(results('left', within10, [left(100), left(200, null)])).toEqual([['k:100/null', 100]])
    expect(results('left', within10, [left(100), right(200, 1, null)])).toEqual([['k:100/null', 100]])
  })
})

const symmetric = Windows.join(0, { before: 3, after: 2, grace: 1 })
const apart = Windows.join(0, { before: 20, after: -10, grace: 0 })

test.each([
  ['a left row', symmetric, left(10), 16, right(12), 'k:10/12'],
  ['a right row', symmetric, right(10), 16, left(13), 'k:13/10'],
  ['a left row of windows apart', apart, left(20), 30, right(10), 'k:20/10'],
  ['a right row of windows apart', apart, right(10), 30, left(30), 'k:30/10'],
])(
  '%s is kept for the last record that may match it, and no ms longer',
  async (_, windows, row, time, last, result) => {
    for (const gone of [0, 1]) {
      const { run, seen, stores, bytes } = joined('none', windows)
      run([row, { ...last, key: 'another', timestamp: time + gone }])
      for (const store of [stores.left, stores.right]) {
        await commit(store, bytes)
        await store.expire()
      }
      expect(stores[row.side].match('k', 0, 99, () => {})).toBe(1 - gone)
      run([last])
      expect(seen.map(([, value]) => value)).toEqual(gone === 0 ? [result] : [])
    }
  },
)

test('a joiner that throws names the join', () => {
  const { stores } = joined('none', within10)
  const joiner = () => {
    throw new Error('no')
  }
  const [onLeft, onRight] = streamJoin(
    { ...stores, windows: within10, outer: 'none', joiner },
    context('paid'),
    () => {},
  )
  onLeft('k', 1, 1, headers)
  expect(() => onRight('k', 1, 1, headers)).toThrow(
    expect.objectContaining({ code: 'PROCESSING', message: 'paid: no' }),
  )
})

// The model keeps every record for good and looks through all of them.

interface ModelRow {
  readonly input: Input & { readonly key: string; readonly value: number }
  held: boolean
  gone: boolean
}

function model(outer: Outer, { beforeMs, afterMs, graceMs }: JoinWindows, inputs: readonly Input[]): readonly string[] {
  const rows: ModelRow[] = []
  const out: string[] = []
  let now = -1
  const afterOf = (side: Input['side']) => (side === 'left' ? afterMs : beforeMs)
  const isOuter = (side: Input['side']) => outer === 'both' || (outer === 'left' && side === 'left')
  const emit = (key: string | null, l: number | null, r: number | null, timestamp: number) =>
    out.push(`${key} ${key}:${l}/${r} ${timestamp}`)
  const alone = ({ side, key, value, timestamp }: Input) =>
    side === 'left' ? emit(key, value, null, timestamp) : emit(key, null, value, timestamp)
  for (const input of inputs) {
    const { side, key, value, timestamp } = input
    now = Math.max(now, timestamp)
    const due = rows.filter((row) => row.held && row.input.timestamp + afterOf(row.input.side) + graceMs < now)
    due.sort(
      ({ input: a }, { input: b }) =>
        a.timestamp - b.timestamp ||
        (a.side === b.side ? 0 : a.side === 'right' ? -1 : 1) ||
        (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
    )
    for (const row of due) {
      alone(row.input)
      row.held = false
      row.gone = true
    }
    if (value === null) continue
    if (key === null) {
      if (isOuter(side)) alone(input)
      continue
    }
    if (timestamp + Math.max(0, afterOf(side)) + graceMs < now) continue
    const found = rows
      .filter((row) => {
        const other = row.input
        const [l, r] = side === 'left' ? [timestamp, other.timestamp] : [other.timestamp, timestamp]
        return !row.gone && other.side !== side && other.key === key && r >= l - beforeMs && r <= l + afterMs
      })
      .sort((a, b) => a.input.timestamp - b.input.timestamp)
    for (const row of found) {
      row.held = false
      const [l, r] = side === 'left' ? [value, row.input.value] : [row.input.value, value]
      emit(key, l, r, Math.max(timestamp, row.input.timestamp))
    }
    const isAlone = found.length === 0 && isOuter(side)
    if (isAlone && timestamp + afterOf(side) + graceMs < now) alone(input)
    else rows.push({ input: { side, key, value, timestamp }, held: isAlone, gone: false })
  }
  return out
}

const someInputs = (late: fc.Arbitrary<number>, values: fc.Arbitrary<number | null>) =>
  fc
    .array(
      fc.record({
        side: fc.constantFrom('left' as const, 'right' as const),
        key: fc.constantFrom('a', 'a', 'b', 'c', null),
        value: values,
        step: fc.constantFrom(0, 0, 1, 3, 10, 60),
        late,
      }),
      { maxLength: 80, size: 'max' },
    )
    .map((drafts) => {
      let now = 50
      return drafts.map(({ step, late, ...input }): Input => {
        now += step
        return { ...input, timestamp: Math.max(0, now - late) }
      })
    })

const someWindows = fc
  .record({
    before: fc.constantFrom(-10, 0, 3, 10, 40),
    after: fc.constantFrom(-3, 0, 3, 10, 40),
    grace: fc.constantFrom(0, 5, 50),
  })
  .filter(({ before, after }) => before + after >= 0)
  .map(({ before, after, grace }) => Windows.join(0, { before, after, grace }))

const someOuter = fc.constantFrom<Outer>('none', 'left', 'both')
const asText = (seen: readonly Seen[]): string[] =>
  seen.map(([key, value, timestamp]) => `${key} ${value} ${timestamp}`)

const breaks = fc.array(
  fc.record({ after: fc.integer({ min: 1, max: 12 }), end: fc.constantFrom('commit', 'commit', 'crash', 'kill') }),
  { minLength: 1, maxLength: 30 },
)
type Break = typeof breaks extends fc.Arbitrary<(infer B)[]> ? B : never

/** What is written in the end, with commits, crashes and restarts on the way. */
async function interrupted(
  operator: typeof streamJoin,
  outer: Outer,
  windows: JoinWindows,
  records: readonly Input[],
  stops: readonly Break[],
): Promise<readonly string[]> {
  const bytes = new MemoryByteStore()
  let { run, seen, stores } = joined(outer, windows, operator, bytes)
  const both = () => [stores.left, stores.right]
  const written: Seen[] = []
  let committed = 0
  for (let at = 0, stop = 0; at < records.length; stop++) {
    const { after, end } = stops[stop % stops.length] as Break
    const to = stop > 100 ? records.length : Math.min(records.length, at + after)
    run(records.slice(at, to))
    at = to
    if (end === 'crash' && stop <= 100) {
      // What was not committed is lost, and its records are read again.
      for (const store of both()) store.discard()
      for (const store of both()) await store.load()
      seen.length = 0
      at = committed
      continue
    }
    for (const store of both()) await commit(store, bytes)
    committed = at
    written.push(...seen.splice(0))
    if (end === 'kill') {
      // Between a commit and the deleting of what has expired.
      const { streamTime } = stores.left
      ;({ run, seen, stores } = joined(outer, windows, operator, bytes, false))
      for (const store of both()) store.recoverStreamTime(streamTime)
      for (const store of both()) await store.load()
    } else {
      for (const store of both()) await store.expire()
    }
  }
  return asText(written)
}

test('is its model, whatever is committed, flushed, expired, and lost in a crash on the way', async () => {
  const inputs = someInputs(fc.constantFrom(0, 0, 0, 1, 5, 20, 80), fc.oneof(fc.nat(99), fc.nat(99), fc.constant(null)))
  await fc.assert(
    fc.asyncProperty(inputs, someWindows, someOuter, breaks, async (records, windows, outer, stops) => {
      expect(await interrupted(streamJoin, outer, windows, records, stops)).toEqual(model(outer, windows, records))
    }),
    { numRuns: 400 },
  )
})

/** Closes every window, on either side. */
const end = [left(10_000, 0, 'end'), right(20_000, 0, 'end'), left(30_000, 0, 'end')]

test('as Kafka Streams, in order, loses nothing and says nothing twice over crashes', async () => {
  const windows = someWindows.filter(({ beforeMs, afterMs }) => beforeMs >= 0 && afterMs >= 0)
  await fc.assert(
    fc.asyncProperty(
      someInputs(fc.constant(0), fc.nat(99)),
      windows,
      someOuter,
      breaks,
      async (some, of, outer, stops) => {
        const records = [...some, ...end]
        const { run, seen } = joined(outer, of, kafkaStreamsJoin)
        run(records)
        const survived = await interrupted(kafkaStreamsJoin, outer, of, records, stops)
        expect([...survived].sort()).toEqual(asText(seen).sort())
      },
    ),
    { numRuns: 300 },
  )
})

test('in order, gives what Kafka Streams gives, sooner', () => {
  const inputs = someInputs(fc.constant(0), fc.nat(99))
  const windows = someWindows.filter(({ beforeMs, afterMs }) => beforeMs >= 0 && afterMs >= 0)
  fc.assert(
    fc.property(inputs, windows, someOuter, (records, given, outer) => {
      // One ms of grace more: without any, Kafka Streams loses a row at the very end of its window.
      const of = { ...given, graceMs: given.graceMs + 1 }
      const [ours, theirs] = [streamJoin, kafkaStreamsJoin].map((operator) => {
        const { run, seen } = joined(outer, of, operator as typeof streamJoin)
        run([...records, ...end])
        return asText(seen).sort()
      })
      expect(ours).toEqual(theirs)
    }),
    { numRuns: 400 },
  )
})
