import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { NodeRequest } from '../../src/broker/kafka/connections.ts'
import { openTransactionalProducer, type ProducerSettings } from '../../src/broker/kafka/producer.ts'
import { nextSequence } from '../../src/broker/kafka/sender.ts'
import { Reader, Writer } from '../../src/broker/kafka/wire.ts'
import type { OffsetCommit, TransactionalProducer } from '../../src/broker/port.ts'
import { StreamError } from '../../src/common/errors.ts'
import { code, noAnswer, produced, readProduceRequest, ScriptedCluster } from './scripted-cluster.ts'

const offsets: OffsetCommit = {
  group: { groupId: 'g', generation: 3, memberId: 'm', instanceId: null },
  offsets: [{ topic: 'in', partition: 0, offset: 7, metadata: '' }],
}

function addPartitionsAnswer(request: NodeRequest, error = 0): Buffer {
  const r = new Reader(request.body)
  r.string()
  r.int64()
  r.int16()
  const topics = r.array(() => ({ topic: r.string(), partitions: r.array(() => r.int32()) }))
  return new Writer()
    .int32(0)
    .array(topics, (w, { topic, partitions }) =>
      w.string(topic).array(partitions, (v, partition) => v.int32(partition).int16(error)),
    )
    .finish()
}

function offsetCommitAnswer(error: number): Buffer {
  return new Writer()
    .int32(0)
    .compactArray([error], (w, e) =>
      w
        .compactString('in')
        .compactArray([e], (v, each) => v.int32(0).int16(each).tags())
        .tags(),
    )
    .tags()
    .finish()
}

/** A broker that takes everything; each InitProducerId gives the next epoch. */
function willing(): ScriptedCluster {
  const cluster = new ScriptedCluster()
  let epoch = 0
  const ends = new Map<string, number>()
  cluster.on('InitProducerId', () => new Writer().int32(0).int16(0).int64(42).int16(epoch++).finish())
  cluster.on('AddPartitionsToTxn', (request) => addPartitionsAnswer(request))
  cluster.on('AddOffsetsToTxn', () => code(0))
  cluster.on('TxnOffsetCommit', () => offsetCommitAnswer(0))
  cluster.on('EndTxn', () => code(0))
  cluster.on('Produce', (request) =>
    produced(request, ({ topic, partition, count }) => {
      const name = `${topic}-${partition}`
      const baseOffset = ends.get(name) ?? 100
      ends.set(name, baseOffset + count)
      return { baseOffset }
    }),
  )
  return cluster
}

function open(cluster: ScriptedCluster, settings: ProducerSettings = {}): Promise<TransactionalProducer> {
  return openTransactionalProducer(cluster, { transactionalId: 'tx' }, { random: () => 0.5, ...settings })
}

function append(producer: TransactionalProducer, topic: string, partition: number, value: string): void {
  producer.output(topic).append(partition, null, Buffer.from(value), 1, [])
}

/** The error a promise rejects with. */
async function failure(promise: Promise<unknown>): Promise<StreamError> {
  const error = await promise.then(
    () => new Error('it resolved'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof StreamError)) throw error
  return error
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Runs timers until the promise is settled. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  let done = false
  const mark = (): void => {
    done = true
  }
  promise.then(mark, mark)
  for (let i = 0; i < 10_000 && !done; i++) await vi.advanceTimersByTimeAsync(10)
  return promise
}

describe('a commit', () => {
  test('asks as little as can be, in a safe order', async () => {
    const cluster = willing()
    const producer = await open(cluster)
    for (const topic of ['a', 'b']) for (let p = 0; p < 3; p++) append(producer, topic, p, 'x')
    append(producer, 'a', 0, 'y')
    const ends = await producer.commit(offsets)
    expect(ends).toEqual(new Map([...ends.keys()].map((name) => [name, name === 'a-0' ? 102 : 101])))
    expect(ends.size).toBe(6)
    const names = cluster.names().slice(1)
    expect([...names].sort()).toEqual(['AddOffsetsToTxn', 'AddPartitionsToTxn', 'EndTxn', 'Produce', 'TxnOffsetCommit'])
    expect(names.indexOf('AddPartitionsToTxn')).toBeLessThan(names.indexOf('Produce'))
    expect(names.indexOf('AddOffsetsToTxn')).toBeLessThan(names.indexOf('TxnOffsetCommit'))
    expect(names.at(-1)).toBe('EndTxn')
  })

  test('without records or offsets asks nobody', async () => {
    const cluster = willing()
    const producer = await open(cluster)
    expect(await producer.commit(null)).toEqual(new Map())
    expect(await producer.commit({ ...offsets, offsets: [] })).toEqual(new Map())
    expect(cluster.names()).toEqual(['InitProducerId'])
  })

  test('ends only when records and offsets are both acknowledged', async () => {
    for (const slow of ['Produce', 'TxnOffsetCommit']) {
      const cluster = willing()
      const gate = Promise.withResolvers<Buffer>()
      let held: NodeRequest | null = null
      cluster.once(slow, (request) => {
        held = request
        return gate.promise
      })
      const producer = await open(cluster)
      append(producer, 'a', 0, 'x')
      const done = producer.commit(offsets)
      await vi.advanceTimersByTimeAsync(50)
      expect(held).not.toBeNull()
      expect(cluster.names()).not.toContain('EndTxn')
      gate.resolve(slow === 'Produce' ? produced(held as unknown as NodeRequest, () => ({})) : offsetCommitAnswer(0))
      await done
      expect(cluster.names().at(-1)).toBe('EndTxn')
    }
  })

  test('seals at the call; the next one is sent only after it has ended', async () => {
    const cluster = willing()
    const gate = Promise.withResolvers<Buffer>()
    cluster.once('EndTxn', () => gate.promise)
    const producer = await open(cluster)
    append(producer, 'a', 0, 'first')
    const first = producer.commit(null)
    expect(producer.pendingBytes).toBe(0)
    append(producer, 'a', 0, 'second')
    expect(producer.pendingBytes).toBeGreaterThan(0)
    const second = producer.commit(null)
    append(producer, 'a', 0, 'third')
    await vi.advanceTimersByTimeAsync(50)
    expect(cluster.requests('Produce')).toHaveLength(1)
    gate.resolve(code(0))
    expect(await first).toEqual(new Map([['a-0', 101]]))
    expect(await second).toEqual(new Map([['a-0', 102]]))
    expect(await producer.commit(null)).toEqual(new Map([['a-0', 103]]))
    const produces = cluster.requests('Produce').map((request) => readProduceRequest(request)[0])
    expect(produces.map((batch) => batch?.baseSequence)).toEqual([0, 1, 2])
    expect(produces.map((batch) => batch?.records.includes('second'))).toEqual([false, true, false])
  })
})

describe('records', () => {
  test('of a full batch leave before the commit, but never beside an earlier commit', async () => {
    const cluster = willing()
    const gate = Promise.withResolvers<Buffer>()
    cluster.once('EndTxn', () => gate.promise)
    const producer = await open(cluster, { maxBatchBytes: 2000 })
    append(producer, 'a', 0, 'x')
    const first = producer.commit(null)
    await vi.advanceTimersByTimeAsync(10)
    for (let i = 0; i < 10; i++) append(producer, 'a', 0, 'y'.repeat(500))
    await vi.advanceTimersByTimeAsync(10)
    expect(cluster.requests('Produce')).toHaveLength(1)
    gate.resolve(code(0))
    await first
    append(producer, 'a', 0, 'y'.repeat(500))
    await vi.advanceTimersByTimeAsync(10)
    const early = cluster.requests('Produce').length
    expect(early).toBeGreaterThan(1)
    expect(cluster.requests('EndTxn')).toHaveLength(1)
    append(producer, 'b', 0, 'z')
    expect(await producer.commit(null)).toEqual(
      new Map([
        ['a-0', 112],
        ['b-0', 101],
      ]),
    )
    expect(cluster.requests('AddPartitionsToTxn')).toHaveLength(3)
    expect(cluster.requests('EndTxn')).toHaveLength(2)
  })

  test('without an answer are sent again with the same sequence, epoch and bytes', async () => {
    const cluster = willing()
    const producer = await open(cluster)
    append(producer, 'a', 0, 'x')
    await producer.commit(null)
    cluster.once('Produce', () => noAnswer)
    cluster.once('Produce', (request) => produced(request, () => ({ error: 6 })))
    append(producer, 'a', 0, 'y')
    expect(await settled(producer.commit(null))).toEqual(new Map([['a-0', 102]]))
    const tries = cluster
      .requests('Produce')
      .slice(1)
      .map((request) => readProduceRequest(request)[0])
    expect(tries).toHaveLength(3)
    expect(tries[0]?.baseSequence).toBe(1)
    for (const again of tries) expect(again?.records.equals(tries[0]?.records as Buffer)).toBe(true)
  })

  test('that cannot be delivered in time fail the commit', async () => {
    const cluster = willing()
    cluster.on('Produce', () => new StreamError('UNREACHABLE', 'down'))
    const producer = await open(cluster)
    append(producer, 'a', 0, 'x')
    const commit = producer.commit(null)
    expect((await failure(settled(commit))).code).toBe('UNREACHABLE')
    expect(cluster.names()).not.toContain('EndTxn')
  })

  test('of a batch that is too large for the topic are split under the same sequences', async () => {
    const cluster = willing()
    const stored: string[] = []
    cluster.on('Produce', (request) =>
      produced(request, ({ records, baseSequence, count }) => {
        if (records.length > 400) return { error: 10 }
        stored.push(`${baseSequence}+${count}`)
        return { baseOffset: baseSequence }
      }),
    )
    const producer = await open(cluster)
    for (let i = 0; i < 8; i++) append(producer, 'a', 0, 'x'.repeat(100))
    expect(await producer.commit(null)).toEqual(new Map([['a-0', 8]]))
    let next = 0
    for (const part of stored) {
      const [at, count] = part.split('+').map(Number)
      expect(at).toBe(next)
      next += count as number
    }
    expect(next).toBe(8)
    append(producer, 'a', 0, 'x')
    await producer.commit(null)
    expect(stored.at(-1)).toBe('8+1')
  })

  test('too large by themselves are refused by topic and size', async () => {
    const cluster = willing()
    cluster.on('Produce', (request) => produced(request, () => ({ error: 10 })))
    const producer = await open(cluster)
    append(producer, 'big', 0, 'x'.repeat(5000))
    const error = await failure(producer.commit(null))
    expect(error.code).toBe('PRODUCTION')
    expect(error.message).toMatch(/'big' takes no record of 50\d\d bytes/)
    expect(error.where).toMatchObject({ topic: 'big', partition: 0 })
  })

  test('count on after 2^31 - 1', () => {
    expect(nextSequence(2 ** 31 - 1, 1)).toBe(0)
    expect(nextSequence(2 ** 31 - 3, 10)).toBe(7)
    expect(nextSequence(5, 10)).toBe(15)
  })
})

describe('the outcome', () => {
  test.each(['AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn', 'AddPartitionsToTxn'])(
    'of an unanswered %s is unknown, and only a new epoch goes on',
    async (apiName) => {
      const cluster = willing()
      const producer = await open(cluster)
      append(producer, 'a', 0, 'x')
      await producer.commit(offsets)
      cluster.once(apiName, () => noAnswer)
      append(producer, 'a', 0, 'y')
      const broken = producer.commit(offsets)
      append(producer, 'a', 0, 'z')
      const queued = producer.commit(offsets)
      expect((await failure(settled(broken))).code).toBe('UNKNOWN_OUTCOME')
      expect((await failure(settled(queued))).code).toBe('UNKNOWN_OUTCOME')
      append(producer, 'a', 0, 'never')
      expect((await failure(producer.commit(null))).code).toBe('UNKNOWN_OUTCOME')
      expect(cluster.requests(apiName)).toHaveLength(2)
      await producer.reset()
      expect(producer.pendingBytes).toBe(0)
      append(producer, 'a', 0, 'anew')
      await producer.commit(offsets)
      const [last] = readProduceRequest(cluster.requests('Produce').at(-1) as NodeRequest)
      expect(last).toMatchObject({ epoch: 1, baseSequence: 0, count: 1 })
      expect(last?.records.includes('anew')).toBe(true)
    },
  )

  test.each([
    ['EndTxn', 47],
    ['EndTxn', 90],
    ['EndTxn', 49],
    ['AddPartitionsToTxn', 90],
    ['AddOffsetsToTxn', 47],
    ['TxnOffsetCommit', 22],
    ['TxnOffsetCommit', 25],
    ['TxnOffsetCommit', 82],
    ['TxnOffsetCommit', 47],
    ['Produce', 47],
  ])('of %s answered %i is FENCED', async (apiName, error) => {
    const cluster = willing()
    cluster.on(apiName, (request) => {
      if (apiName === 'Produce') return produced(request, () => ({ error }))
      if (apiName === 'AddPartitionsToTxn') return addPartitionsAnswer(request, error)
      return apiName === 'TxnOffsetCommit' ? offsetCommitAnswer(error) : code(error)
    })
    const producer = await open(cluster)
    append(producer, 'a', 0, 'x')
    expect((await failure(settled(producer.commit(offsets)))).code).toBe('FENCED')
    await producer.close()
    // A goodbye that took a new epoch would end the successor's transaction; the group's fencing leaves ours to be aborted.
    const isSucceeded = [47, 49, 90].includes(error)
    expect(cluster.requests('InitProducerId')).toHaveLength(isSucceeded ? 1 : 2)
  })

  test.each([
    ['AddPartitionsToTxn', 51],
    ['AddOffsetsToTxn', 51],
    ['AddOffsetsToTxn', 16],
    ['TxnOffsetCommit', 14],
    ['TxnOffsetCommit', 3],
    ['EndTxn', 51],
    ['EndTxn', 15],
    ['EndTxn', 16],
  ])('of %s answered %i is asked for again', async (apiName, error) => {
    const cluster = willing()
    for (let i = 0; i < 3; i++) {
      cluster.once(apiName, (request) => {
        if (apiName === 'AddPartitionsToTxn') return addPartitionsAnswer(request, error)
        return apiName === 'TxnOffsetCommit' ? offsetCommitAnswer(error) : code(error)
      })
    }
    const producer = await open(cluster)
    append(producer, 'a', 0, 'x')
    await settled(producer.commit(offsets))
    expect(cluster.requests(apiName)).toHaveLength(4)
    if (error === 15 || error === 16) expect(cluster.forgotten).toBe(3)
  })

  test('of REBALANCE_IN_PROGRESS is a rebalance', async () => {
    const cluster = willing()
    cluster.once('TxnOffsetCommit', () => offsetCommitAnswer(27))
    const producer = await open(cluster)
    expect((await failure(settled(producer.commit(offsets)))).code).toBe('REBALANCE')
  })

  test('of an early batch shows at the commit', async () => {
    const cluster = willing()
    cluster.on('Produce', (request) => produced(request, () => ({ error: 87 })))
    const producer = await open(cluster, { maxBatchBytes: 1000 })
    append(producer, 'a', 0, 'x'.repeat(2000))
    await vi.advanceTimersByTimeAsync(10)
    expect((await failure(producer.commit(null))).code).toBe('PRODUCTION')
  })
})

describe('taking over', () => {
  test('waits until the earlier transaction has ended, also over a lost answer', async () => {
    const cluster = willing()
    const busy = (): Buffer => new Writer().int32(0).int16(51).int64(-1).int16(-1).finish()
    for (let i = 0; i < 5; i++) cluster.once('InitProducerId', busy)
    cluster.once('InitProducerId', () => noAnswer)
    await settled(open(cluster))
    expect(cluster.requests('InitProducerId')).toHaveLength(7)
  })

  test('gives up after a minute', async () => {
    const cluster = willing()
    cluster.on('InitProducerId', () => new Writer().int32(0).int16(51).int64(-1).int16(-1).finish())
    const error = await failure(settled(open(cluster)))
    expect(error.code).toBe('TIMEOUT')
  })

  test('with a transaction open closes by a new epoch, without one by nothing', async () => {
    const cluster = willing()
    const producer = await open(cluster, { maxBatchBytes: 1000 })
    append(producer, 'a', 0, 'x'.repeat(2000))
    await vi.advanceTimersByTimeAsync(10)
    await producer.close()
    expect(cluster.requests('InitProducerId')).toHaveLength(2)

    const calm = willing()
    const other = await open(calm)
    append(other, 'a', 0, 'x')
    await other.commit(null)
    append(other, 'a', 0, 'unsent')
    await other.close()
    expect(calm.requests('InitProducerId')).toHaveLength(1)
    expect(calm.requests('Produce')).toHaveLength(1)
  })
})
