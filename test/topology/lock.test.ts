import { expect, test } from 'vitest'
import { Windows } from '../../src/common/windows.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { string } from '../../src/serde/string.ts'
import { topic } from '../../src/serde/topic.ts'
import { isTopologyLock, lockOf } from '../../src/topology/lock.ts'
import { counts, lines } from '../dsl/fixtures.ts'

test('a lock has what outlives a run, and nothing of how records are worked on', () => {
  const topology = defineTopology('t', (b) => {
    b.stream(lines)
      .groupBy('by-word', (line) => line, { key: string })
      .windowedBy(Windows.tumbling('1m', { grace: '5s' }))
      .count('per-minute')
    b.stream(lines)
      .repartition('again', { partitions: 4 })
      .mapValues(() => 1n)
      .to(counts)
  })
  expect(lockOf(topology)).toEqual({
    sources: { lines: { key: 'string', value: 'string' } },
    sinks: { counts: { key: 'string', value: 'int64' } },
    repartitions: {
      again: { key: 'string', value: 'string', partitions: 4 },
      'by-word': { key: 'string', value: 'string' },
    },
    stores: {
      'per-minute': {
        kind: 'window',
        key: 'string',
        value: 'int64',
        storage: 'disk',
        retentionMs: 65_000,
        windows: { kind: 'time', sizeMs: 60_000, advanceMs: 60_000, graceMs: 5000 },
      },
    },
    subTopologies: [
      { topics: ['lines'], repartitions: [], stores: [] },
      { topics: [], repartitions: ['by-word'], stores: ['per-minute'] },
      { topics: [], repartitions: ['again'], stores: [] },
    ],
  })
})

test('it passes through JSON unchanged, whatever the names', () => {
  const odd = topic('__proto__', { key: string, value: string })
  const lock = lockOf(
    defineTopology('t', (b) => {
      b.table(odd, { store: 'constructor' })
      b.stream(odd).repartition('__proto__').to(odd)
    }),
  )
  const back: unknown = JSON.parse(JSON.stringify(lock))
  expect(Object.keys(lock.sources)).toEqual(['__proto__'])
  expect(JSON.stringify(back)).toBe(JSON.stringify(lock))
  expect(isTopologyLock(back)).toBe(true)
})

test.each([
  null,
  1,
  [],
  {},
  { sources: {}, sinks: {}, repartitions: {}, stores: {} },
  { sources: { a: null }, sinks: {}, repartitions: {}, stores: {}, subTopologies: [] },
  { sources: {}, sinks: {}, repartitions: {}, stores: { n: {} }, subTopologies: [] },
  {
    sources: {},
    sinks: {},
    repartitions: {},
    stores: {},
    subTopologies: [{ topics: [1], repartitions: [], stores: [] }],
  },
])('%j is no lock', (json) => {
  expect(isTopologyLock(json)).toBe(false)
})
