/** What is passed on when windows close, on real stores: in its order, and exactly once however often the task is stopped. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noHeaders } from '../../src/common/record.ts'
import { slidingStretches, Windows } from '../../src/common/windows.ts'
import type { CloseIdle, OnIdle } from '../../src/operators/idle.ts'
import type { Process, Update } from '../../src/operators/processor.ts'
import { sessionAggregate } from '../../src/operators/session-aggregate.ts'
import { slidingAggregate } from '../../src/operators/sliding-aggregate.ts'
import { windowAggregate } from '../../src/operators/window-aggregate.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import { OverlaySessionStore } from '../../src/state/session.ts'
import { panesCodec } from '../../src/state/session-codec.ts'
import { slidingClosing, slidingStore } from '../../src/state/sliding.ts'
import type { ByteStore, ChangelogRow, Pane, StateStore } from '../../src/state/store.ts'
import { OverlayWindowStore, windowClosing } from '../../src/state/window.ts'
import { text } from '../state/codecs.ts'
import { collect, seal } from '../state/commit.ts'
import { context, headers } from './harness.ts'

interface Opened {
  readonly store: StateStore
  readonly process: (next: Update, onIdle?: OnIdle) => Process
}
type Open = (bytes: ByteStore, empty: boolean) => Opened

const trace = {
  initializer: () => '',
  aggregator: (trace: string, value: string) => (value === 'x' ? (null as never) : trace + value),
}
const merger = (a: string, b: string) => `${a}(${b})`
/** Nothing that is committed stays in memory. */
const codecs = { name: 's', key: text, value: text, cacheRows: 0 }

const kinds: Readonly<Record<string, Open>> = {
  tumbling: (bytes, empty) => windowed(bytes, empty, Windows.tumbling(10, { grace: 5 })),
  hopping: (bytes, empty) => windowed(bytes, empty, Windows.hopping(12, { advance: 5, grace: 0 })),
  sliding: (bytes, empty) => {
    const windows = Windows.sliding(6, { grace: 4 })
    const store = new OverlayWindowStore({
      ...codecs,
      value: panesCodec(text),
      windows: slidingStretches(windows),
      bytes,
      closing: slidingClosing(windows),
      ...(empty && { latestStored: -1 }),
    })
    const panes = slidingStore<string, string>(store as OverlayWindowStore<string, Pane<string>[]>, windows)
    return {
      store,
      process: (next, onIdle) =>
        slidingAggregate({ ...trace, store: panes, windows, onIdle }, context(), next) as Process,
    }
  },
  session: (bytes, empty) => {
    const windows = Windows.session(4, { grace: 6 })
    const latestStored = empty ? -1 : Number.POSITIVE_INFINITY
    const store = new OverlaySessionStore({ ...codecs, session: windows, bytes, latestStored, closes: true })
    return {
      store,
      process: (next, onIdle) =>
        sessionAggregate({ ...trace, merger, store, windows, onIdle }, context(), next) as Process,
    }
  },
}

function windowed(bytes: ByteStore, empty: boolean, windows: ReturnType<typeof Windows.tumbling>): Opened {
  const closing = windowClosing(windows)
  const store = new OverlayWindowStore({ ...codecs, windows, bytes, closing, ...(empty && { latestStored: -1 }) })
  return {
    store,
    process: (next, onIdle) => windowAggregate({ ...trace, store, windows, onIdle }, context(), next) as Process,
  }
}

/** Results as `key[start,end]=value@timestamp`. */
function into(results: string[]): Update {
  return ({ key, start, end }, value, old, timestamp) => {
    expect(old).toBeNull()
    results.push(`${key}[${start},${end}]=${value}@${timestamp}`)
  }
}

describe('what is passed on', () => {
  const run = (open: Open, records: readonly (readonly [key: string, value: string, timestamp: number])[]) => {
    const results: string[] = []
    const process = open(new MemoryByteStore(), true).process(into(results))
    return records.map(([key, value, timestamp]) => {
      process(key, value, timestamp, noHeaders)
      return results.splice(0)
    })
  }

  test('windows: by start and key, once stream time is at end + grace', () => {
    const records = [
      ['b', '1', 3],
      ['a', '2', 8],
      ['a', '3', 14],
      ['c', '4', 15],
      ['c', '5', 100],
    ] as const
    expect(run(kinds.tumbling as Open, records)).toEqual([
      [],
      [],
      [],
      ['a[0,10]=2@8', 'b[0,10]=1@3'],
      ['a[10,20]=3@14', 'c[10,20]=4@15'],
    ])
  })

  test('sliding windows: once stream time is past end + grace', () => {
    const records = [
      ['a', '1', 10],
      ['a', '2', 13],
      ['b', '3', 20],
      ['b', '4', 21],
      ['b', '5', 22],
    ] as const
    expect(run(kinds.sliding as Open, records)).toEqual([
      [],
      [],
      ['a[4,10]=1@10', 'a[7,13]=12@13'],
      [],
      ['a[11,17]=2@13'],
    ])
  })

  test('sessions: once stream time is past end + gap + grace, with what they have grown to', () => {
    const records = [
      ['a', '1', 10],
      ['a', '2', 13],
      ['b', '3', 21],
      ['a', '4', 17],
      ['b', '5', 27],
      ['b', '6', 28],
    ] as const
    expect(run(kinds.session as Open, records)).toEqual([[], [], [], [], [], ['a[10,17]=((1)2)4@17']])
  })

  test('with the headers of the record that closes', () => {
    const seen: unknown[] = []
    const process = (kinds.session as Open)(new MemoryByteStore(), true).process((_key, _value, _old, _time, given) =>
      seen.push(given),
    )
    process('a', '1', 10, noHeaders)
    process('a', '1', 100, headers)
    expect(seen).toEqual([headers])
  })

  test('a window whose aggregate has become null is not', () => {
    expect(
      run(kinds.tumbling as Open, [
        ['a', '1', 3],
        ['a', 'x', 4],
        ['a', '1', 50],
      ]),
    ).toEqual([[], [], []])
  })
})

// The task stops, by will or by a crash, wherever it may, and is opened again from what is committed. All that it has written in transactions that
// were committed must be what it would have written without a stop.

interface Sent {
  readonly key: string
  readonly value: string
  readonly timestamp: number
}
const records = fc
  .array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      value: fc.constantFrom('1', '2', '3', 'x'),
      step: fc.constantFrom(0, 0, 1, 2, 3, 9, 40),
      late: fc.constantFrom(0, 0, 0, 3, 8, 15),
    }),
    { minLength: 10, maxLength: 60, size: 'max' },
  )
  .map((drafts) => {
    let now = 0
    return drafts.map(({ key, value, step, late }): Sent => {
      now += step
      return { key, value, timestamp: Math.max(0, now - late) }
    })
  })
const step = fc.constantFrom(
  'record',
  'record',
  'record',
  'record',
  'commit',
  'commit',
  'flush',
  'crash',
  'reopen',
  'lose',
  'pause',
  'idle',
)
const steps = fc.noBias(fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }))

async function follow(open: Open, given: readonly Sent[], steps: readonly string[]): Promise<void> {
  const bytes = new MemoryByteStore()
  let results: string[] = []
  let { store, process } = open(bytes, true)
  let close: CloseIdle = () => false
  const start = () =>
    process(into(results), (asked) => {
      close = asked
    })
  let run = start()
  const committed: string[] = []
  /** Before which records windows were closed by the wall clock, as far as that was committed. */
  let committedCloses: number[] = []
  let closes: number[] = []
  const changelog: ChangelogRow[] = []
  let checkpoint = 0
  let position = 0
  let committedPosition = 0
  let committedTime = -1
  let flushedTime = -1
  const again = async (): Promise<void> => {
    for (const row of changelog.slice(checkpoint)) await bytes.write([store.restore(row)])
    checkpoint = changelog.length
    flushedTime = committedTime
    store.recoverStreamTime(committedTime)
    await store.load()
    results.splice(0)
    position = committedPosition
    closes = [...committedCloses]
  }
  const commit = (): void => {
    changelog.push(...seal(store))
    store.settle()
    committed.push(...results.splice(0))
    committedPosition = position
    committedTime = store.streamTime
    committedCloses = [...closes]
  }
  const flush = async (): Promise<void> => {
    await bytes.write(collect(store))
    store.flushed()
    await store.expire()
    checkpoint = changelog.length
    flushedTime = committedTime
  }
  const reopen = async (): Promise<void> => {
    results = []
    ;({ store, process } = open(bytes, false))
    run = start()
    store.recoverStreamTime(flushedTime)
    await again()
  }
  for (const step of steps) {
    if (step === 'record') {
      const record = given[position]
      if (record === undefined) continue
      position++
      run(record.key, record.value, record.timestamp, noHeaders)
    } else if (step === 'idle') {
      if (close()) closes.push(position)
      expect(close()).toBe(false)
    } else if (step === 'commit') commit()
    else if (step === 'flush') await flush()
    else if (step === 'crash') {
      store.discard()
      await again()
    } else if (step === 'reopen') await reopen()
    else if (step === 'lose') {
      await bytes.deleteRange(Buffer.from('s\0'), Buffer.from('s\u0001'))
      checkpoint = 0
      flushedTime = -1
      await reopen()
    } else {
      // A rebalance that gives the task back.
      commit()
      await flush()
      await again()
    }
  }
  for (const { key, value, timestamp } of given.slice(position)) run(key, value, timestamp, noHeaders)

  const expected: string[] = []
  const straight = open(new MemoryByteStore(), true).process(into(expected), (asked) => {
    close = asked
  })
  for (const [at, { key, value, timestamp }] of given.entries()) {
    if (closes.includes(at)) close()
    straight(key, value, timestamp, noHeaders)
  }
  if (closes.includes(given.length)) close()
  expect([...committed, ...results]).toEqual(expected)
}

test.each(Object.entries(kinds))('%s windows are passed on once, whatever happens to the task', async (_, open) => {
  await fc.assert(
    fc.asyncProperty(records, steps, (records, steps) => follow(open, records, steps)),
    { numRuns: 150 },
  )
})

test.each(Object.entries(kinds))(
  '%s windows: a longer stream time beside the positions closes what it has closed',
  async (_, open) => {
    const bytes = new MemoryByteStore()
    const first = open(bytes, true)
    first.process(() => undefined)('a', '1', 10, noHeaders)
    seal(first.store)
    first.store.settle()
    await bytes.write(collect(first.store))
    const results: string[] = []
    const second = open(bytes, false)
    second.store.recoverStreamTime(10)
    await second.store.load()
    // Somebody else has moved on, and emitted, without a row of this store.
    second.store.recoverStreamTime(60)
    await second.store.load()
    second.process(into(results))('a', '2', 200, noHeaders)
    expect(results).toEqual([])
  },
)
