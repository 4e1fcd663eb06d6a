import { expect, test } from 'vitest'
import { Windows } from '../../src/common/windows.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { double } from '../../src/serde/double.ts'
import { int64 } from '../../src/serde/int64.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { topic } from '../../src/serde/topic.ts'
import { lineHere, lines, nodeOf, orders, outline, refusal } from './fixtures.ts'

const sums = { init: () => 0, serde: double }
const add = (sum: number): number => sum + 1

test('each grouped stream is a node with its aggregator and line; the table has the store', () => {
  let line = 0
  const topology = defineTopology('t', (b) => {
    const cogrouped = b.stream(orders).groupByKey().cogroup<number>(add)
    cogrouped.cogroup(b.stream(lines).groupByKey(), add).aggregate('sums', sums)
    line = lineHere(-1)
  })
  expect(outline(topology)).toEqual([
    'orders source',
    'lines source',
    'orders.cogroup cogroup-input <- orders',
    'lines.cogroup cogroup-input <- lines',
    'sums aggregate <- orders.cogroup + lines.cogroup',
  ])
  expect(topology.nodes.map((node) => node.where?.line)).toEqual([line - 1, line, line - 1, line, line])
  expect(nodeOf(topology, 'aggregate').store).toMatchObject({
    name: 'sums',
    kind: 'key-value',
    key: string,
    value: double,
  })
})

test('what has changed its key goes through a topic, named by the grouping or as the store', () => {
  const topology = defineTopology('t', (b) => {
    b.stream(orders)
      .groupBy('by-customer', (order) => order.customer, { key: string })
      .cogroup<number>(add)
      .cogroup(
        b
          .stream(lines)
          .selectKey((line) => line)
          .groupByKey({ key: string }),
        add,
      )
      .windowedBy(Windows.session('1m', { grace: 0 }))
      .aggregate('sums', { ...sums, merge: (one, other) => one + other })
  })
  expect(topology.nodes.flatMap((node) => (node.kind === 'repartition' ? [node.topic] : []))).toEqual([
    'by-customer',
    'sums',
  ])
  expect(nodeOf(topology, 'session-aggregate').parents).toHaveLength(2)
})

test('one cogrouped stream can be folded more than once', () => {
  const topology = defineTopology('t', (b) => {
    const cogrouped = b.stream(orders).groupByKey().cogroup<number>(add)
    cogrouped.aggregate('all', sums)
    cogrouped.windowedBy(Windows.tumbling('1m', { grace: 0 })).aggregate('per-minute', sums)
  })
  expect(outline(topology).slice(1)).toEqual([
    'orders.cogroup cogroup-input <- orders',
    'all aggregate <- orders.cogroup',
    'orders.cogroup~2 cogroup-input <- orders',
    'per-minute window-aggregate <- orders.cogroup~2',
  ])
})

test('what cannot be is refused, with the line', () => {
  defineTopology('t', (b) => {
    const grouped = b.stream(orders).groupByKey()
    const cogrouped = grouped.cogroup<number>(add)
    const twice = refusal(() => cogrouped.cogroup(grouped, add))
    expect(twice.message).toBe('cogroup was given the same grouped stream twice')
    expect(twice.where).toMatchObject({ line: lineHere(-2), file: import.meta.filename })
    expect(refusal(() => grouped.cogroup(undefined as never)).message).toContain('the aggregator is not a function')
    const numbered = b.stream(topic('numbered', { key: json<string>(), value: int64 })).groupByKey()
    expect(refusal(() => cogrouped.cogroup(numbered, add)).message).toContain('are written as string and as json')
    expect(refusal(() => cogrouped.aggregate('x', undefined as never)).message).toContain('initializer')
    expect(refusal(() => cogrouped.aggregate('y', { init: () => 0 } as never)).message).toContain('value serde')
    const session = cogrouped.windowedBy(Windows.session(1, { grace: 0 }))
    expect(refusal(() => session.aggregate('z', sums as never)).message).toContain('merger')
    expect(refusal(() => cogrouped.windowedBy(undefined as never)).message).toContain('windows')
    defineTopology('other', (b2) => {
      const elsewhere = b2.stream(orders).groupByKey()
      expect(refusal(() => cogrouped.cogroup(elsewhere, add)).message).toContain("'t' and one of 'other'")
    })
  })
})
