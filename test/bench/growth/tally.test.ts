import { expect, test } from 'vitest'
import type { Groups } from '../../../bench/growth/axis.ts'
import { Tally } from '../../../bench/growth/tally.ts'

/** Three groups in turn. */
const groups: Groups = {
  count: 3,
  of: (number) => [number % 3],
  in: (key) => Number(key.toString()),
  countIn: (value) => Number(value.toString()),
}

function tally(outputs: readonly (readonly [group: number, count: number])[], countIn = groups.countIn): Tally {
  const tally = new Tally({ ...groups, countIn })
  for (const [group, count] of outputs) tally.take(Buffer.from(String(group)), Buffer.from(String(count)))
  return tally
}

test('what every group says last must be its number of input records, however many updates were written', () => {
  const right = tally([
    [0, 1],
    [0, 2],
    [1, 2],
    [2, 1],
  ])
  expect(right.outputs).toBe(4)
  expect(right.difference(0, 5)).toBeNull()
})

test('a lost record and a doubled one are seen', () => {
  const outputs = [
    [0, 2],
    [2, 1],
  ] as const
  expect(tally([...outputs, [1, 1]]).difference(0, 5)).toBe('group 1 includes 1 input records, not 2')
  expect(tally([...outputs, [1, 3]]).difference(0, 5)).toBe('group 1 includes 3 input records, not 2')
  expect(tally(outputs).difference(0, 5)).toBe('group 1 includes 0 input records, not 2')
})

test('without a count in the output each record has one of its own', () => {
  const each = [0, 1, 2, 0, 1].map((group) => [group, 9] as const)
  expect(tally(each, null).difference(0, 5)).toBeNull()
  expect(tally([...each, [1, 9]], null).difference(0, 5)).toBe('group 1 includes 3 input records, not 2')
})

test('an output of no group is wrong, also when all others are right', () => {
  expect(tally([[3, 1]]).difference(0, 0)).toBe('1 output records belong to no group')
  expect(tally([[Number.NaN, 1]]).difference(0, 0)).toBe('1 output records belong to no group')
})
