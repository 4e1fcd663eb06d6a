import { expect, test } from 'vitest'
import { print } from '../../src/operators/print.ts'
import { headers } from './harness.ts'

test('print shows key and value on a line each, as many as it may', () => {
  const lines: string[] = []
  const printed = print<unknown, unknown>({ label: 'seen', limit: 3, write: (line) => lines.push(line) })
  for (const value of [{ a: { b: [1n, null] } }, 'text\u001b[31m\n', Buffer.from('a'), 'past the limit']) {
    printed('k', value, 1, headers)
  }
  expect(lines).toEqual([
    "[seen]: 'k', { a: { b: [ 1n, null ] } }",
    "[seen]: 'k', 'text\\x1B[31m\\n'",
    "[seen]: 'k', <Buffer 61>",
  ])
})

test('without a limit all are shown, and a limit of 0 shows none', () => {
  const lines: string[] = []
  const write = (line: string) => lines.push(line)
  for (const limit of [Number.POSITIVE_INFINITY, 0]) {
    const printed = print({ label: 'seen', limit, write })
    for (let i = 0; i < 100; i++) printed(null, null, 1, headers)
  }
  expect(lines).toEqual(Array(100).fill('[seen]: null, null'))
})
