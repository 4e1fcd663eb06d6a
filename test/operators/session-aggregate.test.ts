import { expect, test } from 'vitest'
import { noHeaders } from '../../src/common/record.ts'
import { Windows } from '../../src/common/windows.ts'
import type { Process, Update } from '../../src/operators/processor.ts'
import { type SessionAggregation, sessionAggregate } from '../../src/operators/session-aggregate.ts'
import { context, headers, sessionStore } from './harness.ts'

const tracing: SessionAggregation<string, string | null, string> = {
  initializer: () => '',
  aggregator: (trace, value) => trace + value,
  merger: (trace, other) => `${trace}(${other})`,
}

interface Made {
  readonly send: (value: string | null, timestamp: number, key?: string | null) => readonly string[]
  readonly process: Process
  readonly ctx: ReturnType<typeof context>
  readonly store: ReturnType<typeof sessionStore<string, string>>
}

/** Updates as `[start,end] old->new @timestamp`. */
function make(aggregation: SessionAggregation<string, string | null, string> = tracing, grace = 0): Made {
  const ctx = context()
  const store = sessionStore<string, string>(10 + grace)
  const seen: string[] = []
  const update: Update = ({ start, end }, value, old, timestamp, given) => {
    expect(given).toBe(noHeaders)
    seen.push(`[${start},${end}] ${old}->${value} @${timestamp}`)
  }
  const windows = Windows.session(10, { grace })
  const process = sessionAggregate({ ...aggregation, store, windows }, ctx, update) as Process
  return {
    ctx,
    store,
    process,
    send: (value, timestamp, key = 'k') => {
      process(key, value, timestamp, headers)
      return seen.splice(0)
    },
  }
}

test('records a gap apart are one session, a ms more makes two', () => {
  const { send, ctx } = make()
  expect(send('a', 0)).toEqual(['[0,0] null->a @0'])
  expect(send('b', 10)).toEqual(['[0,0] a->null @0', '[0,10] null->(a)b @10'])
  expect(send('c', 21)).toEqual(['[21,21] null->c @21'])
  expect(ctx.forwarded.count).toBe(4)
})

test('a record between sessions makes one of all that it reaches, earliest first', () => {
  const { send } = make(tracing, 100)
  send('a', 0)
  send('b', 20)
  send('c', 40)
  expect(send('d', 10)).toEqual(['[0,0] a->null @0', '[20,20] b->null @20', '[0,20] null->(a)(b)d @20'])
  expect(send('e', 30)).toEqual(['[0,20] (a)(b)d->null @20', '[40,40] c->null @40', '[0,40] null->((a)(b)d)(c)e @40'])
})

test('a session of one moment is overwritten, and nothing deleted', () => {
  const { send } = make()
  send('a', 5)
  expect(send('b', 5)).toEqual(['[5,5] null->(a)b @5'])
})

test('a record is late when the session it would be part of has closed, and moves nothing then', () => {
  const { send, ctx, store } = make(tracing, 10)
  send('a', 100)
  expect(send('b', 79)).toEqual([])
  expect(ctx.drops).toEqual(['late'])
  expect(send('c', 80)).toEqual(['[80,80] null->c @80'])
  expect(store.streamTime).toBe(100)
  // Late by itself, but it joins a session that is open.
  send('d', 85)
  expect(send('e', 75)).toEqual(['[85,85] d->null @85', '[75,85] null->(d)e @85'])
})

test('a null key is dropped and moves nothing, a null value reaches the aggregator', () => {
  const { send, ctx, store } = make()
  expect(send('a', 50, null)).toEqual([])
  expect([ctx.drops, store.streamTime]).toEqual([['null-key'], -1])
  expect(send(null, 1)).toEqual(['[1,1] null->null @1'])
})

test('reduce: the first value is the first result, and merging asks for nothing that is not there', () => {
  const calls: string[] = []
  const reducer = (a: string, b: string | null): string => {
    calls.push(`${a}+${b}`)
    return `${a}${b}`
  }
  const { send } = make({ aggregator: reducer, merger: reducer }, 100)
  send('a', 0)
  send('b', 20)
  expect(send('c', 10).at(-1)).toBe('[0,20] null->abc @20')
  expect(calls).toEqual(['a+b', 'ab+c'])
})

test('a null aggregate deletes the session', () => {
  const { send, store } = make({ ...tracing, aggregator: (trace, value) => (value === 'x' ? null : trace + value) })
  send('a', 0)
  expect(send('x', 3)).toEqual(['[0,0] a->null @0', '[0,3] null->null @3'])
  expect(store.sessions.get('k')).toEqual([])
})

test('an exception or an undefined aggregate names the operator', () => {
  const undefining = make({ ...tracing, aggregator: () => undefined as never })
  expect(() => undefining.send('a', 0)).toThrow(/the-node: the aggregator returned undefined/)
  const throwing = make({
    ...tracing,
    merger: () => {
      throw new Error('no merge')
    },
  })
  throwing.send('a', 0)
  expect(() => throwing.send('b', 1)).toThrow(
    expect.objectContaining({ code: 'PROCESSING', message: 'the-node: no merge' }),
  )
})
