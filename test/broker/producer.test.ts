import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { connectKafka, type KafkaOptions } from '../../src/broker/kafka/broker.ts'
import type { Broker, GroupMetadata, TransactionalProducer } from '../../src/broker/port.ts'
import { javaTools, runJavaTool } from '../../tools/kafka/java-tool.ts'
import { joinAs, outsider } from '../compliance/broker-kit.ts'
import { api, type FaultProxy, startProxy } from './tcp-proxy.ts'

const bootstrap = inject('bootstrap')
const run = Date.now().toString(36)
let names = 0
const fresh = (what: string): string => `${what}-${run}-${names++}`

let broker: Broker
let proxy: FaultProxy
const open: Broker[] = []

beforeAll(async () => {
  broker = await connectKafka({ bootstrap })
  proxy = await startProxy(bootstrap)
})
afterAll(async () => {
  await Promise.all([broker, ...open].map((each) => each?.close()))
  await proxy?.close()
})

async function behindProxy(options: Partial<KafkaOptions> = {}): Promise<Broker> {
  const connected = await connectKafka({ bootstrap: proxy.bootstrap, ...options })
  open.push(connected)
  return connected
}

async function newTopic(partitions = 1, configs: Record<string, string> = {}): Promise<string> {
  const name = fresh('produced')
  await broker.createTopics([{ name, partitions, configs }])
  return name
}

/** What Kafka's own consumer reads under read_committed. */
async function javaReads(topic: string): Promise<string[]> {
  const { stdout } = await runJavaTool(javaTools.consoleConsumer, [
    ...['--bootstrap-server', bootstrap, '--topic', topic, '--isolation-level', 'read_committed'],
    ...['--from-beginning', '--timeout-ms', '4000'],
  ])
  return stdout.split('\n').filter((line) => line !== '')
}

function append(producer: Pick<TransactionalProducer, 'output'>, topic: string, value: string, partition = 0): void {
  producer.output(topic).append(partition, null, Buffer.from(value), Date.now(), [])
}

function at(group: GroupMetadata, topic: string, offset: number) {
  return { group, offsets: [{ topic, partition: 0, offset, metadata: '' }] }
}

describe('a lost answer', () => {
  test.each(['lose-request', 'lose-answer', 'swallow-answer'] as const)(
    'to EndTxn (%s) is an unknown outcome; after reset the offsets tell, and nothing is lost or doubled',
    async (fate) => {
      const topic = await newTopic()
      const group = outsider(fresh('group'))
      const connected = await behindProxy()
      const producer = await connected.transactionalProducer({ transactionalId: fresh('tx') })
      append(producer, topic, 'line 0')
      await producer.commit(at(group, topic, 1))
      const resolved: number[] = []
      for (let line = 1; line <= 4; ) {
        append(producer, topic, `line ${line}`)
        if (line % 2 === 1 && resolved.at(-1) !== line) {
          proxy.next(api.endTxn, fate)
          await expect(producer.commit(at(group, topic, line + 1))).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' })
          await expect(producer.commit(null)).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' })
          await producer.reset()
          resolved.push(line)
        } else {
          await producer.commit(at(group, topic, line + 1))
        }
        // As the engine does: the committed offset is the only truth about what to do next.
        const [committed] = await connected.committed(group.groupId, [{ topic, partition: 0 }])
        line = committed?.offset ?? 0
      }
      expect(resolved).toHaveLength(2)
      expect(await javaReads(topic)).toEqual([0, 1, 2, 3, 4].map((line) => `line ${line}`))
      await producer.close()
    },
  )

  test.each(['lose-request', 'lose-answer'] as const)('to Produce (%s) leads to no second copy', async (fate) => {
    const topic = await newTopic(3)
    const connected = await behindProxy()
    const producer = await connected.transactionalProducer({ transactionalId: fresh('tx') })
    const before = proxy.struck
    const expected: string[] = []
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 9; i++) {
        expected.push(`${round}/${i}`)
        append(producer, topic, `${round}/${i}`, i % 3)
      }
      proxy.next(api.produce, fate)
      const ends = await producer.commit(null)
      expect(ends.get(`${topic}-0`)).toBe(round * 4 + 3)
    }
    expect(proxy.struck - before).toBe(5)
    expect((await javaReads(topic)).sort()).toEqual(expected.sort())
    await producer.close()
  })

  test.each([api.addOffsets, api.txnOffsetCommit])(
    'to request %i is an unknown outcome that aborts',
    async (apiKey) => {
      const topic = await newTopic()
      const group = outsider(fresh('group'))
      const connected = await behindProxy()
      const producer = await connected.transactionalProducer({ transactionalId: fresh('tx') })
      proxy.next(apiKey, 'lose-answer')
      append(producer, topic, 'void')
      await expect(producer.commit(at(group, topic, 9))).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' })
      await producer.reset()
      expect(await connected.committed(group.groupId, [{ topic, partition: 0 }])).toEqual([])
      append(producer, topic, 'kept')
      await producer.commit(at(group, topic, 1))
      expect(await javaReads(topic)).toEqual(['kept'])
      await producer.close()
    },
  )
})

describe('fencing', () => {
  test('by epoch: the new holder goes on, the old one can do nothing, not even by closing', async () => {
    const topic = await newTopic()
    const transactionalId = fresh('tx')
    const old = await broker.transactionalProducer({ transactionalId })
    append(old, topic, 'old 1')
    await old.commit(null)
    const successor = await broker.transactionalProducer({ transactionalId })
    append(old, topic, 'old 2')
    await expect(old.commit(null)).rejects.toMatchObject({ code: 'FENCED' })
    append(successor, topic, 'new 1')
    const closing = old.close()
    await successor.commit(null)
    await closing
    append(successor, topic, 'new 2')
    await successor.commit(null)
    expect(await javaReads(topic)).toEqual(['old 1', 'new 1', 'new 2'])
    await successor.close()
  })

  test('by generation: an old one, an unknown member and none of the group are refused', async () => {
    const topic = await newTopic()
    const groupId = fresh('group')
    const member = await joinAs(broker, { topic, partitions: 1, groupId, name: 'a' })
    const { metadata: first } = await member.assigned()
    const producer = await broker.transactionalProducer({ transactionalId: fresh('tx') })
    await producer.commit(at(first, topic, 1))
    member.rejoin()
    const { metadata: second } = await member.assigned()
    expect(second.generation).toBe(first.generation + 1)
    for (const stale of [first, { ...second, memberId: 'somebody' }]) {
      append(producer, topic, 'void')
      await expect(producer.commit(at(stale, topic, 5))).rejects.toMatchObject({ code: 'FENCED' })
      await producer.reset()
    }
    append(producer, topic, 'kept')
    await producer.commit(at(second, topic, 2))
    expect(await broker.committed(groupId, [{ topic, partition: 0 }])).toEqual([
      { topic, partition: 0, offset: 2, metadata: '' },
    ])
    expect(await javaReads(topic)).toEqual(['kept'])
    await member.close()
    await producer.close()
  })
})

test('committed offsets wait for the transaction that holds a newer one', async () => {
  const topic = await newTopic()
  const group = outsider(fresh('group'))
  const connected = await behindProxy()
  const producer = await connected.transactionalProducer({ transactionalId: fresh('tx'), timeoutMs: 30_000 })
  await producer.commit(at(group, topic, 1))
  const reached = Promise.withResolvers<void>()
  proxy.decide((apiKey) => {
    if (apiKey !== api.endTxn) return 'pass'
    reached.resolve()
    return 'lose-request'
  })
  const commit = producer.commit(at(group, topic, 2)).catch((error: unknown) => error)
  await reached.promise
  proxy.decide(() => 'pass')
  let answered = false
  const asking = broker.committed(group.groupId, [{ topic, partition: 0 }]).then((offsets) => {
    answered = true
    return offsets
  })
  expect(await commit).toMatchObject({ code: 'UNKNOWN_OUTCOME' })
  // Two more round trips on the same connection: it would have answered by now.
  await broker.describeGroup(group.groupId)
  await broker.describeGroup(group.groupId)
  expect(answered).toBe(false)
  await producer.reset()
  expect(await asking).toEqual([{ topic, partition: 0, offset: 1, metadata: '' }])
  await producer.close()
})

test('a second commit waits for the first one and holds what was appended in between', async () => {
  const topic = await newTopic()
  const producer = await broker.transactionalProducer({ transactionalId: fresh('tx') })
  const commits = Array.from({ length: 20 }, (_, i) => {
    append(producer, topic, `${i}`)
    return producer.commit(null)
  })
  const ends = await Promise.all(commits)
  // One record and one marker each.
  expect(ends.map((end) => end.get(`${topic}-0`))).toEqual(ends.map((_, i) => 2 * i + 1))
  expect(await javaReads(topic)).toEqual(ends.map((_, i) => `${i}`))
  await producer.close()
})

test('a cycle of 24 MB over 3 partitions is one transaction', async () => {
  const topic = await newTopic(3)
  const producer = await broker.transactionalProducer({ transactionalId: fresh('tx'), timeoutMs: 60_000 })
  const value = 'x'.repeat(1000)
  for (let i = 0; i < 24_000; i++) {
    append(producer, topic, value, i % 3)
    if (i % 2000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const partitions = [0, 1, 2].map((partition) => ({ topic, partition }))
  // Sent before the commit, and not to be seen before it.
  expect((await broker.offsets(partitions, 'end')).some(({ offset }) => offset > 0)).toBe(true)
  expect((await broker.offsets(partitions, 'stable')).map(({ offset }) => offset)).toEqual([0, 0, 0])
  expect(await producer.commit(null)).toEqual(new Map(partitions.map((_, i) => [`${topic}-${i}`, 8000])))
  await producer.close()
})

test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'batches compressed by %s are read by Java',
  async (compression) => {
    const topic = await newTopic()
    const connected = await connectKafka({ bootstrap, compression })
    const producer = await connected.transactionalProducer({ transactionalId: fresh('tx') })
    const lines = Array.from({ length: 50 }, (_, i) => `line ${i} ${'y'.repeat(i)}`)
    for (const line of lines) append(producer, topic, line)
    await producer.commit(null)
    expect(await javaReads(topic)).toEqual(lines)
    await producer.close()
    await connected.close()
  },
)

test('batches larger than the topic allows are split; a record larger than that is refused by size', async () => {
  const topic = await newTopic(1, { 'max.message.bytes': '3000' })
  const producer = await broker.transactionalProducer({ transactionalId: fresh('tx') })
  const lines = Array.from({ length: 40 }, (_, i) => `${i}`.padEnd(500, '.'))
  for (const line of lines) append(producer, topic, line)
  expect(await producer.commit(null)).toEqual(new Map([[`${topic}-0`, 40]]))
  append(producer, topic, 'x'.repeat(4000))
  await expect(producer.commit(null)).rejects.toMatchObject({
    code: 'PRODUCTION',
    message: expect.stringContaining(topic),
  })
  await producer.reset()
  append(producer, topic, 'after')
  await producer.commit(null)
  expect(await javaReads(topic)).toEqual([...lines, 'after'])
  await producer.close()
})

test('a plain producer is idempotent: lost answers lead to no second copy', async () => {
  const topic = await newTopic(2)
  const connected = await behindProxy()
  const producer = await connected.plainProducer()
  for (let round = 0; round < 5; round++) {
    append(producer, topic, `${round}`)
    proxy.next(api.produce, 'lose-answer')
    expect(await producer.flush()).toEqual(new Map([[`${topic}-0`, round + 1]]))
  }
  expect(await javaReads(topic)).toEqual(['0', '1', '2', '3', '4'])
  await producer.close()
})
