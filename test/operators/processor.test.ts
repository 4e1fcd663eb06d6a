import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { guard2, guard3, predicate2, value2, value3 } from '../../src/operators/processor.ts'

const unheard = vi.fn()

beforeEach(() => {
  process.on('unhandledRejection', unheard)
})

afterEach(() => {
  process.off('unhandledRejection', unheard)
})

/** What a function that returns this is told, by each of those that look at its result. */
function told(result: unknown): readonly string[] {
  return [
    value2('the-node', 'mapper', () => result),
    value3('the-node', 'joiner', () => result),
    predicate2('the-node', () => result),
  ].map((call) => {
    try {
      return `gives ${String((call as (...args: unknown[]) => unknown)(1, 2, 3))}`
    } catch (thrown) {
      const { code, message, where } = thrown as { code: string; message: string; where: { node: string } }
      return `${code} ${where.node} ${message}`
    }
  })
}

test('whatever is a value passes, null and falsy ones too', () => {
  for (const value of [null, 0, '', false, Number.NaN, 'a']) {
    expect(told(value)).toEqual([`gives ${value}`, `gives ${value}`, `gives ${Boolean(value)}`])
  }
})

test('undefined is no value, and is not true', () => {
  expect(told(undefined)).toEqual([
    'PROCESSING the-node the-node: the mapper returned undefined: a return is missing, or null is meant',
    'PROCESSING the-node the-node: the joiner returned undefined: a return is missing, or null is meant',
    'gives false',
  ])
})

test('a promise is neither a value nor true; that it fails is not heard of again', async () => {
  const late = ': a record is processed without waiting, except by mapAsync'
  expect(told(Promise.reject(new Error('unheard')))).toEqual([
    `PROCESSING the-node the-node: the mapper returned a promise${late}`,
    `PROCESSING the-node the-node: the joiner returned a promise${late}`,
    `PROCESSING the-node the-node: the predicate returned a promise${late}`,
  ])
  await setImmediate()
  expect(unheard).not.toHaveBeenCalled()
})

test('where nobody uses the result, it may be anything', () => {
  expect(guard2('the-node', () => undefined)(1, 2)).toBeUndefined()
  expect(guard3('the-node', async () => undefined)(1, 2, 3)).toBeInstanceOf(Promise)
})

test('arguments come as they are, and what is thrown names the node', () => {
  const failing = (...args: unknown[]): never => {
    throw new Error(`of ${args.join()}`)
  }
  for (const call of [guard2('n', failing), value2('n', 'mapper', failing), predicate2('n', failing)]) {
    expect(() => call('a', 'b')).toThrow(expect.objectContaining({ code: 'PROCESSING', message: 'n: of a,b' }))
  }
  for (const call of [guard3('n', failing), value3('n', 'joiner', failing)]) {
    expect(() => call('a', 'b', 'c')).toThrow(expect.objectContaining({ code: 'PROCESSING', message: 'n: of a,b,c' }))
  }
})
