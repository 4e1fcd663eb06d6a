import fc from 'fast-check'
import { expect, test } from 'vitest'
import { consumerRecord } from '../../src/common/record.ts'
import { type Call, Calls } from '../../src/operators/calls.ts'
import { type MapAsyncArgs, mapAsync } from '../../src/operators/map-async.ts'
import { noCurrentRecord } from '../../src/operators/processor.ts'
import { collector, context, headers, type Seen } from './harness.ts'

interface Made {
  readonly value: number
  readonly call: Call
  readonly resolve: (result: unknown) => void
  readonly reject: (reason: unknown) => void
}

function make(given: Partial<MapAsyncArgs<unknown, unknown, unknown>> = {}) {
  const made: Made[] = []
  const calls = new Calls()
  const current = noCurrentRecord()
  const { seen, next } = collector()
  const told: Seen[][] = []
  calls.ready = () => told.push([...seen])
  const clock = { now: 0 }
  const mapper = (value: unknown, _key: unknown, call: Call) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    made.push({ value: value as number, call, resolve, reject })
    return promise
  }
  const args = { mapper, concurrency: 3, timeoutMs: 100, current, clock: () => clock.now, calls, ...given }
  const process = mapAsync(args, context(), next)
  const send = (value: unknown) => {
    current.record = consumerRecord(Number(value), 0, null, null)
    current.from = { topic: 'input', partition: 0 }
    process(`k${value}`, value, Number(value), headers)
  }
  return { made, calls, current, seen, told, clock, send }
}

const ended = () => new Promise(setImmediate)

test('results leave in the order of their records, with the key, timestamp and headers of those', async () => {
  const { made, calls, seen, told, send } = make()
  for (const value of [1, 2, 3]) send(value)
  expect([made.map(({ value }) => value), calls.inFlight, calls.isFull]).toEqual([[1, 2, 3], 3, true])
  made[2]?.resolve('c')
  made[1]?.resolve('b')
  await ended()
  calls.drain()
  expect([seen, told]).toEqual([[], []])
  made[0]?.resolve('a')
  await ended()
  expect([seen, told.length]).toEqual([[], 1])
  calls.drain()
  expect(seen).toEqual([
    ['k1', 'a', 1],
    ['k2', 'b', 2],
    ['k3', 'c', 3],
  ])
  expect([calls.inFlight, calls.isFull]).toEqual([0, false])
})

test('no more calls are under way than may be; what one record brings more waits', async () => {
  const { made, calls, seen, send } = make({ concurrency: 2 })
  for (const value of [1, 2, 3, 4]) send(value)
  expect([made.length, calls.inFlight]).toEqual([2, 4])
  made[1]?.resolve('b')
  await ended()
  expect(made.map(({ value }) => value)).toEqual([1, 2, 3])
  made[0]?.resolve('a')
  made[2]?.resolve('c')
  await ended()
  made[3]?.resolve('d')
  await ended()
  calls.drain()
  expect(seen.map(([, value]) => value)).toEqual(['a', 'b', 'c', 'd'])
})

test('a result that is no promise is one at once', () => {
  const { calls, seen, send } = make({ mapper: (value) => `${value}!` })
  send(1)
  calls.drain()
  expect(seen).toEqual([['k1', '1!', 1]])
})

test.each<[string, Partial<MapAsyncArgs<unknown, unknown, unknown>>]>([
  ['rejects', { mapper: async () => Promise.reject(new Error('boom')) }],
  [
    'throws',
    {
      mapper: () => {
        throw new Error('boom')
      },
    },
  ],
])('a call that %s fails at its turn, with its record', async (_, given) => {
  const { calls, current, send } = make(given)
  send(7)
  send(8)
  await ended()
  for (let again = 0; again < 2; again++) {
    expect(() => calls.drain()).toThrow(
      expect.objectContaining({ code: 'PROCESSING', message: 'the-node: boom', where: { node: 'the-node' } }),
    )
    expect(current).toMatchObject({ record: { offset: 7 }, from: { topic: 'input' } })
  }
})

test('a call that takes too long is given up', async () => {
  const { made, calls, clock, told, send } = make()
  expect(calls.deadline).toBe(Number.POSITIVE_INFINITY)
  send(1)
  clock.now = 50
  send(2)
  expect(calls.deadline).toBe(100)
  const { signal } = (made[0] as Made).call
  calls.expire(99)
  expect([signal.aborted, told.length]).toEqual([false, 0])
  calls.expire(100)
  expect([signal.aborted, told.length, calls.deadline]).toEqual([true, 1, 150])
  made[0]?.resolve('late')
  await ended()
  expect(() => calls.drain()).toThrow('the-node: a call did not end within 100 ms')
})

test('what is cleared has nobody waiting', async () => {
  const { made, calls, seen, told, send } = make()
  send(1)
  const { signal } = (made[0] as Made).call
  calls.clear()
  expect([signal.aborted, calls.inFlight, calls.deadline]).toEqual([true, 0, Number.POSITIVE_INFINITY])
  made[0]?.reject(new Error('boom'))
  send(2)
  made[1]?.resolve('b')
  await ended()
  calls.drain()
  expect([seen, told.length]).toEqual([[['k2', 'b', 2]], 1])
})

test('whatever the order of ends, results are the records in their order, and calls stay within bounds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.oneof(fc.constant('send' as const), fc.nat(9)), { maxLength: 60 }),
      async (concurrency, steps) => {
        const { made, calls, seen, send } = make({ concurrency })
        let sent = 0
        const open = () => made.filter(({ call }) => !done.has(call))
        const done = new Set<Call>()
        const finish = async (nth: number) => {
          const one = open()[nth % Math.max(1, open().length)]
          if (one === undefined) return
          done.add(one.call)
          one.resolve(one.value)
          await Promise.resolve().then(() => undefined)
        }
        for (const step of steps) {
          if (step !== 'send') await finish(step)
          else if (!calls.isFull) send(sent++)
          expect(open().length).toBeLessThanOrEqual(concurrency)
          calls.drain()
          expect(calls.inFlight).toBe(sent - seen.length)
        }
        while (open().length > 0) await finish(0)
        await ended()
        calls.drain()
        expect(seen.map(([, value]) => value)).toEqual(Array.from({ length: sent }, (_, i) => i))
      },
    ),
  )
})
