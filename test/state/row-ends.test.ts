import { expect, test } from 'vitest'
import { RowEnds } from '../../src/state/row-ends.ts'
import { json, text } from './codecs.ts'

function taken<K>(ends: RowEnds<K>, until: number, rows: ReadonlyMap<unknown, number>): [K, number][] {
  const seen: [K, number][] = []
  ends.take(
    until,
    (key) => rows.get(typeof key === 'object' ? JSON.stringify(key) : key),
    (key, end) => seen.push([key, end]),
  )
  return seen
}

test('what ends comes out in the order of (end, key bytes), once', () => {
  const ends = new RowEnds(text)
  const rows = new Map([
    ['b', 10],
    ['a', 10],
    ['c', 9],
    ['d', 11],
  ])
  for (const [key, end] of rows) ends.put(key, end)
  expect(taken(ends, 10, rows)).toEqual([
    ['c', 9],
    ['a', 10],
    ['b', 10],
  ])
  expect(taken(ends, 10, rows)).toEqual([])
  expect(taken(ends, 11, rows)).toEqual([['d', 11]])
})

test('a row that lives on is asked for again at its end, however often it was put', () => {
  const ends = new RowEnds(text)
  const rows = new Map<string, number>()
  for (let end = 10; end < 1000; end++) {
    rows.set('a', end)
    ends.put('a', end)
  }
  expect(taken(ends, 998, rows)).toEqual([])
  expect(taken(ends, 2000, rows)).toEqual([['a', 999]])
})

test('a row that was put with an earlier end ends then, and no more', () => {
  const ends = new RowEnds(text)
  const rows = new Map([['a', 20]])
  ends.put('a', 20)
  rows.set('a', 15)
  ends.put('a', 15)
  expect(taken(ends, 15, rows)).toEqual([['a', 15]])
  expect(taken(ends, 30, rows)).toEqual([])
})

test('a row that is gone ends never; put again it ends anew', () => {
  const ends = new RowEnds(text)
  const rows = new Map<string, number>()
  ends.put('a', 10)
  expect(taken(ends, 12, rows)).toEqual([])
  rows.set('a', 20)
  ends.put('a', 20)
  expect(taken(ends, 20, rows)).toEqual([['a', 20]])
})

test('keys that are objects are the same when their bytes are', () => {
  const ends = new RowEnds(json<{ id: number }>())
  const rows = new Map([['{"id":1}', 12]])
  ends.put({ id: 1 }, 10)
  ends.put({ id: 1 }, 12)
  expect(taken(ends, 20, rows)).toEqual([[{ id: 1 }, 12]])
})
