import { expect, test } from 'vitest'
import { StreamError } from '../../src/common/errors.ts'
import type { Headers } from '../../src/common/record.ts'
import type { Windowed } from '../../src/common/windows.ts'
import type { Update } from '../../src/operators/processor.ts'
import { type SuppressArgs, suppress, suppressedView } from '../../src/operators/suppress.ts'
import { bufferStore, context } from './harness.ts'

type Passed = [key: unknown, value: unknown, old: unknown, timestamp: number, headers: string]

function headersOf(name: string): Headers {
  return [{ key: name, value: null }]
}

function open<K>(args: Partial<SuppressArgs<K, string>> = {}) {
  const passed: Passed[] = []
  const ctx = context('calm')
  const buffer = args.buffer ?? bufferStore<K, string>()
  const next: Update<K, string> = (key, value, old, timestamp, headers) =>
    passed.push([key, value, old, timestamp, headers[0]?.key ?? ''])
  const update = suppress(
    {
      buffer,
      until: 'time-limit',
      limitMs: 10,
      maxRecords: Number.POSITIVE_INFINITY,
      maxBytes: Number.POSITIVE_INFINITY,
      whenFull: 'stop',
      ...args,
    },
    ctx,
    next,
  )
  let nth = 0
  const send = (key: K, value: string | null, old: string | null, timestamp: number): Passed[] => {
    update(key, value, old, timestamp, headersOf(`#${nth++}`))
    return passed.splice(0)
  }
  return { ctx, buffer, send }
}

test('the last update of a key goes on when the limit has passed since the first, with its timestamp, headers and the value before', () => {
  const { ctx, send } = open<string>()
  expect(send('a', 'A', 'old', 0)).toEqual([])
  expect(send('a', 'B', 'A', 9)).toEqual([])
  expect(send('b', 'x', null, 9)).toEqual([])
  expect(send('a', 'C', 'B', 10)).toEqual([['a', 'C', 'old', 10, '#3']])
  expect(send('a', 'D', 'C', 19)).toEqual([['b', 'x', null, 9, '#2']])
  expect(ctx.forwarded.count).toBe(2)
})

test('what is due goes on in the order of time, then key', () => {
  const { send } = open<string>()
  send('b', '1', null, 5)
  send('a', '2', null, 5)
  send('c', '3', null, 3)
  expect(send('z', '4', null, 15).map(([key]) => key)).toEqual(['c', 'a', 'b'])
})

test('stream time never goes back, so a late update goes on at once, and one that is older than the limit too', () => {
  const { send, buffer } = open<string>()
  send('a', '1', null, 100)
  expect(send('b', '2', null, 90)).toEqual([['b', '2', null, 90, '#1']])
  expect(send('c', '3', null, 91)).toEqual([])
  expect(buffer.streamTime).toBe(100)
})

test('a deleted row is an update like any other until a time limit', () => {
  const { send } = open<string>({ limitMs: 0 })
  expect(send('a', null, 'A', 1)).toEqual([['a', null, 'A', 1, '#0']])
})

test('a window goes on once, grace after its end; a deleted one does not', () => {
  const buffer = bufferStore<Windowed<string>, string>()
  const windows = new Map<string, Windowed<string>>()
  const window = (key: string, start: number): Windowed<string> => {
    const name = `${key}${start}`
    windows.set(name, windows.get(name) ?? { key, start, end: start + 10 })
    return windows.get(name) as Windowed<string>
  }
  const { ctx, send } = open<Windowed<string>>({ buffer, until: 'window-close', limitMs: 5 })
  send(window('a', 0), '1', null, 9)
  send(window('b', 0), '1', null, 3)
  send(window('b', 0), null, '1', 9)
  expect(send(window('a', 10), '1', null, 14)).toEqual([])
  expect(send(window('a', 10), '2', '1', 15)).toEqual([[window('a', 0), '1', null, 9, '#0']])
  expect(ctx.forwarded.count).toBe(1)
  expect(buffer.size).toBe(1)
})

test('a full buffer passes the oldest on early', () => {
  const { send } = open<string>({ limitMs: 1000, maxRecords: 2, whenFull: 'emit' })
  send('b', '1', null, 0)
  send('a', '2', null, 0)
  expect(send('b', '3', '1', 1)).toEqual([])
  expect(send('c', '4', null, 2)).toEqual([['a', '2', null, 0, '#1']])
  expect(send('0', '5', null, 0)).toEqual([['0', '5', null, 0, '#4']])
})

test('a buffer that has too many bytes passes on as many as it must', () => {
  const buffer = bufferStore<string, string>((value) => value?.length ?? 0)
  const { send } = open<string>({ buffer, limitMs: 1000, maxBytes: 10, whenFull: 'emit' })
  send('a', '1234', null, 0)
  send('b', '1234', null, 1)
  expect(send('c', '12', null, 2)).toEqual([])
  expect(send('d', '1234567', null, 3).map(([key]) => key)).toEqual(['a', 'b'])
  expect(send('e', '123456789012', null, 4).map(([key]) => key)).toEqual(['c', 'd', 'e'])
})

test('a full buffer stops, and says how to go on; what is due goes first', () => {
  const { send } = open<string>({ maxRecords: 1 })
  send('a', '1', null, 0)
  expect(send('b', '2', null, 10)).toHaveLength(1)
  let error: unknown
  try {
    send('c', '3', null, 11)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(StreamError)
  expect(error).toMatchObject({
    code: 'PROCESSING',
    message: 'calm: the buffer holds 2 updates, and may hold 1',
    where: { node: 'calm' },
  })
  expect((error as StreamError).hint).toContain("whenFull: 'emit'")
  const bytes = open<string>({ buffer: bufferStore(() => 7), maxBytes: 6 })
  expect(() => bytes.send('a', '1', null, 0)).toThrow('calm: the buffer holds 7 bytes, and may hold 6')
})

test('readers see the row before while an update is held back, and the one that went on in what it leads to', () => {
  const buffer = bufferStore<string, string>()
  const rows = new Map<string, string>()
  const view = suppressedView(buffer, (key) => {
    const value = rows.get(key)
    return value === undefined ? undefined : { value, timestamp: 5 }
  })
  const seen: unknown[] = []
  const update = suppress(
    { buffer, until: 'time-limit', limitMs: 10, maxRecords: 100, maxBytes: 100, whenFull: 'stop' },
    context(),
    (key) => seen.push(view(key)),
  )
  const send = (key: string, value: string, old: string | null, timestamp: number): void => {
    rows.set(key, value)
    update(key, value, old, timestamp, headersOf('h'))
  }
  rows.set('a', 'before')
  send('a', 'new', 'before', 0)
  send('b', 'first', null, 1)
  expect(view('a')).toEqual({ value: 'before', timestamp: -1 })
  expect(view('b')).toBeUndefined()
  send('c', 'x', null, 10)
  expect(seen).toEqual([{ value: 'new', timestamp: 5 }])
  expect(view('a')).toEqual({ value: 'new', timestamp: 5 })
})
