import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StreamError } from '../../src/common/errors.ts'
import { string } from '../../src/serde/string.ts'
import { topicPattern } from '../../src/serde/topic-pattern.ts'

const serdes = { key: string, value: string }

function refusal(call: () => unknown): StreamError {
  try {
    call()
  } catch (thrown) {
    if (thrown instanceof StreamError) return thrown
    throw thrown
  }
  throw new Error('nothing was thrown')
}

test.each<readonly [RegExp, readonly string[], readonly string[]]>([
  [/orders-.*/, ['orders-', 'orders-eu'], ['orders', 'all-orders-eu', 'Orders-eu']],
  [/orders-.*/i, ['Orders-EU'], ['my-orders-eu']],
  [/^orders-.*$/, ['orders-eu'], ['all-orders-eu']],
  [/a|b/, ['a', 'b'], ['ab', 'ba', 'c']],
  [/(\w)\1/u, ['aa'], ['ab', 'aaa']],
])('%s matches whole names', (pattern, yes, no) => {
  const { pattern: matcher, name } = topicPattern(pattern, serdes)
  expect(name).toBe(String(pattern))
  // Twice: it remembers nothing.
  for (const _ of [1, 2]) {
    expect(yes.filter((topic) => !matcher.test(topic))).toEqual([])
    expect(no.filter((topic) => matcher.test(topic))).toEqual([])
  }
})

test('a literal matches its own name alone', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9._-]{1,12}$/)
  fc.assert(
    fc.property(name, name, (one, other) => {
      const { pattern } = topicPattern(new RegExp(one.replaceAll('.', '\\.')), serdes)
      expect(pattern.test(one)).toBe(true)
      expect(pattern.test(other)).toBe(one === other)
    }),
  )
})

test('what is no pattern, or remembers, or has no serdes, is refused', () => {
  expect(refusal(() => topicPattern('orders-.*' as never, serdes))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: '"orders-.*" is not a regular expression',
    hint: expect.stringContaining('topicPattern(/orders-.*/'),
  })
  expect(refusal(() => topicPattern(undefined as never, serdes)).message).toContain('is not a regular expression')
  expect(refusal(() => topicPattern(/a/g, serdes))).toMatchObject({
    message: '/a/g remembers where it matched last (flag g)',
    hint: expect.stringContaining('Leave the flag out'),
  })
  expect(refusal(() => topicPattern(/a/y, serdes)).message).toContain('(flag y)')
  expect(refusal(() => topicPattern(/a/, { key: string } as never))).toMatchObject({
    message: '/a/ has no value serde',
    hint: 'Declare both: topicPattern(/a/, { key: string, value: json<Order>() }).',
  })
})
