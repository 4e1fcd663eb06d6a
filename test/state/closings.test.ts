import { expect, test } from 'vitest'
import { Closings } from '../../src/state/closings.ts'
import { json, text } from './codecs.ts'

test('times come out in their order, up to a bound, with the keys of each', () => {
  const closings = new Closings(text)
  expect(closings.first).toBe(Number.POSITIVE_INFINITY)
  closings.add(20, 'c')
  closings.add(10, 'a')
  closings.add(30, 'd')
  closings.add(10, 'b')
  expect(closings.first).toBe(10)
  expect(closings.take(9)).toBeUndefined()
  expect([closings.take(25), closings.take(25), closings.take(25)]).toEqual([
    { time: 10, keys: ['a', 'b'] },
    { time: 20, keys: ['c'] },
    undefined,
  ])
  expect(closings.first).toBe(30)
  closings.clear()
  expect([closings.first, closings.take(Number.POSITIVE_INFINITY)]).toEqual([Number.POSITIVE_INFINITY, undefined])
})

test('the keys of a time are told once, in the order of their bytes', () => {
  const closings = new Closings(text)
  // In UTF-8 U+FFFD comes before U+1F600; as UTF-16 after it.
  for (const key of ['ü', '\u{1f600}', 'b', '\ufffd', 'b', 'ba', 'a']) closings.add(5, key)
  expect(closings.take(5)?.keys).toEqual(['a', 'b', 'ba', 'ü', '\ufffd', '\u{1f600}'])
})

test('keys that are no primitives are told apart by what they hold', () => {
  const closings = new Closings(json<{ readonly id: number }>())
  for (const id of [2, 1, 2]) closings.add(5, { id })
  expect(closings.take(5)?.keys).toEqual([{ id: 1 }, { id: 2 }])
})

test('a time that was taken out can come in again', () => {
  const closings = new Closings(text)
  closings.add(5, 'a')
  closings.take(5)
  closings.add(5, 'b')
  expect(closings.take(5)).toEqual({ time: 5, keys: ['b'] })
})
