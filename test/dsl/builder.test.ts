import { expect, test } from 'vitest'
import { defineTopology } from '../../src/dsl/define.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { topic } from '../../src/serde/topic.ts'
import { customers, lineHere, lines, nodeOf, orders, outline, refunds, refusal } from './fixtures.ts'

test('a source carries the topic with its serdes, and fails on bytes that do not read', () => {
  const source = nodeOf(
    defineTopology('t', (b) => void b.stream(orders)),
    'source',
  )
  expect(source).toMatchObject({ name: 'orders', topic: 'orders', onDeserializationError: { policy: 'fail' } })
  expect(source.key).toBe(orders.key)
  expect(source.value).toBe(orders.value)
})

test('a dead-letter topic is taken over', () => {
  const topology = defineTopology('t', (b) => {
    b.stream(orders, { onDeserializationError: { deadLetter: 'orders.dlq' } })
  })
  expect(nodeOf(topology, 'source').onDeserializationError).toEqual({ policy: 'dead-letter', topic: 'orders.dlq' })
})

test('an illegal dead-letter topic is refused', () => {
  const error = refusal(() =>
    defineTopology('t', (b) => void b.stream(orders, { onDeserializationError: { deadLetter: 'a b' } })),
  )
  expect(error).toMatchObject({ code: 'INVALID_TOPOLOGY', where: { node: 'orders' } })
  expect(error.message).toContain('the dead-letter topic "a b" is not a legal name')
})

test('a topic is read once, however often it is asked for', () => {
  const topology = defineTopology('t', (b) => {
    b.stream(orders).foreach(() => undefined)
    b.stream(orders).filter(() => true)
    b.table(orders, { store: 'orders' })
  })
  expect(outline(topology)).toEqual([
    'orders source',
    'orders.foreach foreach <- orders',
    'orders.filter filter <- orders',
    'orders table <- orders',
  ])
})

test('a topic read with different serdes is refused, with both lines', () => {
  let first = 0
  let second = 0
  const error = refusal(() =>
    defineTopology('t', (b) => {
      first = lineHere(1)
      b.stream(orders)
      second = lineHere(1)
      b.stream(topic('orders', { key: string, value: json<string>() }))
    }),
  )
  expect(error.message).toBe(
    `topic orders is read twice with different serdes: at ${import.meta.filename}:${first} and at ${import.meta.filename}:${second}`,
  )
  expect(error.where).toEqual({ node: 'orders', file: import.meta.filename, line: second })
  expect(error.hint).toContain('Declare the topic once')
})

test('a topic read with different policies is refused', () => {
  const error = refusal(() =>
    defineTopology('t', (b) => {
      b.stream(orders, { onDeserializationError: { deadLetter: 'a' } })
      b.table(orders, { store: 'o', onDeserializationError: { deadLetter: 'b' } })
    }),
  )
  expect(error.message).toContain('different onDeserializationError')
})

test('several topics make one stream, which keeps the serdes they share', () => {
  const topology = defineTopology('t', (b) => {
    b.stream([orders, refunds]).groupByKey({ value: json() }).count('n')
    expect(
      refusal(() =>
        b
          .stream([orders, lines])
          .groupByKey()
          .reduce('last', (_, value) => value),
      ).message,
    ).toContain('since orders.merge~2 changed the value')
  })
  expect(outline(topology).slice(0, 4)).toEqual([
    'orders source',
    'refunds source',
    'orders.merge merge <- orders + refunds',
    'n aggregate <- orders.merge',
  ])
})

test('no topic, and what is no topic, are refused', () => {
  defineTopology('t', (b) => {
    b.stream(lines)
    expect(refusal(() => b.stream([])).message).toBe('stream was given no topic')
    expect(refusal(() => b.stream('orders' as never)).message).toBe('stream was not given a topic')
    expect(refusal(() => b.table(undefined as never, { store: 'x' })).message).toBe('table was not given a topic')
  })
})

test('a table has a store with the serdes of its topic', () => {
  const table = nodeOf(
    defineTopology('t', (b) => void b.table(customers, { store: 'people', storage: 'memory' })),
    'table',
  )
  expect(table.name).toBe('people')
  expect(table.store).toEqual({
    name: 'people',
    kind: 'key-value',
    key: customers.key,
    value: customers.value,
    storage: 'memory',
  })
})

test('a table without a store name, or with an illegal or a taken one, is refused', () => {
  defineTopology('t', (b) => {
    expect(refusal(() => b.table(customers, {} as never)).message).toBe('customers.table: no store name is given')
    expect(refusal(() => b.table(customers, { store: 'a/b' })).message).toBe(
      'customers.table: the store name "a/b" is not a legal name',
    )
    b.table(customers, { store: 'people' })
    const error = refusal(() => b.table(orders, { store: 'people' }))
    expect(error.message).toMatch(/^the name people is given to a store twice: at .*builder\.test\.ts:\d+ and at /)
    expect(error).toMatchObject({ code: 'INVALID_TOPOLOGY', where: { node: 'people' } })
  })
})

test('event time: the extractor is a function, the policy one of four, and both are the same wherever a topic is read', () => {
  defineTopology('t', (b) => {
    const timestamp = (): number => 1
    b.stream(orders, { timestamp, onInvalidTimestamp: 'skip' })
    b.stream(orders, { timestamp, onInvalidTimestamp: 'skip' })
    expect(refusal(() => b.stream(orders, { timestamp: () => 1, onInvalidTimestamp: 'skip' })).message).toContain(
      'topic orders is read twice with different timestamps',
    )
    expect(refusal(() => b.stream(orders, { timestamp })).hint).toContain('timestamp and onInvalidTimestamp')
    expect(refusal(() => b.stream(lines, { timestamp: 7 as never })).message).toContain('timestamp is not a function')
    expect(refusal(() => b.stream(lines, { onInvalidTimestamp: 'drop' as never })).message).toBe(
      'lines: onInvalidTimestamp is "drop"',
    )
  })
})

test('a source starts where it says, a table at the first record, and what says nothing agrees with that', () => {
  const starts = (build: Parameters<typeof defineTopology>[1]) => nodeOf(defineTopology('t', build), 'source').startFrom
  expect(starts((b) => void b.stream(orders))).toBeUndefined()
  expect(starts((b) => void b.stream(orders, { startFrom: 'latest' }))).toBe('latest')
  expect(starts((b) => void b.stream(orders, { startFrom: { ago: '1h' } }))).toEqual({ agoMs: 3_600_000 })
  const hour = (ago: '1h' | '60m') => ({ startFrom: { ago } }) as const
  expect(starts((b) => void [b.stream(orders, hour('1h')), b.stream(orders, hour('60m'))])).toEqual({
    agoMs: 3_600_000,
  })
  expect(starts((b) => void b.table(orders, { store: 'o' }))).toBe('earliest')
  expect(starts((b) => void b.table(orders, { store: 'o', startFrom: 'none' }))).toBe('none')
  expect(starts((b) => void [b.stream(orders), b.table(orders, { store: 'o' })])).toBe('earliest')
  expect(starts((b) => void [b.table(orders, { store: 'o' }), b.stream(orders)])).toBe('earliest')
})
