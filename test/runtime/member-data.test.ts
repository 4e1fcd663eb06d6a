import { expect, test } from 'vitest'
import { readMember, writeMember } from '../../src/runtime/member-data.ts'

test('what a member tells comes back', () => {
  const data = { tasks: ['0_1', '1_0'], applicationServer: '127.0.0.1:8080' }
  expect(readMember(writeMember(data))).toEqual(data)
})

test.each([
  ['nothing', ''],
  ['no JSON', '{'],
  ['no object', 'null'],
  ['another version', '{"version":2,"tasks":["0_0"],"applicationServer":"a:1"}'],
  ['other types', '{"version":1,"tasks":"0_0","applicationServer":7}'],
])('of %s nothing counts', (_, text) => {
  expect(readMember(Buffer.from(text))).toEqual({ tasks: [], applicationServer: null })
})

test('a member from before there were servers has its tasks', () => {
  expect(readMember(Buffer.from('{"version":1,"tasks":["0_0",3]}'))).toEqual({
    tasks: ['0_0'],
    applicationServer: null,
  })
})
