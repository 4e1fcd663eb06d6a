import { expect, test } from 'vitest'
import { consumerRecord } from '../../src/common/record.ts'
import type { Update } from '../../src/operators/processor.ts'
import type { Punctuate } from '../../src/operators/punctuation.ts'
import { type TableTransformValuesArgs, tableTransformValues } from '../../src/operators/table-transform-values.ts'
import { context, headers, keyValueStore } from './harness.ts'

// biome-ignore lint/suspicious/noExplicitAny: the facade types what a user's function sees.
type Seen = any
type Args = TableTransformValuesArgs<string, number, string>

function run(given: Partial<Args>, next: Update = () => undefined) {
  const rows = keyValueStore<unknown, unknown>()
  const results = keyValueStore<string, string>()
  const punctuates: Punctuate[] = []
  const out: unknown[][] = []
  const ctx = context()
  const args: Args = {
    transform: (value, key) => `${key}${value}`,
    punctuators: [],
    stores: { rows },
    tables: { table: (key: unknown) => (key === 'a' ? { value: 'row of a', timestamp: 1 } : undefined) },
    app: 'app',
    task: '0_2',
    current: { value: undefined, record: consumerRecord(7, 10, null, null), from: { topic: 'input', partition: 2 } },
    streamTime: () => 99,
    clock: () => 1234,
    schedule: (_type, _every, punctuate) => punctuates.push(punctuate),
    store: results,
    sendsOld: false,
    ...given,
  }
  const update = tableTransformValues(args, ctx, (...update) => {
    out.push(update)
    next(...update)
  })
  return {
    update,
    out,
    rows: rows.rows,
    results: results.rows,
    ctx,
    punctuate: (time: number) => punctuates[0]?.(time),
  }
}

test('deleted rows come too, null deletes, and each update is passed on', () => {
  const { update, out, results, ctx } = run({
    transform: (value, key) => (value === 2 ? null : `${key}${value ?? ' gone'}`),
  })
  update('a', 1, null, 10, headers)
  expect(results.get('a')).toEqual({ value: 'a1', timestamp: 10 })
  update('a', 2, null, 11, headers)
  expect(results.size).toBe(0)
  update('a', null, null, 12, headers)
  expect(results.get('a')).toEqual({ value: 'a gone', timestamp: 12 })
  expect(out).toEqual([
    ['a', 'a1', null, 10, headers],
    ['a', null, null, 11, headers],
    ['a', 'a gone', null, 12, headers],
  ])
  expect(out[0]?.[4]).toBe(headers)
  expect(ctx.forwarded.count).toBe(3)
})

test('the old value is the result of then: the function is called once for each update', () => {
  let calls = 0
  const { update, out } = run({ sendsOld: true, transform: () => `call ${++calls}` })
  update('a', 1, null, 10, headers)
  update('a', 1, 5, 11, headers)
  update('b', null, 6, 12, headers)
  expect(out.map(([, value, old]) => [value, old])).toEqual([
    ['call 1', null],
    ['call 2', 'call 1'],
    ['call 3', null],
  ])
})

test('sees its stores, tables to read, and where the record is', () => {
  const { update, out, rows } = run({
    transform: (value, key, { stores, tables, topic, partition, offset, timestamp, currentStreamTimeMs }: Seen) => {
      stores.rows.put(key, value)
      return `${tables.table.get(key)} ${topic}/${partition}/${offset}/${timestamp}/${currentStreamTimeMs}`
    },
  })
  update('a', 1, null, 10, headers)
  expect(out[0]?.[1]).toBe('row of a input/2/7/10/99')
  expect(rows.get('a')).toEqual({ value: 1, timestamp: 10 })
})

test('a punctuation has stores, and nothing to forward with', () => {
  const { rows, punctuate, out } = run({
    punctuators: [
      {
        type: 'stream-time',
        everyMs: 10,
        punctuate: (time, { stores, forward }: Seen) => stores.rows.put('k', [time, forward]),
      },
    ],
  })
  punctuate(20)
  expect(rows.get('k')).toEqual({ value: [20, undefined], timestamp: 20 })
  expect(out).toEqual([])
})

test('what it throws names it, and so does a result that is none', () => {
  const failing = (transform: Args['transform']) => () => run({ transform }).update('a', 1, null, 10, headers)
  const thrower = () => {
    throw new Error('no luck')
  }
  expect(failing(thrower)).toThrow(/^the-node: no luck$/)
  expect(failing(() => undefined as Seen)).toThrow(/^the-node: the function returned undefined; null is no row$/)
  expect(failing(() => Promise.resolve('a') as Seen)).toThrow(/^the-node: the function returned a promise/)
})

test('stores refuse outside of the call, and what fails downstream keeps its own error', () => {
  let kept: Seen
  const { update } = run(
    {
      transform: (_value, _key, context) => {
        kept = context
        return 'x'
      },
    },
    () => {
      throw new RangeError('downstream')
    },
  )
  expect(() => update('a', 1, null, 10, headers)).toThrow(RangeError)
  expect(() => kept.stores.rows.get('a')).toThrow(/can be used only while the processor runs/)
})
