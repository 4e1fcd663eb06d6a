import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ClusterConnections, NodeRequest } from '../../src/broker/kafka/connections.ts'
import { KafkaFetcher, type KafkaFetcherOptions } from '../../src/broker/kafka/fetcher.ts'
import { Reader, Writer } from '../../src/broker/kafka/wire.ts'
import { StreamError } from '../../src/common/errors.ts'
import { batchOf } from './log.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})

afterEach(async () => {
  await Promise.all(fetchers.splice(0).map((fetcher) => fetcher.close()))
  vi.useRealTimers()
})

interface Asked {
  readonly node: number
  readonly lane: string | undefined
  readonly maxWaitMs: number
  readonly maxBytes: number
  readonly isolation: number
  /** `topic-partition@position`, in request order. */
  readonly partitions: readonly string[]
  answer(parts: readonly Part[]): Promise<void>
  reject(error: Error): Promise<void>
}

interface Part {
  readonly name: string
  readonly error?: number
  readonly end?: number
  readonly set?: Buffer
}

const fetchers: KafkaFetcher[] = []

/** Lets everything that is ready run. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A cluster whose every fetch waits until the test answers it. */
function fakeCluster(leaders: Record<string, number>) {
  const asked: Asked[] = []
  const refreshed: string[][] = []
  const closed: string[] = []
  let unreachable: StreamError | null = null

  function fetchOf(node: number, lane: string | undefined, request: NodeRequest): Promise<Buffer> {
    const r = new Reader(request.body)
    r.int32()
    const maxWaitMs = r.int32()
    r.int32()
    const maxBytes = r.int32()
    const isolation = r.int8()
    r.skip(8)
    const partitions: string[] = []
    r.array(() => {
      const topic = r.string()
      r.array(() => {
        const partition = r.int32()
        r.int32()
        partitions.push(`${topic}-${partition}@${r.int64()}`)
        r.skip(12)
      })
    })
    return new Promise((resolve, reject) => {
      asked.push({
        node,
        lane,
        maxWaitMs,
        maxBytes,
        isolation,
        partitions,
        answer: (parts) => {
          resolve(answerOf(parts))
          return settle()
        },
        reject: (error) => {
          reject(error)
          return settle()
        },
      })
    })
  }

  const cluster: ClusterConnections = {
    closed: new AbortController().signal,
    node: async (node, lane) => {
      if (unreachable !== null) throw unreachable
      return {
        send: async (request) => (request.apiKey === 1 ? fetchOf(node, lane, request) : edgeOf(request)),
      }
    },
    closeLane: async (lane) => {
      closed.push(lane)
    },
    coordinator: () => Promise.reject(new Error('not used')),
    forgetCoordinator: () => {},
    leader: async (topic, partition) => {
      const leader = leaders[`${topic}-${partition}`]
      if (leader === undefined) throw new StreamError('TOPIC_MISSING', `topic '${topic}' does not exist`)
      return leader
    },
    refresh: async (topics) => {
      refreshed.push([...topics])
    },
    any: () => Promise.reject(new Error('not used')),
  }

  return {
    cluster,
    asked,
    refreshed,
    closed,
    leaders,
    down: (error: StreamError | null) => {
      unreachable = error
    },
    fetcher(options: KafkaFetcherOptions = {}): KafkaFetcher {
      const fetcher = new KafkaFetcher(cluster, options)
      fetchers.push(fetcher)
      return fetcher
    },
  }
}

function answerOf(parts: readonly Part[]): Buffer {
  const w = new Writer().int32(0).int16(0).int32(0)
  return w
    .array(parts, (_, { name, error = 0, end = 100, set = Buffer.alloc(0) }) => {
      const [, topic, partition] = /^(.*)-(\d+)$/.exec(name) as unknown as [string, string, string]
      w.string(topic).array([0], () =>
        w.int32(Number(partition)).int16(error).int64(end).int64(end).int64(0).int32(-1).int32(-1).bytes(set),
      )
    })
    .finish()
}

function edgeOf(request: NodeRequest): Buffer {
  const r = new Reader(request.body, 5)
  let start = false
  const w = new Writer().int32(0)
  r.array(() => {
    const topic = r.string()
    r.array(() => {
      r.int32()
      start = r.int64() === -2
      w.array([0], () =>
        w.string(topic).array([0], () =>
          w
            .int32(0)
            .int16(0)
            .int64(-1)
            .int64(start ? 50 : 60),
        ),
      )
    })
  })
  return w.finish()
}

const records = (baseOffset: number, count: number, bytes = 5): Buffer =>
  batchOf(
    Array.from({ length: count }, () => ({ key: null, value: Buffer.alloc(bytes) })),
    { baseOffset },
  )

const at = (name: string, offset = 0) => {
  const [, topic, partition] = /^(.*)-(\d+)$/.exec(name) as unknown as [string, string, string]
  return { topic, partition: Number(partition), offset }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const result = await promise.then(
    () => 'resolved',
    (error: unknown) => error,
  )
  return result instanceof StreamError ? result.code : String(result)
}

/** The partitions and records a poll gives. */
async function polled(fetcher: KafkaFetcher): Promise<string[]> {
  return (await fetcher.poll(0)).map((one) => `${one.topic}-${one.partition}: ${one.records.length} to ${one.position}`)
}

describe('requests', () => {
  test('one long poll per leader, for read_committed, from the positions given', async () => {
    const { asked, fetcher } = fakeCluster({ 'a-0': 1, 'a-1': 2, 'b-0': 1 })
    fetcher({ maxBytes: 5000 }).assign([at('a-0', 7), at('a-1', 8), at('b-0', 9)])
    await settle()
    expect(
      asked.map(({ node, partitions, maxWaitMs, maxBytes, isolation }) => [
        node,
        partitions,
        maxWaitMs,
        maxBytes,
        isolation,
      ]),
    ).toEqual([
      [1, ['a-0@7', 'b-0@9'], 500, 5000, 1],
      [2, ['a-1@8'], 500, 5000, 1],
    ])
  })

  test('nothing is asked for again before it is handed out, and then from where it ended', async () => {
    const { asked, fetcher } = fakeCluster({ 'a-0': 1, 'b-0': 1 })
    const f = fetcher()
    f.assign([at('a-0'), at('b-0')])
    await settle()
    await asked[0]!.answer([{ name: 'a-0', set: records(0, 3) }, { name: 'b-0' }])
    expect(asked).toHaveLength(1)
    expect(await polled(f)).toEqual(['a-0: 3 to 3', 'b-0: 0 to 0'])
    await settle()
    // Who got data goes to the end.
    expect(asked[1]?.partitions).toEqual(['a-0@3', 'b-0@0'])
    await asked[1]!.answer([{ name: 'a-0', set: records(3, 1) }])
    expect(await polled(f)).toEqual(['a-0: 1 to 4'])
    await settle()
    expect(asked[2]?.partitions).toEqual(['b-0@0', 'a-0@4'])
    expect(asked[2]?.lane).toBe(asked[0]?.lane)
  })

  test('while a leader is being looked up the others are asked by short polls', async () => {
    const { asked, cluster, fetcher } = fakeCluster({ 'a-0': 1, 'b-0': 1 })
    let found: (leader: number) => void = () => {}
    const leader = cluster.leader
    cluster.leader = (topic, partition) =>
      topic === 'b' ? new Promise((resolve) => (found = resolve)) : leader(topic, partition)
    const f = fetcher()
    f.assign([at('a-0'), at('b-0')])
    await settle()
    expect(asked.map((one) => [one.partitions, one.maxWaitMs])).toEqual([[['a-0@0'], 20]])
    await asked[0]!.answer([{ name: 'a-0', end: 0 }])
    found(1)
    await settle()
    expect(asked).toHaveLength(1)
    await polled(f)
    await settle()
    expect(asked.slice(1).map((one) => [one.partitions, one.maxWaitMs])).toEqual([[['b-0@0', 'a-0@0'], 500]])
  })

  test('an unchanged end says nothing', async () => {
    const { asked, fetcher } = fakeCluster({ 'a-0': 1 })
    const f = fetcher()
    f.assign([at('a-0')])
    await settle()
    await asked[0]!.answer([{ name: 'a-0', end: 0 }])
    expect(await f.poll(0)).toEqual([{ ...at2('a-0'), records: [], position: 0, stableEnd: 0, highWatermark: 0 }])
    await settle()
    await asked[1]!.answer([{ name: 'a-0', end: 0 }])
    expect(await f.poll(0)).toEqual([])
    expect(asked).toHaveLength(3)
  })

  const at2 = (name: string) => {
    const { topic, partition } = at(name)
    return { topic, partition }
  }

  test('a poll hands out about 512 KiB, and the next request waits for the rest', async () => {
    const { asked, fetcher } = fakeCluster({ 'a-0': 1, 'b-0': 1, 'c-0': 1 })
    const f = fetcher()
    f.assign([at('a-0'), at('b-0'), at('c-0')])
    await settle()
    const big = (base: number) => Buffer.concat([records(base, 10, 25_000), records(base + 10, 10, 25_000)])
    await asked[0]!.answer([
      { name: 'a-0', set: big(0) },
      { name: 'b-0', set: big(0) },
      { name: 'c-0', set: records(0, 1) },
    ])
    expect(await polled(f)).toEqual(['a-0: 20 to 20', 'b-0: 10 to 10'])
    await settle()
    expect(asked).toHaveLength(1)
    expect(await polled(f)).toEqual(['c-0: 1 to 1', 'b-0: 10 to 20'])
    await settle()
    expect(asked).toHaveLength(2)
  })

  test('a waiting poll ends when something comes, and empty when its time is over', async () => {
    const { asked, fetcher } = fakeCluster({ 'a-0': 1 })
    const f = fetcher()
    f.assign([at('a-0')])
    const first = f.poll(1000)
    await vi.advanceTimersByTimeAsync(999)
    await asked[0]!.answer([{ name: 'a-0', set: records(0, 1) }])
    expect(await first).toHaveLength(1)
    const second = f.poll(1000)
    await vi.advanceTimersByTimeAsync(1000)
    expect(await second).toEqual([])
  })
})

describe('assignment', () => {
  test('an answer to the earlier assignment is dropped, and the new one does not wait for it', async () => {
    const { asked, fetcher } = fakeCluster({ 'a-0': 1, 'b-0': 1 })
    const f = fetcher()
    f.assign([at('a-0')])
    await settle()
    f.assign([at('a-0', 5), at('b-0')])
    await settle()
    expect(asked.map((one) => one.partitions)).toEqual([['a-0@0'], ['a-0@5', 'b-0@0']])
    expect(asked[0]?.lane).not.toBe(asked[1]?.lane)
    await asked[0]!.answer([{ name: 'a-0', set: records(0, 3) }])
    expect(await polled(f)).toEqual([])
    await asked[1]!.answer([{ name: 'a-0', set: records(5, 1) }])
    expect(await polled(f)).toEqual(['a-0: 1 to 6'])
  })

  test('what is buffered goes with the assignment it was fetched for', async () => {
    const { asked, fetcher } = fakeCluster({ 'a-0': 1 })
    const f = fetcher()
    f.assign([at('a-0')])
    await settle()
    await asked[0]!.answer([{ name: 'a-0', set: records(0, 3) }])
    f.assign([at('a-0', 1)])
    expect(await polled(f)).toEqual([])
  })

  test('paused data is kept; others are asked for meanwhile, by short polls with what room is left', async () => {
    const { asked, fetcher } = fakeCluster({ 'a-0': 1, 'b-0': 1 })
    const f = fetcher({ maxBytes: 10_000, maxPartitionBytes: 100 })
    f.assign([at('a-0'), at('b-0')])
    f.pause([at('a-0')])
    await settle()
    // A paused partition is fetched ahead once, so that it can go on at once.
    const set = records(0, 3)
    await asked[0]!.answer([{ name: 'a-0', set }])
    expect(await polled(f)).toEqual([])
    expect(asked[1]).toMatchObject({ partitions: ['b-0@0'], maxWaitMs: 20, maxBytes: 10_000 - set.length })
    f.resume([at('a-0')])
    expect(await polled(f)).toEqual(['a-0: 3 to 3'])
  })

  test('close ends a waiting poll, closes the lanes and asks no more', async () => {
    const { asked, closed, fetcher } = fakeCluster({ 'a-0': 1 })
    const f = fetcher()
    f.assign([at('a-0')])
    const waiting = f.poll(10_000)
    await settle()
    await f.close()
    expect(await waiting).toEqual([])
    expect(closed).toContain(asked[0]?.lane)
    await asked[0]!.answer([{ name: 'a-0', set: records(0, 1) }])
    expect(asked).toHaveLength(1)
    expect(await codeOf(f.poll(0))).toBe('INTERNAL')
  })
})

describe('failures', () => {
  test.each([
    ['NOT_LEADER_OR_FOLLOWER', 6],
    ['UNKNOWN_LEADER_EPOCH', 75],
    ['FENCED_LEADER_EPOCH', 74],
    ['LEADER_NOT_AVAILABLE', 5],
    ['UNKNOWN_SERVER_ERROR', -1],
  ])('%s: metadata is refreshed and the partition asked for at its new leader, after a pause', async (_, error) => {
    const { asked, refreshed, leaders, fetcher } = fakeCluster({ 'a-0': 1, 'b-0': 1 })
    const f = fetcher()
    f.assign([at('a-0', 4), at('b-0')])
    await settle()
    leaders['a-0'] = 2
    await asked[0]!.answer([
      { name: 'a-0', error },
      { name: 'b-0', set: records(0, 1) },
    ])
    expect(await polled(f)).toEqual(['b-0: 1 to 1'])
    await vi.advanceTimersByTimeAsync(24)
    expect(refreshed).toEqual([])
    await vi.advanceTimersByTimeAsync(30)
    expect(refreshed).toEqual([['a']])
    expect(asked.at(-1)).toMatchObject({ node: 2, partitions: ['a-0@4'] })
    expect(asked.filter((one) => one.node === 1)).toHaveLength(2)
  })

  test('a lost connection is retried for ever, with growing pauses, and reported after 30 s', async () => {
    const { asked, down, fetcher, refreshed } = fakeCluster({ 'a-0': 1 })
    const f = fetcher()
    f.assign([at('a-0', 4)])
    await settle()
    await asked[0]!.reject(new StreamError('UNKNOWN_OUTCOME', 'broker 1 did not answer Fetch'))
    down(new StreamError('UNREACHABLE', 'no Kafka broker answers at x:1'))
    await vi.advanceTimersByTimeAsync(29_000)
    expect(await f.poll(0)).toEqual([])
    expect(refreshed.length).toBeGreaterThan(28)
    expect(refreshed.length).toBeLessThan(70)
    await vi.advanceTimersByTimeAsync(1000)
    const error = await f.poll(0).catch((thrown: StreamError) => thrown)
    expect(error).toMatchObject({ code: 'UNREACHABLE', where: { topic: 'a', partition: 0, offset: 4 } })
    expect((error as StreamError).message).toContain('no Kafka broker answers at x:1')
    down(null)
    await vi.advanceTimersByTimeAsync(1000)
    await asked.at(-1)!.answer([{ name: 'a-0', set: records(4, 2) }])
    expect(await polled(f)).toEqual(['a-0: 2 to 6'])
  })

  test('a poll that waits through the outage is told as soon as it counts as one', async () => {
    const { down, fetcher } = fakeCluster({ 'a-0': 1 })
    down(new StreamError('UNREACHABLE', 'gone'))
    const f = fetcher({ unreachableAfterMs: 5000 })
    f.assign([at('a-0')])
    const code = codeOf(f.poll(60_000))
    await vi.advanceTimersByTimeAsync(6100)
    expect(await code).toBe('UNREACHABLE')
  })

  test('a topic that stays unknown is missing after 10 s; one that comes in time is read', async () => {
    const { asked, leaders, fetcher } = fakeCluster({})
    const f = fetcher()
    f.assign([at('a-0')])
    await vi.advanceTimersByTimeAsync(9000)
    expect(await f.poll(0)).toEqual([])
    leaders['a-0'] = 1
    await vi.advanceTimersByTimeAsync(1000)
    expect(asked).toHaveLength(1)
    await asked[0]!.answer([{ name: 'a-0', error: 3 }])
    delete leaders['a-0']
    await vi.advanceTimersByTimeAsync(2500)
    expect(await codeOf(f.poll(0))).toBe('TOPIC_MISSING')
    const calls = asked.length
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked).toHaveLength(calls)
  })

  test('out of range: told with the range of the log, nothing fetched until assigned anew', async () => {
    const { asked, fetcher } = fakeCluster({ 'a-0': 1, 'b-0': 1 })
    const f = fetcher()
    f.assign([at('a-0', 4), at('b-0')])
    await settle()
    await asked[0]!.answer([{ name: 'a-0', error: 1 }, { name: 'b-0' }])
    const error = await f.poll(0).catch((thrown: StreamError) => thrown)
    expect(error).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', where: { topic: 'a', partition: 0, offset: 4 } })
    expect((error as StreamError).message).toContain('starts at 50 and ends at 60')
    f.assign([at('a-0', 50)])
    await settle()
    expect(asked.at(-1)?.partitions).toEqual(['a-0@50'])
    expect(await f.poll(0)).toEqual([])
  })

  test.each([
    ['UNAUTHORIZED', 29],
    ['CORRUPT', 2],
    ['UNSUPPORTED_VERSION', 76],
  ])('%s ends it at once', async (code, error) => {
    const { asked, fetcher } = fakeCluster({ 'a-0': 1 })
    const f = fetcher()
    f.assign([at('a-0')])
    await settle()
    await asked[0]!.answer([{ name: 'a-0', error }])
    expect(await codeOf(f.poll(0))).toBe(code)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked).toHaveLength(1)
  })

  test('a complaint is made once at once, and again when a poll has waited in vain; others are read meanwhile', async () => {
    const { asked, fetcher } = fakeCluster({ 'a-0': 1, 'b-0': 1 })
    const f = fetcher()
    f.assign([at('a-0'), at('b-0')])
    await settle()
    await asked[0]!.answer([
      { name: 'a-0', error: 29 },
      { name: 'b-0', set: records(0, 1) },
    ])
    expect(await codeOf(f.poll(1000))).toBe('UNAUTHORIZED')
    expect(await polled(f)).toEqual(['b-0: 1 to 1'])
    const again = codeOf(f.poll(1000))
    let over = false
    void again.then(() => (over = true))
    await vi.advanceTimersByTimeAsync(999)
    expect(over).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await again).toBe('UNAUTHORIZED')
  })

  test('damaged data: what came before it is handed out, then CORRUPT', async () => {
    const { asked, fetcher } = fakeCluster({ 'a-0': 1 })
    const f = fetcher()
    f.assign([at('a-0')])
    await settle()
    const bad = records(3, 2)
    bad[bad.length - 1]! ^= 1
    await asked[0]!.answer([{ name: 'a-0', set: Buffer.concat([records(0, 3), bad]) }])
    expect(await polled(f)).toEqual(['a-0: 3 to 3'])
    const error = await f.poll(0).catch((thrown: StreamError) => thrown)
    expect(error).toMatchObject({ code: 'CORRUPT', where: { topic: 'a', partition: 0, offset: 3 } })
  })

  test('a response that is none of Kafka is a failure like a lost connection', async () => {
    const { asked, fetcher } = fakeCluster({ 'a-0': 1 })
    const f = fetcher()
    f.assign([at('a-0')])
    await settle()
    await asked[0]!.reject(new RangeError('odd'))
    expect(await f.poll(0)).toEqual([])
    await vi.advanceTimersByTimeAsync(60)
    expect(asked).toHaveLength(2)
  })
})
