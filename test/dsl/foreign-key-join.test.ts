import { describe, expect, test } from 'vitest'
import { type Windowed, Windows } from '../../src/common/windows.ts'
import type { StreamsBuilder } from '../../src/dsl/builder.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import type { KTable } from '../../src/dsl/facade/ktable.ts'
import { Suppressed } from '../../src/dsl/suppressed.ts'
import { int64 } from '../../src/serde/int64.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { topic } from '../../src/serde/topic.ts'
import { createTestDriver } from '../../src/testing.ts'
import { customers, nodeOf, outline, refusal } from './fixtures.ts'

interface Employee {
  readonly name: string
  readonly department: string | null
}
const employees = topic('employees', { key: string, value: json<Employee>() })
const departments = topic('departments', { key: string, value: string })
const named = topic('named', { key: string, value: string })

const app = defineTopology('staff', (b) => {
  b.table(employees, { store: 'employees' })
    .leftJoin(b.table(departments, { store: 'departments' }), {
      name: 'staff',
      foreignKey: (employee) => employee.department,
      joiner: (employee, department, id) => `${id}: ${employee.name}, ${department ?? 'nowhere'}`,
      serde: string,
    })
    .toStream()
    .to(named)
})

test('two topics lie between the tables, and results and subscriptions are stores by the name', () => {
  expect(outline(app).slice(4)).toEqual([
    'staff-subscribe foreign-key-subscribe <- employees',
    'staff-subscription repartition <- staff-subscribe',
    'staff-answer foreign-key-join <- staff-subscription + departments',
    'staff-response repartition <- staff-answer',
    'staff foreign-key-result <- staff-response + employees',
    'staff.toStream to-stream <- staff',
    'staff.toStream.to sink <- staff.toStream',
  ])
  expect(nodeOf(app, 'foreign-key-join').store.name).toBe('staff-subscriptions')
  expect(nodeOf(app, 'foreign-key-result').store).toMatchObject({ name: 'staff', key: string, value: string })
})

test('over four partitions answers find their way home', async () => {
  const driver = await createTestDriver(app, { partitions: 4 })
  try {
    for (let i = 0; i < 40; i++) await driver.send(employees, `e${i}`, { name: `n${i}`, department: `d${i % 7}` })
    for (let i = 0; i < 7; i++) await driver.send(departments, `d${i}`, `D${i}`)
    await driver.send(employees, 'e3', { name: 'moved', department: null })
    await driver.send(departments, 'd1', null)
    const rows = new Map(driver.read(named).map(({ key, value, partition }) => [key, { value, partition }]))
    const expected = (i: number): string => {
      if (i === 3) return 'e3: moved, nowhere'
      return `e${i}: n${i}, ${i % 7 === 1 ? 'nowhere' : `D${i % 7}`}`
    }
    expect([...rows].map(([, { value }]) => value).sort()).toEqual(
      Array.from({ length: 40 }, (_, i) => expected(i)).sort(),
    )
    expect(new Set([...rows.values()].map(({ partition }) => partition)).size).toBe(4)
  } finally {
    await driver.close()
  }
})

test('what is missing is said with the call that has it', () => {
  defineTopology('t', (b) => {
    const people = b.table(customers, { store: 'people' })
    const names = people.mapValues(({ name }) => name)
    const by = { foreignKey: () => 'x', joiner: () => 'y', serde: string }
    expect(refusal(() => people.join(people, by as never)).message).toContain('people.join: no store name is given')
    const unserialized = refusal(() => people.join(people, { ...by, name: 'a', serde: {} } as never))
    expect(unserialized.hint).toContain("join(table, { name: 'a', foreignKey, joiner, serde: json<R>() })")
    const left = refusal(() => names.leftJoin(people, { ...by, name: 'b' }))
    expect(left.hint).toContain("leftJoin(table, { name: 'b', foreignKey, joiner, value: json<V>() })")
    const other = refusal(() => people.join(names, { ...by, name: 'c' }))
    expect(other.hint).toContain("join(table, { name: 'c', foreignKey, joiner, otherValue: json<V>() })")
    expect(refusal(() => people.join(people, { ...by, name: 'd', foreignKey: 1 } as never)).message).toContain(
      'foreignKey',
    )
    expect(refusal(() => people.join(people, { ...by, name: 'e', joiner: 1 } as never)).message).toContain('joiner')
    expect(refusal(() => people.join(people, { ...by, name: 'people' })).message).toContain('given to a store twice')
  })
})

describe('without a serde of the results', () => {
  const by = { name: 'staff', foreignKey: (employee: Employee) => employee.department, joiner: () => 'x' }
  type Staff = KTable<string, string | null>

  test('none are kept, and updates go on as a stream', () => {
    const built = defineTopology('t', (b) => {
      const table = b.table(departments, { store: 'departments' })
      const staff = b.table(employees, { store: 'employees' }).join(table, by)
      staff
        .mapValues((text) => text)
        .toStream()
        .to(named)
    })
    expect(nodeOf(built, 'foreign-key-result')).not.toHaveProperty('store')
    expect(nodeOf(built, 'foreign-key-result').stores).toEqual(['employees'])
  })

  test.each<[string, (staff: Staff, other: KTable<string, string | null>) => unknown]>([
    ['filter', (staff) => staff.filter(() => true)],
    ['filterNot past mapValues', (staff) => staff.mapValues((text) => text).filterNot(() => true)],
    ['join', (staff, other) => staff.join(other, () => 'y')],
    ['join on the other side', (staff, other) => other.outerJoin(staff, () => 'y')],
    ['join by another foreign key', (staff, other) => staff.join(other, { ...by, name: 'j', foreignKey: () => 'k' })],
    ['as what is referred to', (staff, other) => other.leftJoin(staff, { ...by, name: 'j', foreignKey: () => 'k' })],
    ['groupBy', (staff) => staff.groupBy('g', (text, key) => [text, key], { key: string, value: string })],
    ['suppress', (staff) => staff.suppress('s', Suppressed.untilTimeLimit('1s', { maxRecords: 1, whenFull: 'emit' }))],
    ['join with a stream', (staff, other) => other.toStream().join(staff, () => 'y')],
    [
      'a processor that reads it',
      (staff, other) =>
        other.toStream().processValues('p', { tables: { staff }, out: { value: string }, on: () => undefined }),
    ],
  ])('refused: %s', (_, use) => {
    defineTopology('t', (b) => {
      const other = b.table(departments, { store: 'departments' })
      const staff = b.table(employees, { store: 'employees' }).join(other, by)
      const { code, message, hint, where } = refusal(() => use(staff, other))
      expect([code, message]).toEqual([
        'INVALID_TOPOLOGY',
        expect.stringContaining('looks at the rows of staff, which keeps none: it was given no serde for its results'),
      ])
      expect(hint).toContain("join(table, { name: 'staff', foreignKey, joiner, serde: json<R>() })")
      expect(where.file).toBe(import.meta.filename)
    })
  })
})

test('final results of windows are refused: their rows are gone when the answer comes', () => {
  const options = { name: 'j', foreignKey: () => 'd', joiner: () => 1 }
  const given: readonly (readonly [
    give: (b: StreamsBuilder) => KTable<Windowed<string>, bigint | null>,
    of: string,
  ])[] = [
    [(b) => windowed(b).count('counts', { emit: 'final' }), 'counts'],
    [(b) => windowed(b).count('counts').suppress('calm', Suppressed.untilWindowCloses('unbounded')), 'calm'],
    [
      (b) =>
        windowed(b)
          .count('counts', { emit: 'final' })
          .filter(() => true)
          .mapValues((n) => n),
      'counts',
    ],
  ]
  for (const [give, of] of given) {
    const join = (b: StreamsBuilder): void => {
      give(b).join(b.table(departments, { store: 'departments' }), options)
    }
    expect(refusal(() => defineTopology('t', join)).message).toBe(
      `j joins final results of windows: the rows of ${of} are gone when the other table answers`,
    )
    // As the hint says.
    defineTopology('kept', (b) => {
      give(b)
        .toStream()
        .toTable('kept', { value: int64 })
        .join(b.table(departments, { store: 'departments' }), options)
    })
  }
  defineTopology('live', (b) => {
    windowed(b)
      .count('counts')
      .join(b.table(departments, { store: 'departments' }), options)
  })
})

function windowed(b: StreamsBuilder) {
  return b
    .stream(customers)
    .groupByKey()
    .windowedBy(Windows.tumbling('1m', { grace: 0 }))
}
