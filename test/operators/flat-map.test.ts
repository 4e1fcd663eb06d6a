import { expect, test } from 'vitest'
import { flatMap } from '../../src/operators/flat-map.ts'
import { collector, context, headers } from './harness.ts'

test('makes any number of records, from arrays and from iterables', () => {
  const ctx = context()
  const { seen, next } = collector()
  const run = flatMap<string, number, string, number>(
    {
      mapper: function* (value, key) {
        for (let i = 0; i < value; i++) yield [`${key}${i}`, i]
      },
    },
    ctx,
    next,
  )
  run('a', 2, 10, headers)
  run('b', 0, 11, headers)
  flatMap<string, number, string, number>({ mapper: (value, key) => [[key, value]] }, ctx, next)('c', 5, 12, headers)
  expect(seen).toEqual([
    ['a0', 0, 10],
    ['a1', 1, 10],
    ['c', 5, 12],
  ])
  expect(ctx.forwarded.count).toBe(3)
})

test('a generator that throws half way names the processor, and nothing has been passed on', () => {
  const { seen, next } = collector()
  const run = flatMap<string, number, string, number>(
    {
      mapper: function* () {
        yield ['a', 1]
        throw new Error('half way')
      },
    },
    context('explode'),
    next,
  )
  expect(() => {
    run('a', 1, 1, headers)
  }).toThrow(expect.objectContaining({ code: 'PROCESSING', message: 'explode: half way' }))
  expect(seen).toEqual([])
})

test('what is no list of pairs is told so', () => {
  for (const wrong of [undefined, 7, [1], [['a', 1], null]]) {
    const run = flatMap({ mapper: () => wrong as unknown as [string, number][] }, context(), () => undefined)
    expect(() => {
      run('a', 1, 1, headers)
    }).toThrow(expect.objectContaining({ code: 'PROCESSING' }))
  }
})
