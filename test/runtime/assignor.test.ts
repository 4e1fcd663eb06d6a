import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AssignorMember, assignStandbys, assignTasks } from '../../src/runtime/assignor.ts'

/** A process by itself, whose state is that of what it runs unless `held` says otherwise. */
function member(memberId: string, owned: readonly string[], held?: Readonly<Record<string, number>>): AssignorMember {
  return {
    memberId,
    process: `process of ${memberId}`,
    owned,
    held: new Map(held === undefined ? owned.map((task) => [task, 10]) : Object.entries(held)),
  }
}

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
      return member(`m${i}`, gone ? ['9_9', ...owned] : owned)
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
  const assigned = assignTasks([member('a', ['0_0']), member('b', ['0_0', '0_0'])], ['0_0', '0_1'])
  expect([...assigned.values()].flat().sort()).toEqual(['0_0', '0_1'])
})

test('a member that joins takes from the fullest alone; without members nothing is assigned', () => {
  const assigned = assignTasks(
    [member('a', ['0_0', '0_1', '0_2']), member('b', ['0_3', '0_4']), member('c', [])],
    ['0_0', '0_1', '0_2', '0_3', '0_4'],
  )
  expect(assigned.get('b')).toEqual(['0_3', '0_4'])
  expect(assigned.get('a')).toEqual(['0_0', '0_1'])
  expect(assigned.get('c')).toEqual(['0_2'])
  expect(assignTasks([], ['0_0'])).toEqual(new Map())
})

test('a task without an owner goes to the member that has most of its state, if that has room', () => {
  const assigned = assignTasks(
    [
      member('a', [], { '0_0': 5, '0_1': 1 }),
      member('b', [], { '0_0': 7, '0_1': 2, '0_2': 1 }),
      member('c', [], { '0_3': 0 }),
    ],
    ['0_0', '0_1', '0_2', '0_3'],
  )
  // b has most of three, but room for two.
  expect(assigned).toEqual(
    new Map([
      ['a', ['0_0']],
      ['b', ['0_2', '0_1']],
      ['c', ['0_3']],
    ]),
  )
})

test('a full member makes room for a task that it alone has state of, by one that another has as well', () => {
  const [tasks, full] = [['0_0', '0_1', '0_2'], { '0_0': 20_000, '0_1': 20_000, '0_2': 500 }]
  const a = member('a', ['0_0', '0_1'], full)
  expect(assignTasks([a, member('b', [], { '0_1': 10_000 })], tasks).get('a')).toEqual(['0_0', '0_2'])
  // Not by one that the other would have to restore.
  expect(assignTasks([a, member('b', [], { '0_1': 9_999 })], tasks).get('a')).toEqual(['0_0', '0_1'])
})

test('a member that has to give tasks up keeps those that nobody else has state of', () => {
  const assigned = assignTasks(
    [member('a', ['0_0', '0_1', '0_2', '0_3']), member('back', [], { '0_0': 3, '0_2': 4 })],
    ['0_0', '0_1', '0_2', '0_3'],
  )
  expect(assigned.get('a')).toEqual(['0_1', '0_3'])
  expect(assigned.get('back')).toEqual(['0_0', '0_2'])
})

/** Members on processes that several may share, with state of any tasks at any place. */
const cluster = fc
  .record({
    count: fc.integer({ min: 0, max: 12 }),
    processes: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 6 }),
    owners: fc.array(fc.integer({ min: -1, max: 5 }), { minLength: 12, maxLength: 12 }),
    held: fc.array(fc.dictionary(fc.integer({ min: 0, max: 11 }).map(String), fc.nat(9)), {
      minLength: 6,
      maxLength: 6,
    }),
    stateless: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
    copies: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ count, processes, owners, held, stateless, copies }) => {
    const tasks = Array.from({ length: count }, (_, i) => `0_${i}`)
    const members = processes.map(
      (process, i): AssignorMember => ({
        memberId: `m${i}`,
        process: `p${process}`,
        owned: tasks.filter((_, task) => owners[task] === i),
        held: new Map(Object.entries(held[i] ?? {}).map(([task, far]) => [`0_${task}`, far])),
      }),
    )
    return { tasks, members, stateful: tasks.filter((_, task) => !stateless[task]), copies }
  })

type Cluster = typeof cluster extends fc.Arbitrary<infer T> ? T : never

function assign({ tasks, members, stateful, copies }: Cluster) {
  const active = assignTasks(members, tasks)
  return { active, standby: assignStandbys(members, active, stateful, copies) }
}

/** The same members when they have done as they were told: what they run and copy is as far as can be. */
function settled(members: readonly AssignorMember[], { active, standby }: ReturnType<typeof assign>) {
  return members.map(({ memberId, process }): AssignorMember => {
    const owned = active.get(memberId) ?? []
    const held = new Map([
      ...(standby.get(memberId) ?? []).map((task) => [task, 99] as const),
      ...owned.map((task) => [task, 100] as const),
    ])
    return { memberId, process, owned, held }
  })
}

test('every task with state has its copies, on as many other processes as there are, and no other task has any', () => {
  fc.assert(
    fc.property(cluster, (given) => {
      const { members, stateful, copies } = given
      const { active, standby } = assign(given)
      const processOf = new Map(members.map(({ memberId, process }) => [memberId, process]))
      const placesOf = (task: string, lists: ReadonlyMap<string, readonly string[]>) =>
        [...lists].flatMap(([id, list]) => list.filter((one) => one === task).map(() => processOf.get(id)))
      const others = new Set(processOf.values()).size - 1
      for (const task of stateful) {
        const places = placesOf(task, standby)
        expect(places).toHaveLength(Math.min(copies, others))
        expect(new Set([...places, ...placesOf(task, active)]).size).toBe(places.length + 1)
      }
      expect([...standby.values()].flat().every((task) => stateful.includes(task))).toBe(true)
    }),
  )
})

test('no copy lies with a member that has two more than another that could take it', () => {
  fc.assert(
    fc.property(cluster, (given) => {
      const { members } = given
      const { active, standby } = assign(given)
      const of = (lists: ReadonlyMap<string, readonly string[]>, process: string) =>
        members.filter((one) => one.process === process).flatMap(({ memberId }) => lists.get(memberId) ?? [])
      for (const from of members) {
        for (const to of members) {
          const [full, light] = [standby.get(from.memberId) ?? [], standby.get(to.memberId) ?? []]
          if (light.length + 2 > full.length) continue
          const has = [...of(active, to.process), ...(from.process === to.process ? [] : of(standby, to.process))]
          expect(full.filter((task) => !has.includes(task))).toEqual([])
        }
      }
    }),
  )
})

test('what has to move goes where state of it is, if there is such a place', () => {
  const tasks = ['0_0', '0_1', '0_2', '0_3']
  const all = Object.fromEntries(tasks.map((task) => [task, 9]))
  const members = [member('o', tasks), member('full', [], all), member('light', [], { '0_2': 1 })]
  const standby = assignStandbys(members, new Map([['o', tasks]]), tasks, 1)
  expect(standby.get('full')).toEqual(['0_1', '0_3'])
  expect(standby.get('light')).toEqual(['0_2', '0_0'])
})

test('who leads, and in what order it lists the members, changes nothing for the copies', () => {
  fc.assert(
    fc.property(
      cluster.chain((one) =>
        fc.tuple(fc.constant(one), fc.shuffledSubarray([...one.members], { minLength: one.members.length })),
      ),
      ([given, shuffled]) => {
        const sorted = (map: ReadonlyMap<string, readonly string[]>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
        expect(sorted(assign({ ...given, members: shuffled }).standby)).toEqual(sorted(assign(given).standby))
      },
    ),
  )
})

test('what has settled stays as it is', () => {
  fc.assert(
    fc.property(cluster, (given) => {
      const first = assign(given)
      const again = assign({ ...given, members: settled(given.members, first) })
      const sets = (map: ReadonlyMap<string, readonly string[]>) =>
        new Map([...map].map(([id, list]) => [id, [...list].sort()]))
      expect(sets(again.active)).toEqual(sets(first.active))
      expect(sets(again.standby)).toEqual(sets(first.standby))
    }),
  )
})

test('when one of up to five processes goes, each of its tasks goes to one that has a copy, and hardly more than the lost copies are made anew', () => {
  for (let count = 2; count <= 5; count++) {
    for (let size = 1; size <= 24; size++) {
      const tasks = Array.from({ length: size }, (_, i) => `0_${i}`)
      const members = Array.from({ length: count }, (_, i) => member(`m${i}`, []))
      const given = { tasks, members, stateful: tasks, copies: 1 }
      const before = settled(members, assign(given))
      for (const dead of before) {
        const left = before.filter((one) => one !== dead)
        const after = assign({ ...given, members: left })
        const cold = (lists: ReadonlyMap<string, readonly string[]>) =>
          left.flatMap(({ memberId, held }) => (lists.get(memberId) ?? []).filter((task) => !held.has(task)))
        expect(cold(after.active)).toEqual([])
        // Of what it ran, the copies are now the tasks; of what it copied, they are gone. One more may move to level the rest.
        const lost = count > 2 ? dead.held.size : 0
        expect(cold(after.standby).length).toBeLessThanOrEqual(lost + 1)
      }
    }
  }
})
