import { describe, expect, test } from 'vitest'
import { defineTopology, json, type KStream, store, string, topic, Windows } from '../../src/index.ts'
import { subTopologies } from '../../src/topology/subtopology.ts'

const input = topic('input', { key: string, value: string })
const rows = topic('rows', { key: string, value: string })
const nothing = () => undefined
// biome-ignore lint/suspicious/noExplicitAny: calls as plain JavaScript makes them.
type Untyped = any

function built(build: (stream: KStream<string, string>) => void) {
  return defineTopology('p', (b) => build(b.stream(input)))
}

function refusal(build: (stream: Untyped) => void) {
  try {
    built(build)
  } catch (error) {
    return error
  }
  return undefined
}

test('stores are named after their processor, or carry a name of their own', () => {
  const { nodes } = built((stream) =>
    stream.process('attempts', {
      stores: {
        tries: store({ key: string, value: json<number>(), storage: 'memory' }),
        last: store({ key: string, value: string, name: 'last-seen' }),
      },
      on: nothing,
    }),
  )
  expect(nodes[1]).toMatchObject({
    kind: 'process',
    name: 'attempts',
    fixedKey: false,
    stores: {
      tries: { name: 'attempts-tries', kind: 'key-value', storage: 'memory' },
      last: { name: 'last-seen', storage: 'disk' },
    },
    where: { file: expect.stringContaining('process.test.ts') },
  })
})

test('a named store that two processors are given is one store, and ties them into one sub-topology', () => {
  const shared = store({ key: string, value: string, name: 'shared' })
  const topology = defineTopology('p', (b) => {
    b.stream(input).process('writes', { stores: { shared }, on: nothing })
    b.stream(rows).process('reads', { stores: { rows: shared }, on: nothing })
  })
  const subs = subTopologies(topology)
  expect(subs.map(({ stores }) => stores.map(({ name }) => name))).toEqual([['shared']])
  expect(subs[0]?.copartitioned).toEqual([[0, 2]])
})

test('a table to read is a parent, and must lie in as many partitions', () => {
  const topology = defineTopology('p', (b) => {
    const table = b.table(rows, { store: 'rows' }).filter(() => true)
    b.stream(input).processValues('look-up', { tables: { table }, on: nothing })
  })
  expect(topology.nodes.at(-1)).toMatchObject({ parents: [3, 2], tables: { table: { node: 2, stores: ['rows'] } } })
  expect(subTopologies(topology)).toMatchObject([{ copartitioned: [[0, 3]] }])
})

test('the key counts as changed after process, and not after processValues', () => {
  const out = { key: string, value: string }
  const kinds = (build: (stream: KStream<string, string>) => void) => built(build).nodes.map(({ kind }) => kind)
  expect(kinds((s) => s.process('p', { out, on: nothing }).groupByKey().count('n'))).toContain('repartition')
  expect(kinds((s) => s.processValues('p', { out, on: nothing }).groupByKey().count('n'))).not.toContain('repartition')
  const rekeyed = (s: KStream<string, string>) => s.selectKey('by-value', (v) => v)
  expect(
    kinds((s) => rekeyed(s).processValues('p', { out, on: nothing }).groupByKey({ key: string }).count('n')),
  ).toContain('repartition')
})

describe('refuses', () => {
  const on = nothing
  test.each<[string, (stream: Untyped) => void, string]>([
    ['no name', (s) => s.process({ on }), 'the name {}'],
    ['no options', (s) => s.process('p'), '`on` is not a function'],
    ['no function', (s) => s.process('p', {}), '`on` is not a function'],
    ['a name that is taken', (s) => [s.process('p', { on }), s.process('p', { on })], 'the name p is given'],
    ['a store that is none', (s) => s.process('p', { on, stores: { a: new Map() } }), 'as the store a is none'],
    ['a store without serde', (s) => s.process('p', { on, stores: { a: store({} as never) } }), 'key serde'],
    [
      'a store with an illegal key',
      (s) => s.process('p', { on, stores: { 'a b': store({ key: string, value: string }) } }),
      '"p-a b"',
    ],
    [
      'two definitions of one name',
      (s) =>
        s.process('p', {
          on,
          stores: Object.fromEntries(
            ['a', 'b'].map((key) => [key, store({ key: string, value: string, name: 'one' })]),
          ),
        }),
      'the name one is given to a store twice',
    ],
    ['out without a serde', (s) => s.process('p', { on, out: { value: string } }), 'key serde of what it forwards'],
    ['a table that is none', (s) => s.process('p', { on, tables: { t: s } }), 'tables.t was not given a table'],
    [
      'a windowed table',
      (s) => {
        const windows = Windows.tumbling('1s', { grace: 0 })
        s.process('p', { on, tables: { t: s.groupByKey().windowedBy(windows).count('c') } })
      },
      'p: the windowed table c cannot be read, as its rows are found by key and window',
    ],
    [
      'a punctuator of no type',
      (s) => s.process('p', { on, punctuators: [{ every: '1s', punctuate: on }] }),
      'of the type undefined',
    ],
    [
      'a punctuator without interval',
      (s) => s.process('p', { on, punctuators: [{ type: 'stream-time', punctuate: on }] }),
      'is not a duration',
    ],
    [
      'an interval of nothing',
      (s) => s.process('p', { on, punctuators: [{ type: 'stream-time', every: 0, punctuate: on }] }),
      'every 0 ms',
    ],
    [
      'a punctuator without function',
      (s) => s.process('p', { on, punctuators: [{ type: 'stream-time', every: '1s' }] }),
      'is not a function',
    ],
  ])('%s', (_, build, message) => {
    expect(refusal(build)).toMatchObject({
      code: 'INVALID_TOPOLOGY',
      message: expect.stringContaining(message),
      hint: expect.stringMatching(/./),
      where: { file: expect.stringContaining('process.test.ts') },
    })
  })
})
