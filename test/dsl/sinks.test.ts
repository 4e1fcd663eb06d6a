import { describe, expect, test } from 'vitest'
import { defineTopology, json, type KStream, string, topic } from '../../src/index.ts'
import { externalTopics } from '../../src/topology/external-topics.ts'

const input = topic('input', { key: string, value: string })
const small = topic('small', { key: string, value: string })
const large = topic('large', { key: string, value: json<string>() })
// biome-ignore lint/suspicious/noExplicitAny: calls as plain JavaScript makes them.
type Untyped = any

function built(build: (stream: KStream<string, string>) => void) {
  return defineTopology('s', (b) => build(b.stream(input)))
}

test('every topic that may be chosen is a sink, so that the start finds out whether it is there', () => {
  const topology = built((stream) => stream.to((value) => (value === '' ? small : large), { among: [small, large] }))
  expect(externalTopics(topology).written).toEqual(['small', 'large'])
  expect(topology.nodes.map(({ kind, name }) => [kind, name])).toEqual([
    ['source', 'input'],
    ['choose-topic', 'input.to'],
    ['branch', 'input.to.small'],
    ['sink', 'input.to.small.to'],
    ['branch', 'input.to.large'],
    ['sink', 'input.to.large.to'],
  ])
})

test('a printed stream has the label that is given, else the name of what is before it', () => {
  const topology = built((stream) => {
    stream.print({ label: 'mine', limit: 3 })
    stream.filter('named', () => true).print()
  })
  expect(topology.nodes).toMatchObject([
    {},
    { kind: 'print', name: 'input.print', label: 'mine', limit: 3 },
    {},
    { kind: 'print', label: 'named', limit: Number.POSITIVE_INFINITY },
  ])
})

test('a partitioner is part of the node of its topic', () => {
  const partitioner = () => 0
  const topology = built((stream) => {
    stream.to(small, { partitioner })
    stream.repartition('again', { partitioner }).to((_) => small, { among: [small, large], partitioner })
  })
  const of = topology.nodes.filter((node) => 'partitioner' in node && node.partitioner === partitioner)
  expect(of.map(({ kind }) => kind)).toEqual(['sink', 'repartition', 'sink', 'sink'])
})

describe('refuses', () => {
  test.each<[string, (stream: Untyped) => void, string]>([
    ['a function without topics', (s) => s.to(() => small), 'was given a function, and no topics'],
    ['a function of no topics', (s) => s.to(() => small, { among: [] }), 'was given a function, and no topics'],
    ['a choice that is no topic', (s) => s.to(() => small, { among: [small, 'large'] }), 'was not given a topic'],
    [
      'a choice that is there twice',
      (s) => s.to(() => small, { among: [small, small] }),
      'the topic small is among the choices twice',
    ],
    ['a partitioner that is none', (s) => s.to(small, { partitioner: 'murmur2' }), 'the partitioner is not a function'],
    ['a partitioner that is none', (s) => s.repartition('r', { partitioner: 3 }), 'the partitioner is not a function'],
    ['a label that is no text', (s) => s.print({ label: 3 }), 'the label is not a text'],
    ['a limit that is no number', (s) => s.print({ limit: '3' }), 'the limit 3 is no number of records'],
    ['a limit below 0', (s) => s.print({ limit: -1 }), 'the limit -1 is no number of records'],
  ])('%s', (_, build, message) => {
    expect(() => built(build)).toThrow(
      expect.objectContaining({
        code: 'INVALID_TOPOLOGY',
        message: expect.stringContaining(message),
        where: expect.objectContaining({ file: expect.stringContaining('sinks.test.ts') }),
      }),
    )
  })
})
