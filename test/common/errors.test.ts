import { expect, test } from 'vitest'
import { located, messageOf, relocated, StreamError } from '../../src/common/errors.ts'

test('more coordinates are added, known ones win, and the rest of the error stays', () => {
  const cause = new Error('cause')
  const error = new StreamError('PROCESSING', 'it failed', {
    cause,
    hint: 'mend it',
    where: { node: 'filter', line: 3 },
  })
  const more = located(error, { node: 'other', topic: 't', partition: 0, offset: 7 })
  expect(more).toMatchObject({
    code: 'PROCESSING',
    message: 'it failed',
    cause,
    hint: 'mend it',
    where: { node: 'filter', line: 3, topic: 't', partition: 0, offset: 7 },
  })
  expect(more.stack).toBe(error.stack)
})

test('what was not given is not there', () => {
  const error = located(new StreamError('TIMEOUT', 'late'), {})
  expect('cause' in error).toBe(false)
  expect(error.hint).toBeUndefined()
  expect(error.where).toEqual({})
})

test('anything thrown has a message', () => {
  expect([new Error('a'), 'b', 3, null, undefined].map(messageOf)).toEqual(['a', 'b', '3', 'null', 'undefined'])
})

test('moved to other coordinates, nothing of the old ones stays', () => {
  const error = new StreamError('SERIALIZATION', 'no', { hint: 'h', where: { topic: 'out', node: 'sink' } })
  expect(relocated(error, { topic: 'in', offset: 3 })).toMatchObject({ code: 'SERIALIZATION', hint: 'h' })
  expect(relocated(error, { topic: 'in', offset: 3 }).where).toEqual({ topic: 'in', offset: 3 })
})
