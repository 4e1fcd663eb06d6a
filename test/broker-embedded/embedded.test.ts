import { afterEach, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, type EmbeddedOptions, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { StreamError } from '../../src/common/errors.ts'
import { noHeaders } from '../../src/common/record.ts'
import { append, joinAs, offsetOf, openInLog, readCommitted, settledEnd, texts } from '../compliance/broker-kit.ts'

let broker: EmbeddedBroker | undefined
afterEach(() => broker?.close())

async function open(options: EmbeddedOptions = {}): Promise<EmbeddedBroker> {
  broker = await openEmbedded(options)
  await broker.createTopics([{ name: 'in', partitions: 2, configs: {} }])
  return broker
}

test('says what it is', async () => {
  expect(await open()).toMatchObject({ kind: 'embedded', address: 'embedded (memory)' })
})

test('topics come by themselves when asked for, if so opened', async () => {
  const opened = await open({ autoCreateTopics: true, defaultPartitions: 3 })
  expect(await opened.topics(['seen'])).toEqual(new Map([['seen', { name: 'seen', partitions: 3 }]]))
  const producer = await opened.transactionalProducer({ transactionalId: 'p' })
  append(producer, 'written', 'x', 2)
  await producer.commit(null)
  expect(texts(await readCommitted(opened, 'written', 2))).toEqual(['x'])
  expect([...(await opened.topics()).keys()]).toEqual(['in', 'seen', 'written'])
})

test.each([
  { name: '', partitions: 1 },
  { name: '..', partitions: 1 },
  { name: 'a/b', partitions: 1 },
  { name: 'a', partitions: 0 },
])('refuses the topic $name with $partitions partitions', async (spec) => {
  const opened = await open()
  await expect(opened.createTopics([{ ...spec, configs: {} }])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})

test('a record for a partition or topic that is not there fails its transaction', async () => {
  const opened = await open()
  for (const [topic, partition] of [
    ['in', 2],
    ['none', 0],
  ] as const) {
    const producer = await opened.transactionalProducer({ transactionalId: 'p' })
    append(producer, 'in', 'x')
    append(producer, topic, 'x', partition)
    await expect(producer.commit(null)).rejects.toMatchObject({ code: 'TOPIC_MISSING', where: { topic, partition } })
  }
  expect(await readCommitted(opened, 'in')).toEqual([])
})

test('a transaction older than its timeout is aborted and its producer fenced, by the given clock', async () => {
  let now = 0
  const opened = await open({ clock: () => now })
  const producer = await opened.transactionalProducer({ transactionalId: 'p', timeoutMs: 10_000 })
  await openInLog(opened, producer, 'in', 'slow')
  now = 9_999
  expect(await offsetOf(opened, 'in', 'stable')).toBe(0)
  now = 10_000
  expect(await offsetOf(opened, 'in', 'stable')).toBe(await offsetOf(opened, 'in', 'end'))
  expect(await readCommitted(opened, 'in')).toEqual([])
  await expect(producer.commit(null)).rejects.toMatchObject({ code: 'FENCED' })
})

test('everything says so after close', async () => {
  const opened = await open()
  const other = opened.connect()
  const fetcher = opened.fetcher()
  fetcher.assign([{ topic: 'in', partition: 0, offset: 0 }])
  const waiting = fetcher.poll(600_000)
  await opened.close()
  expect(await waiting).toEqual([])
  await expect(fetcher.poll(0)).rejects.toMatchObject({ code: 'UNREACHABLE' })
  await expect(opened.topics()).rejects.toMatchObject({ code: 'UNREACHABLE' })
  await expect(other.topics()).rejects.toMatchObject({ code: 'UNREACHABLE' })
})

describe('a client that dies', () => {
  test('leaves its transaction open until its id is taken', async () => {
    const opened = await open()
    const dying = opened.connect()
    const producer = await dying.transactionalProducer({ transactionalId: 'p' })
    await openInLog(opened, producer, 'in', 'dead')
    dying.crash()
    await expect(producer.commit(null)).rejects.toBeInstanceOf(StreamError)
    await expect(dying.topics()).rejects.toMatchObject({ code: 'UNREACHABLE' })
    expect(await offsetOf(opened, 'in', 'stable')).toBe(0)
    await opened.transactionalProducer({ transactionalId: 'p' })
    expect(await settledEnd(opened, 'in')).toBeGreaterThan(0)
    expect(await readCommitted(opened, 'in')).toEqual([])
  })

  test('leaves its partitions to the others, hears nothing and holds nobody up', async () => {
    const opened = await open()
    const dying = opened.connect()
    const group = { topic: 'in', partitions: 2, groupId: 'g' }
    const events: string[] = []
    // Its revoke never ends: the group must not wait for the dead.
    const one = await joinAs(dying, { ...group, name: 'one', events, onRevoke: () => new Promise(() => {}) })
    await one.assigned()
    const two = await joinAs(opened, { ...group, name: 'two', events })
    while (!events.includes('one revoke')) await opened.describeGroup('g').then(() => new Promise(setImmediate))
    dying.crash()
    const assigned = await two.assigned()
    expect(assigned.partitions).toHaveLength(2)
    expect(events).toEqual(['one assign', 'one revoke', 'two assign'])
  })
})

describe('a member', () => {
  const group = { topic: 'in', partitions: 2, groupId: 'g' }

  test('that is thrown out hears of it, may not commit, and joins again under another id', async () => {
    const opened = await open()
    const events: string[] = []
    const one = await joinAs(opened, { ...group, name: 'one', events })
    const { metadata } = await one.assigned()
    expect(opened.expireMember('g', 'nobody')).toBe(false)
    expect(opened.expireMember('g', metadata.memberId)).toBe(true)
    const producer = await opened.transactionalProducer({ transactionalId: 'p' })
    const offsets = [{ topic: 'in', partition: 0, offset: 1, metadata: '' }]
    await expect(producer.commit({ group: metadata, offsets })).rejects.toMatchObject({ code: 'FENCED' })
    const again = await one.assigned()
    expect(again.metadata.memberId).not.toBe(metadata.memberId)
    expect(again.partitions).toHaveLength(2)
    expect(events).toEqual(['one assign', 'one lost', 'one assign'])
  })

  test('whose callback throws fails alone', async () => {
    const opened = await open()
    const one = await joinAs(opened, { ...group, name: 'one', onRevoke: () => Promise.reject(new Error('no')) })
    await one.assigned()
    const two = await joinAs(opened, { ...group, name: 'two' })
    expect((await two.assigned()).partitions).toHaveLength(2)
    expect(one.errors.map(({ message }) => message)).toEqual(['no'])
    expect(two.errors).toEqual([])
  })

  test('with the instance id of another takes its place', async () => {
    const opened = await open()
    const errors: Error[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const options = {
      groupId: 'g',
      topics: ['in'],
      instanceId: 'i',
      userData: () => Buffer.alloc(0),
      assign: () => new Map(),
      onRevoke: async () => {},
      onAssign: async () => resolve(),
      onLost: async () => {},
      onError: (error: Error) => errors.push(error),
    }
    await opened.join(options)
    await promise
    await opened.join({ ...options, onError: () => {} })
    expect(errors).toMatchObject([{ code: 'FENCED' }])
    expect((await opened.describeGroup('g')).members).toHaveLength(1)
  })

  test('that reads a topic is assigned anew when the topic comes to be', async () => {
    const opened = await open()
    const one = await joinAs(opened, { ...group, topic: 'later', name: 'one' })
    const first = await one.assigned()
    await opened.createTopics([{ name: 'later', partitions: 2, configs: {} }])
    expect((await one.assigned()).metadata.generation).toBeGreaterThan(first.metadata.generation)
  })
})

test('what was appended is a copy: its buffer may be used again', async () => {
  const opened = await open()
  const producer = await opened.transactionalProducer({ transactionalId: 'p' })
  const value = Buffer.from('keyvalue')
  producer.output('in').append(0, null, value, 0, noHeaders)
  producer.output('in').appendRange(0, value, 0, 3, 5, 0, noHeaders)
  producer.output('in').appendRange(0, value, 3, -1, 5, 0, noHeaders)
  producer.output('in').appendRange(0, value, 0, 3, -1, 0, noHeaders)
  value.fill(0)
  await producer.commit(null)
  expect((await readCommitted(opened, 'in')).map(({ key, value }) => `${key} ${value}`)).toEqual([
    'null keyvalue',
    'key value',
    'null value',
    'key null',
  ])
})
