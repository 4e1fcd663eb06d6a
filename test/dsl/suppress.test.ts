import { expect, test } from 'vitest'
import { Windows } from '../../src/common/windows.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { Suppressed } from '../../src/dsl/suppressed.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { topic } from '../../src/serde/topic.ts'
import { windowed } from '../../src/serde/windowed.ts'
import { customers, lineHere, nodeOf, orders, refusal } from './fixtures.ts'

const untilClosed = Suppressed.untilWindowCloses('unbounded')

test('until windows close: the limit is their grace, and rows stay as long as windows take records', () => {
  const topology = defineTopology('t', (b) => {
    b.stream(orders)
      .groupByKey()
      .windowedBy(Windows.tumbling('1m', { grace: '10s' }))
      .count('counts')
      .suppress('final', untilClosed)
  })
  expect(nodeOf(topology, 'suppress')).toMatchObject({
    name: 'final',
    parents: [1],
    until: 'window-close',
    limitMs: 10_000,
    maxRecords: Number.POSITIVE_INFINITY,
    whenFull: 'stop',
    store: { name: 'final', kind: 'buffer', retentionMs: 70_000, storage: 'disk' },
    where: { line: expect.any(Number) },
  })
  expect(nodeOf(topology, 'suppress').store).not.toHaveProperty('measured')
})

test('until a time limit: on any table; a limit in bytes is measured', () => {
  const topology = defineTopology('t', (b) => {
    b.table(customers, { store: 'people' }).suppress(
      'calm',
      Suppressed.untilTimeLimit('5s', { maxBytes: 1000, whenFull: 'emit' }),
      { storage: 'memory' },
    )
  })
  expect(nodeOf(topology, 'suppress')).toMatchObject({
    limitMs: 5000,
    maxBytes: 1000,
    store: { key: string, value: customers.value, retentionMs: 5000, measured: true, storage: 'memory' },
  })
})

test('a table without windows has none that close: the error names the line', () => {
  defineTopology('t', (b) => {
    const wide = b.table(topic('wide', { key: windowed(string, 10), value: string }), { store: 'wide-rows' })
    const error = refusal(() => wide.suppress('final', untilClosed))
    expect(error.code).toBe('INVALID_TOPOLOGY')
    expect(error.message).toBe('final: untilWindowCloses waits for windows to close, and wide-rows is made of none')
    expect(error.hint).toContain('Suppressed.untilTimeLimit')
    expect(error.where).toMatchObject({ node: 'final', line: lineHere(-4), file: import.meta.filename })
  })
})

test('a versioned table, and what is derived of it row by row, is refused; what follows its latest versions is not', () => {
  defineTopology('t', (b) => {
    const versions = b.table(customers, { store: 'versions', history: '1h' })
    const error = refusal(() => versions.suppress('calm', Suppressed.untilTimeLimit(1, 'unbounded')))
    expect(error.code).toBe('INVALID_TOPOLOGY')
    expect(error.message).toBe(
      'calm: suppress passes on the last update of a key alone, and of the versioned table versions every version counts',
    )
    expect(error.hint).toContain('Leave its history out')
    expect(error.where).toMatchObject({ node: 'calm', line: lineHere(-6), file: import.meta.filename })
    const derived = versions.filter(Boolean).mapValues((row) => row)
    const options = { serde: customers.value }
    expect(
      refusal(() => derived.suppress('calmer', Suppressed.untilTimeLimit(1, 'unbounded'), options)).message,
    ).toContain('every version counts')
    versions.join(versions, (row) => row).suppress('calmest', Suppressed.untilTimeLimit(1, 'unbounded'), options)
  })
})

test('a name, a limit and the serde of the value are needed', () => {
  defineTopology('t', (b) => {
    const table = b.table(customers, { store: 'people' })
    expect(refusal(() => table.suppress(undefined as never, Suppressed.untilTimeLimit(1, 'unbounded'))).message).toBe(
      'people.suppress: no store name is given',
    )
    expect(refusal(() => table.suppress('people', Suppressed.untilTimeLimit(1, 'unbounded'))).message).toContain(
      'the name people is given to a store twice',
    )
    expect(refusal(() => table.suppress('x', 'unbounded' as never)).message).toBe('x: suppress was not told until when')
    const mapped = table.mapValues(({ name }) => name.length)
    const error = refusal(() => mapped.suppress('calm', Suppressed.untilTimeLimit(1, 'unbounded')))
    expect(error.message).toContain('calm needs the value serde for its buffer')
    expect(error.hint).toContain("suppress('calm', ..., { serde: json<V>() })")
    mapped.suppress('calmer', Suppressed.untilTimeLimit(1, 'unbounded'), { serde: json<number>() }).toStream()
  })
})
