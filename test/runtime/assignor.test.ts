import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AssignorMember, assignTasks } from '../../src/runtime/assignor.ts'

/** Tasks, and members of which each owns some that no other does; and a task that is gone. */
const group = fc
  .record({
    tasks: fc.integer({ min: 0, max: 12 }).map((count) => Array.from({ length: count }, (_, i) => `0_${i}`)),
    members: fc.integer({ min: 1, max: 5 }),
    owners: fc.array(fc.integer({ min: -1, max: 4 }), { minLength: 12, maxLength: 12 }),
    gone: fc.boolean(),
  })
  .map(({ tasks, members, owners, gone }) => ({
    tasks,
    members: Array.from({ length: members }, (_, i): AssignorMember => {
      const owned = tasks.filter((_, task) => owners[task] === i)
      return { memberId: `m${i}`, owned: gone ? ['9_9', ...owned] : owned }
    }),
  }))

test('every task goes to exactly one member, loads differ by at most one', () => {
  fc.assert(
    fc.property(group, ({ members, tasks }) => {
      const assigned = [...assignTasks(members, tasks).values()]
      expect(assigned.flat().sort()).toEqual([...tasks].sort())
      const loads = assigned.map((list) => list.length)
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1)
    }),
  )
})

test('no task moves that need not: as many stay as any balanced assignment could keep', () => {
  fc.assert(
    fc.property(group, ({ members, tasks }) => {
      const assigned = assignTasks(members, tasks)
      const held = members.map(({ owned }) => owned.filter((task) => tasks.includes(task)))
      const kept = members.flatMap(({ memberId }, i) =>
        (assigned.get(memberId) ?? []).filter((task) => held[i]?.includes(task)),
      )
      const floor = Math.floor(tasks.length / members.length)
      const richer = held.filter((mine) => mine.length > floor).length
      const most =
        held.reduce((sum, mine) => sum + Math.min(mine.length, floor), 0) +
        Math.min(richer, tasks.length % members.length)
      expect(kept).toHaveLength(most)
    }),
  )
})

test('the order in which members are listed changes nothing', () => {
  fc.assert(
    fc.property(
      group.chain((one) =>
        fc.tuple(fc.constant(one), fc.shuffledSubarray(one.members, { minLength: one.members.length })),
      ),
      ([{ members, tasks }, shuffled]) => {
        const sorted = (map: ReadonlyMap<string, readonly string[]>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
        expect(sorted(assignTasks(shuffled, tasks))).toEqual(sorted(assignTasks(members, tasks)))
      },
    ),
  )
})

test('a task that two members claim goes to one', () => {
  const assigned = assignTasks(
    [
      { memberId: 'a', owned: ['0_0'] },
      { memberId: 'b', owned: ['0_0', '0_0'] },
    ],
    ['0_0', '0_1'],
  )
  expect([...assigned.values()].flat().sort()).toEqual(['0_0', '0_1'])
})

test('a member that joins takes from the fullest alone; without members nothing is assigned', () => {
  const assigned = assignTasks(
    [
      { memberId: 'a', owned: ['0_0', '0_1', '0_2'] },
      { memberId: 'b', owned: ['0_3', '0_4'] },
      { memberId: 'c', owned: [] },
    ],
    ['0_0', '0_1', '0_2', '0_3', '0_4'],
  )
  expect(assigned.get('b')).toEqual(['0_3', '0_4'])
  expect(assigned.get('a')).toEqual(['0_0', '0_1'])
  expect(assigned.get('c')).toEqual(['0_2'])
  expect(assignTasks([], ['0_0'])).toEqual(new Map())
})
