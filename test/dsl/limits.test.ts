import { describe, expect, test } from 'vitest'
import { defineTopology, json, string, topic } from '../../src/index.ts'
import { createTestDriver } from '../../src/testing.ts'

interface Payment {
  readonly id: string
  readonly account: string
}
const payments = topic('payments', { key: string, value: json<Payment>() })
const output = topic('output', { key: string, value: json<Payment>() })
const rejected = topic('rejected', { key: string, value: json<Payment>() })

// biome-ignore lint/suspicious/noExplicitAny: calls as plain JavaScript makes them.
function built(build: (stream: any) => void) {
  return defineTopology('m', (b) => build(b.stream(payments)))
}

test('the node says the period, and the store keeps passes as long as they count', () => {
  const { nodes } = built((s) => s.dedupe('once', { within: '1m' }).to(output))
  expect(nodes[1]).toMatchObject({
    kind: 'dedupe',
    name: 'once',
    periodMs: 60_000,
    graceMs: 60_000,
    store: {
      name: 'once',
      kind: 'window',
      key: { format: 'string' },
      value: { format: 'passes' },
      windows: { sizeMs: 60_000, advanceMs: 60_000, graceMs: 120_000 },
      retentionMs: 180_000,
    },
  })
})

test('with an id the rows are by key and id', () => {
  const { nodes } = built((s) =>
    s
      .rateLimit('limit', { limit: 3, per: '1m', by: (p: Payment) => p.id, grace: 0, storage: 'memory' })
      .within.to(output),
  )
  expect(nodes.slice(1)).toMatchObject([
    {
      kind: 'rate-limit',
      limit: 3,
      graceMs: 0,
      store: { key: { format: 'identified(string)' }, storage: 'memory', windows: { graceMs: 60_000 } },
    },
    { kind: 'branch', name: 'limit.within', index: 0 },
    { kind: 'branch', name: 'limit.over', index: 1 },
    { kind: 'sink' },
  ])
})

test('a re-keyed stream goes through a topic of that name, and its serdes have to be known', () => {
  const { nodes } = built((s) =>
    s
      .selectKey((p: Payment) => p.account)
      .dedupe('once', { within: '1m', key: string })
      .to(output),
  )
  expect(nodes.map(({ kind }) => kind)).toEqual(['source', 'select-key', 'repartition', 'dedupe', 'sink'])
  expect(nodes[2]).toMatchObject({ topic: 'once' })
})

describe('refuses', () => {
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  const cases: readonly [string, (stream: any) => void, string][] = [
    ['no name', (s) => s.dedupe({ within: 1 }), 'the store name'],
    ['no period', (s) => s.dedupe('d', {}), '`within` is not given'],
    ['no options', (s) => s.dedupe('d'), '`within` is not given'],
    ['a period of 0', (s) => s.dedupe('d', { within: 0 }), '`within` is 0 ms'],
    ['a period that is none', (s) => s.dedupe('d', { within: 'soon' }), 'is not a duration'],
    ['a grace that is none', (s) => s.dedupe('d', { within: 1, grace: -1 }), 'is not a duration'],
    ['an id that is no function', (s) => s.dedupe('d', { within: 1, by: 'id' }), '`by` is not a function'],
    ['an async id', (s) => s.dedupe('d', { within: 1, by: async () => 'x' }), '`by` is async'],
    ['no limit', (s) => s.rateLimit('r', { per: 1 }), 'the limit undefined is no number of records'],
    ['a limit of 0', (s) => s.rateLimit('r', { limit: 0, per: 1 }), 'the limit 0'],
    ['half a record', (s) => s.rateLimit('r', { limit: 1.5, per: 1 }), 'the limit 1.5'],
    ['a limit that no row could hold', (s) => s.rateLimit('r', { limit: 100_001, per: 1 }), 'the limit 100001'],
    ['no time for a limit', (s) => s.rateLimit('r', { limit: 1 }), '`per` is not given'],
    [
      'a name twice',
      (s) => s.dedupe('d', { within: 1 }).dedupe('d', { within: 1 }),
      'the name d is given to a store twice',
    ],
    [
      'a key whose serde is not known',
      (s) => s.selectKey((p: Payment) => p.id).dedupe('d', { within: 1 }),
      'needs the key serde for its repartition topic',
    ],
  ]
  test.each(cases)('%s', (_, build, message) => {
    expect(() => built(build)).toThrow(
      expect.objectContaining({
        code: 'INVALID_TOPOLOGY',
        message: expect.stringContaining(message),
        where: expect.objectContaining({ file: expect.stringContaining('limits.test.ts') }),
      }),
    )
  })
})

test('run in tasks: duplicates are found after a restart, and what is over goes its way', async () => {
  const topology = defineTopology('payments', (b) => {
    const { within, over } = b
      .stream(payments)
      .dedupe('once', { by: (payment) => payment.id, within: '1h' })
      .rateLimit('per-account', { limit: 2, per: '1m' })
    within.to(output)
    over.to(rejected)
  })
  const driver = await createTestDriver(topology, { partitions: 3 })
  const send = (id: string, time: number) => driver.send(payments, 'account', { id, account: 'account' }, time)
  await send('1', 0)
  await send('2', 1)
  await driver.restart()
  await send('1', 2)
  await send('3', 3)
  await send('4', 60_000)
  expect(driver.read(output).map(({ value }) => value?.id)).toEqual(['1', '2', '4'])
  expect(driver.read(rejected).map(({ value }) => value?.id)).toEqual(['3'])
  await driver.close()
})
