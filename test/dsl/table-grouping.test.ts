import { expect, test } from 'vitest'
import type { StreamsBuilder } from '../../src/dsl/builder.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { int64 } from '../../src/serde/int64.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { customers, nodeOf, outline, refusal } from './fixtures.ts'

const names = { key: string, value: json<string>() }

function grouped(b: StreamsBuilder) {
  return b.table(customers, { store: 'people' }).groupBy('by-name', ({ name }, id) => [name, id], names)
}

test('changes go through one topic, which all aggregates of the grouping share', () => {
  const topology = defineTopology('t', (b) => {
    const group = grouped(b)
    group.count('counts', { storage: 'memory' })
    group.reduce(
      'longest',
      (a, b) => a + b,
      (a) => a,
    )
  })
  expect(outline(topology).slice(2)).toEqual([
    'people.groupBy table-group-by <- people',
    'by-name repartition <- people.groupBy',
    'counts table-aggregate <- by-name',
    'longest table-aggregate <- by-name',
  ])
  const repartition = nodeOf(topology, 'repartition')
  expect([repartition.key, repartition.value.format]).toEqual([string, 'change(json)'])
  expect(topology.nodes.filter((node) => node.kind === 'table-aggregate').map(({ store }) => store)).toMatchObject([
    { name: 'counts', key: string, value: int64, storage: 'memory' },
    { name: 'longest', key: string, value: names.value, storage: 'disk' },
  ])
})

test('what is missing is said with the call that has it', () => {
  defineTopology('t', (b) => {
    const people = b.table(customers, { store: 'people' })
    const unnamed = refusal(() => people.groupBy(undefined as never, () => ['x', 'y'], names))
    expect([unnamed.message, unnamed.hint]).toEqual([
      'people.groupBy has no name',
      "Name it: groupBy('by-city', (v, k) => [v.city, v], { key: string, value: json<V>() }).",
    ])
    const keyless = refusal(() => people.groupBy('x', () => ['x', 'y'], { value: string } as never))
    expect(keyless.message).toContain('needs the key serde for its repartition topic')
    expect(keyless.hint).toContain("groupBy('x', fn, { key: string, value: json<V>() })")
    expect(refusal(() => people.groupBy('y', 'no function' as never, names)).message).toContain('mapper')
    const group = people.groupBy('z', () => ['x', 'y'], names)
    expect(refusal(() => group.reduce('r', (a) => a, undefined as never)).message).toContain('subtractor')
    expect(refusal(() => group.aggregate('a', { add: () => 1, serde: json } as never)).message).toContain('subtractor')
    const fold = { add: () => 1, subtract: () => 1, serde: json }
    expect(refusal(() => group.aggregate('b', fold as never)).message).toContain('initializer')
    expect(refusal(() => group.count('people')).message).toContain('given to a store twice')
  })
})
