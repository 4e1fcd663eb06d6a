import { expect, test } from 'vitest'
import { consumerRecord, type Headers, noHeaders } from '../../src/common/record.ts'
import { type ProcessArgs, process } from '../../src/operators/process.ts'
import type { Process } from '../../src/operators/processor.ts'
import type { Punctuate } from '../../src/operators/punctuation.ts'
import { context, headers, keyValueStore } from './harness.ts'

// biome-ignore lint/suspicious/noExplicitAny: the facade types what a user's function sees.
type Seen = any

function run(given: Partial<ProcessArgs<unknown, unknown>>, next: Process = () => undefined) {
  const rows = keyValueStore<unknown, unknown>()
  const punctuates: Punctuate[] = []
  const out: unknown[][] = []
  const ctx = context()
  const record = consumerRecord(7, 10, null, null)
  const current = { value: undefined, record, from: { topic: 'input', partition: 2 } }
  const args = {
    on: () => undefined,
    punctuators: [],
    fixedKey: false,
    stores: { rows },
    tables: { table: (key: unknown) => (key === 'a' ? { value: 'row of a', timestamp: 1 } : undefined) },
    app: 'app',
    task: '0_2',
    current,
    streamTime: () => 99,
    clock: () => 1234,
    schedule: (_type: string, _every: number, punctuate: Punctuate) => punctuates.push(punctuate),
    ...given,
  }
  const processor = process(args, ctx, (...record) => {
    out.push(record)
    next(...record)
  })
  return { processor, out, rows: rows.rows, ctx, current, punctuate: (time: number) => punctuates[0]?.(time) }
}

test('sees the record and where it is, and forwards with its timestamp and headers or others', () => {
  const seen: unknown[] = []
  const other: Headers = [{ key: 'other', value: null }]
  const { processor, out, ctx } = run({
    on: (record, context: Seen) => {
      const { topic, partition, offset, timestamp, headers, taskId, applicationId } = context
      const { currentStreamTimeMs, currentSystemTimeMs, forward } = context
      seen.push(record, { topic, partition, offset, timestamp, headers, taskId, applicationId })
      seen.push([currentStreamTimeMs, currentSystemTimeMs])
      forward('x', 1)
      forward('y', null, { timestamp: 3, headers: other })
    },
  })
  processor('a', 'v', 10, headers)
  expect(seen).toEqual([
    { key: 'a', value: 'v', timestamp: 10, headers },
    { topic: 'input', partition: 2, offset: 7, timestamp: 10, headers, taskId: '0_2', applicationId: 'app' },
    [99, 1234],
  ])
  expect(out).toEqual([
    ['x', 1, 10, headers],
    ['y', null, 3, other],
  ])
  expect(out[0]?.[3]).toBe(headers)
  expect(ctx.forwarded.count).toBe(2)
})

test('with a fixed key what is forwarded has that of the record', () => {
  const { processor, out } = run({ fixedKey: true, on: (_, { forward }: Seen) => forward('w', { timestamp: 4 }) })
  processor(null, 'v', 10, headers)
  expect(out).toEqual([[null, 'w', 4, headers]])
})

test('rows carry the timestamp of the record at hand; tables are only read', () => {
  const found: unknown[] = []
  const { processor, rows } = run({
    on: ({ key, value }, { stores, tables }: Seen) => {
      found.push([stores.rows.get(key), stores.rows.putIfAbsent(key, value), tables.table.get(key)])
      if (value === 'gone') found.push(stores.rows.delete(key), stores.rows.delete(key))
      if (value === 'null') stores.rows.put(key, null)
    },
  })
  processor('a', 1, 10, headers)
  processor('b', 2, 11, headers)
  processor('a', 3, 12, headers)
  expect([...rows]).toEqual([
    ['a', { value: 1, timestamp: 10 }],
    ['b', { value: 2, timestamp: 11 }],
  ])
  processor('a', 'gone', 13, headers)
  processor('b', 'null', 14, headers)
  expect(found).toEqual([
    [undefined, undefined, 'row of a'],
    [undefined, undefined, undefined],
    [1, 1, 'row of a'],
    [1, 1, 'row of a'],
    1,
    undefined,
    [2, 2, undefined],
  ])
  expect(rows.size).toBe(0)
})

test('a punctuation has its time, and no record', () => {
  const punctuate = (time: number, { stores, forward, topic, timestamp, headers }: Seen) => {
    stores.rows.put('k', [topic, timestamp, headers])
    forward('k', time)
  }
  const {
    processor,
    out,
    rows,
    current,
    punctuate: call,
  } = run({
    punctuators: [{ type: 'stream-time', everyMs: 10, punctuate }],
  })
  processor('a', 'v', 10, headers)
  Object.assign(current, { record: null, from: null })
  call(20)
  expect(rows.get('k')).toEqual({ value: [null, 20, noHeaders], timestamp: 20 })
  expect(out).toEqual([['k', 20, 20, noHeaders]])
})

test('with a fixed key a punctuation has no key to forward under', () => {
  const { processor, punctuate } = run({
    fixedKey: true,
    punctuators: [{ type: 'stream-time', everyMs: 10, punctuate: (_, { forward }: Seen) => forward('w') }],
  })
  processor('a', 'v', 10, headers)
  expect(() => punctuate(20)).toThrow(
    expect.objectContaining({ code: 'PROCESSING', message: expect.stringContaining('use process') }),
  )
})

test.each<[string, (context: Seen) => unknown, string]>([
  [
    'throws',
    () => {
      throw new Error('boom')
    },
    'the-node: boom',
  ],
  ['returns a promise', async () => undefined, 'returned a promise'],
  ['forwards undefined', ({ forward }) => forward('k', undefined), 'forward was given undefined'],
  ['forwards a timestamp that is none', ({ forward }) => forward('k', 1, { timestamp: -1 }), 'timestamp -1'],
  ['forwards headers that are none', ({ forward }) => forward('k', 1, { headers: { a: 'b' } }), 'headers that are not'],
  [
    'forwards a header of text',
    ({ forward }) => forward('k', 1, { headers: [{ key: 'a', value: 'b' }] }),
    'headers that are not',
  ],
  ['stores undefined', ({ stores }) => stores.rows.put('k', undefined), 'store rows: put was given undefined'],
  ['stores under no key', ({ stores }) => stores.rows.put(null, 1), 'store rows: a key is null'],
  ['looks for no key', ({ stores }) => stores.rows.get(undefined), 'store rows: a key is undefined'],
  ['looks for no key in a table', ({ tables }) => tables.table.get(null), 'store table: a key is null'],
])('a function that %s fails with the name of its processor', (_, call, message) => {
  const { processor } = run({ on: (_, context) => call(context) })
  expect(() => processor('a', 'v', 10, headers)).toThrow(
    expect.objectContaining({
      code: 'PROCESSING',
      message: expect.stringContaining(message),
      where: { node: 'the-node' },
    }),
  )
})

test('what fails downstream keeps its place, and does not pass because it is caught', () => {
  const failure = new Error('downstream')
  const { processor } = run(
    {
      on: (_, { forward }: Seen) => {
        try {
          forward('k', 1)
        } catch {
          if (failure.message === 'other') throw new Error('of its own')
        }
      },
    },
    () => {
      throw failure
    },
  )
  expect(() => processor('a', 'v', 10, headers)).toThrow(failure)
  failure.message = 'other'
  expect(() => processor('a', 'v', 10, headers)).toThrow(failure)
})

test('outside of the time of its function the context does nothing', () => {
  let kept: Seen
  const { processor, rows, out } = run({
    on: (_, context) => {
      kept = context
    },
  })
  processor('a', 'v', 10, headers)
  for (const late of [
    () => kept.forward('k', 1),
    () => kept.stores.rows.put('k', 1),
    () => kept.stores.rows.get('k'),
    () => kept.tables.table.get('k'),
  ]) {
    expect(late).toThrow('only while the processor runs')
  }
  expect([rows.size, out]).toEqual([0, []])
})
