import { expect, test } from 'vitest'
import { map } from '../../src/operators/map.ts'
import { collector, context, headers } from './harness.ts'

test('makes a record of another key and value; the time stays', () => {
  const { seen, next } = collector()
  map<string, number, number, string>({ mapper: (value, key) => [value, key] }, context(), next)('a', 1, 10, headers)
  expect(seen).toEqual([[1, 'a', 10]])
})

test('a mapper that does not return a pair is told so', () => {
  for (const wrong of [undefined, 'ab', ['a'], { key: 1 }]) {
    const run = map({ mapper: () => wrong as unknown as [string, number] }, context('swap'), () => undefined)
    expect(() => {
      run('a', 1, 1, headers)
    }).toThrow(expect.objectContaining({ code: 'PROCESSING', message: 'swap: the function must return [key, value]' }))
  }
})
