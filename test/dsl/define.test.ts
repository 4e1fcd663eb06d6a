import { expect, test } from 'vitest'
import type { StreamsBuilder } from '../../src/dsl/builder.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import type { KStream } from '../../src/dsl/facade/kstream.ts'
import { describe } from '../../src/topology/describe.ts'
import { graphData } from '../../src/topology/graph-data.ts'
import { listSupplier } from '../support/list-store.ts'
import { customers, lineHere, lines, orders, outline, refusal } from './fixtures.ts'

test('a topology is frozen data in topological order', () => {
  const topology = defineTopology('word-count', (b) => {
    b.stream(lines)
      .flatMapValues((line) => line.split(' '))
      .to(lines)
  })
  expect(topology.kind).toBe('topology')
  expect(topology.name).toBe('word-count')
  expect(Object.isFrozen(topology)).toBe(true)
  expect(Object.isFrozen(topology.nodes)).toBe(true)
  for (const [index, node] of topology.nodes.entries()) {
    expect(node.id).toBe(index)
    expect(Object.isFrozen(node)).toBe(true)
    for (const parent of node.parents) expect(parent).toBeLessThan(node.id)
  }
  expect(outline(topology)).toEqual([
    'lines source',
    'lines.flatMapValues flat-map-values <- lines',
    'lines.flatMapValues.to sink <- lines.flatMapValues',
  ])
})

test('user functions are not called by building', () => {
  const never = (): never => {
    throw new Error('called')
  }
  defineTopology('quiet', (b) => {
    b.stream(lines).filter(never).mapValues(never).foreach(never)
  })
})

test('a stream that goes nowhere is fine', () => {
  expect(outline(defineTopology('nowhere', (b) => void b.stream(lines)))).toEqual(['lines source'])
})

test('a topology without a source is refused', () => {
  const error = refusal(() => defineTopology('empty', () => undefined))
  expect(error).toMatchObject({ code: 'INVALID_TOPOLOGY', message: 'the topology empty reads no topic' })
  expect(error.hint).toContain('b.stream(topic)')
  expect(error.where.file).toBe(import.meta.filename)
})

test.each(['', 'two words', '.', 'a'.repeat(250), undefined as unknown as string])('the name %j is refused', (name) => {
  expect(refusal(() => defineTopology(name, (b) => void b.stream(lines)))).toMatchObject({
    code: 'INVALID_TOPOLOGY',
    message: expect.stringContaining('topology name'),
  })
})

test('what builds must be a function', () => {
  expect(refusal(() => defineTopology('x', 'y' as never)).message).toContain('is not a function but string')
})

test('an async function is refused, and what it rejects with is not left unhandled', () => {
  const build = async (b: StreamsBuilder): Promise<void> => {
    b.stream(lines)
    throw new Error('unseen')
  }
  const error = refusal(() => defineTopology('later', build as (b: StreamsBuilder) => void))
  expect(error.message).toBe('the function of the topology later is async')
  expect(error.hint).toContain('top-level await')
})

test('no operator is added once the topology is built', () => {
  let kept: KStream<string, string> | undefined
  defineTopology('closed', (b) => {
    kept = b.stream(lines)
  })
  const error = refusal(() => kept?.filter(() => true))
  expect(error).toMatchObject({ code: 'INVALID_TOPOLOGY', where: { node: 'lines.filter' } })
  expect(error.message).toBe('lines.filter was called after the topology closed was built')
})

test('a stream of another topology is refused', () => {
  let other: KStream<string, string> | undefined
  defineTopology('one', (b) => {
    other = b.stream(lines)
  })
  const error = refusal(() =>
    defineTopology('two', (b) => void b.stream(lines).merge(other as KStream<string, string>)),
  )
  expect(error.message).toBe("lines.merge brings together a stream of the topology 'two' and one of 'one'")
})

test('a table of another topology is refused', () => {
  defineTopology('one', (b) => {
    const table = b.table(customers, { store: 'customers' })
    const error = refusal(() => defineTopology('two', (c) => void c.stream(orders).join(table, (order) => order)))
    expect(error.message).toBe("orders.join brings together a stream of the topology 'two' and one of 'one'")
  })
})

test('idleClose is kept in ms, and refused when it is no time to wait', () => {
  const build = (b: StreamsBuilder) => void b.stream(lines)
  expect(defineTopology('idle', build, { idleClose: '30s' }).idleCloseMs).toBe(30_000)
  expect(defineTopology('idle', build)).not.toHaveProperty('idleCloseMs')
  expect(refusal(() => defineTopology('idle', build, { idleClose: 0 }))).toMatchObject({
    code: 'INVALID_TOPOLOGY',
    message: 'idleClose of idle is 0 ms, which would close windows between two records',
  })
  expect(refusal(() => defineTopology('idle', build, { idleClose: 'soon' as never })).message).toBe(
    'idleClose "soon" is not a duration',
  )
})

test('maxTaskIdle is a duration or never', () => {
  const build = (b: StreamsBuilder): void => void b.stream(lines)
  expect(defineTopology('t', build, { maxTaskIdle: '2s' }).maxTaskIdleMs).toBe(2000)
  expect(defineTopology('t', build, { maxTaskIdle: 'never' }).maxTaskIdleMs).toBe(-1)
  expect(defineTopology('t', build)).not.toHaveProperty('maxTaskIdleMs')
  const line = lineHere() + 1
  expect(() => defineTopology('t', build, { maxTaskIdle: -5 })).toThrow(
    expect.objectContaining({ code: 'INVALID_TOPOLOGY', where: expect.objectContaining({ line }) }),
  )
})

test('storage is that of the stores that say nothing, and refused when it is none', () => {
  const supplier = listSupplier('ours', { keeps: false })
  const build = (b: StreamsBuilder): void => {
    const grouped = b.stream(lines).groupByKey()
    grouped.count('n')
    grouped.count('m', { storage: 'disk' })
  }
  const topology = defineTopology('t', build, { storage: supplier })
  expect(graphData(topology).stores.map(({ name, storage }) => [name, storage])).toEqual([
    ['n', 'ours'],
    ['m', 'disk'],
  ])
  expect(describe(topology, 'text')).toMatch(/\n {2}n +key-value +\S+ -> \S+ +ours\n/)
  const line = lineHere() + 1
  expect(() => defineTopology('t', build, { storage: 'ram' as never })).toThrow(
    expect.objectContaining({
      message: 'topology t: its storage is "ram"',
      where: expect.objectContaining({ node: 't', line }),
    }),
  )
})
