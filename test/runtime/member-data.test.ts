import { expect, test } from 'vitest'
import { readMember, readStandbys, writeMember, writeStandbys } from '../../src/runtime/member-data.ts'

const nothing = { tasks: [], applicationServer: null, process: null, held: new Map() }

test('what a member tells comes back', () => {
  const held = new Map([
    ['0_1', 12],
    ['2_0', 0],
  ])
  const data = { tasks: ['0_1', '1_0'], applicationServer: '127.0.0.1:8080', process: 'p', held }
  expect(readMember(writeMember(data))).toEqual(data)
})

test.each([
  ['nothing', ''],
  ['no JSON', '{'],
  ['no object', 'null'],
  ['another version', '{"version":2,"tasks":["0_0"],"applicationServer":"a:1","standbys":["0_0"]}'],
  ['other types', '{"version":1,"tasks":"0_0","applicationServer":7,"process":2,"held":3,"standbys":"0_0"}'],
])('of %s nothing counts', (_, text) => {
  expect(readMember(Buffer.from(text))).toEqual(nothing)
  expect(readStandbys(Buffer.from(text))).toEqual([])
})

test('a member from before there were servers and standbys has its tasks', () => {
  expect(readMember(Buffer.from('{"version":1,"tasks":["0_0",3]}'))).toEqual({ ...nothing, tasks: ['0_0'] })
})

test('positions that are none are left out', () => {
  const userData = Buffer.from('{"version":1,"held":{"0_0":3,"0_1":-1,"0_2":"4","0_3":0.5}}')
  expect(readMember(userData).held).toEqual(new Map([['0_0', 3]]))
})

test('what a member from before there were standbys reads of another is where it was', () => {
  const { version, tasks } = JSON.parse(writeMember({ ...nothing, tasks: ['0_0'] }).toString())
  expect({ version, tasks }).toEqual({ version: 1, tasks: ['0_0'] })
})

test('the leader names the standbys of a member, or says nothing', () => {
  expect(readStandbys(writeStandbys(['0_1', '1_0']))).toEqual(['0_1', '1_0'])
  expect(writeStandbys([])).toHaveLength(0)
})
