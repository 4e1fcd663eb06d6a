import { Kafka, logLevel, type Transaction } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type Cluster, connectCluster } from '../../src/broker/kafka/cluster.ts'
import { KafkaFetcher, type KafkaFetcherOptions } from '../../src/broker/kafka/fetcher.ts'
import { BatchBuilder } from '../../src/broker/kafka/record-batch/encode.ts'
import { Reader, Writer } from '../../src/broker/kafka/wire.ts'
import type { FetchedPartition } from '../../src/broker/port.ts'
import { StreamError } from '../../src/common/errors.ts'
import { noHeaders } from '../../src/common/record.ts'
import { javaTools, runJavaTool } from '../../tools/kafka/java-tool.ts'
import { startKafka } from '../../tools/kafka/kafka.ts'

const bootstrap = inject('bootstrap')
const run = Date.now().toString(36)
const kafka = new Kafka({ brokers: [bootstrap], clientId: 'fetcher-test', logLevel: logLevel.NOTHING })
const admin = kafka.admin()
let cluster: Cluster
let topics = 0

beforeAll(async () => {
  cluster = await connectCluster({ bootstrap })
  await admin.connect()
})

afterAll(async () => {
  await admin.disconnect()
  await cluster?.close()
})

async function newTopic(partitions = 1, configs: Record<string, string> = {}): Promise<string> {
  const topic = `fetcher-${run}-${topics++}`
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }], waitForLeaders: true })
  return topic
}

/** What the Java consumer sees in one partition: `offset value` per line. */
async function javaReads(topic: string): Promise<string[]> {
  const flags = ['--isolation-level', 'read_committed', '--from-beginning', '--timeout-ms', '4000']
  const print = ['--property', 'print.offset=true']
  const { stdout } = await runJavaTool(javaTools.consoleConsumer, [
    '--bootstrap-server',
    bootstrap,
    '--topic',
    topic,
    ...flags,
    ...print,
  ])
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('Offset:'))
    .map((line) => line.replace(/^Offset:(\d+)\t/, '$1 '))
}

async function stableEnd(topic: string, partition = 0): Promise<number> {
  const body = new Writer()
    .int32(-1)
    .int8(1)
    .array([topic], (w) => w.string(topic).array([partition], () => w.int32(partition).int64(-1)))
    .finish()
  const connection = await cluster.node(await cluster.leader(topic, partition))
  const r = new Reader(
    await connection.send({ apiKey: 2, apiVersion: 3, apiName: 'ListOffsets', flexible: false, body }),
  )
  r.int32()
  let end = -1
  r.array(() => {
    r.string()
    r.array(() => {
      r.skip(4 + 2 + 8)
      end = r.int64()
    })
  })
  return end
}

/** Reads one partition from `from` until its stable end. */
async function weRead(topic: string, options: KafkaFetcherOptions = {}, from = 0): Promise<string[]> {
  const end = await stableEnd(topic)
  const fetcher = new KafkaFetcher(cluster, options)
  const lines: string[] = []
  try {
    fetcher.assign([{ topic, partition: 0, offset: from }])
    for (let position = from; position < end; ) {
      for (const fetched of await fetcher.poll(5000)) {
        for (const record of fetched.records) lines.push(`${record.offset} ${record.value?.toString() ?? 'null'}`)
        expect(fetched.position).toBeGreaterThanOrEqual(position)
        expect(fetched.stableEnd).toBeGreaterThanOrEqual(fetched.position)
        position = fetched.position
      }
    }
  } finally {
    await fetcher.close()
  }
  return lines
}

/** Four kafkajs producers whose transactions may be open at the same time. */
async function producers(count: number) {
  const all = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const producer = kafka.producer({
        transactionalId: `fetcher-${run}-${topics}-${i}`,
        maxInFlightRequests: 1,
        idempotent: true,
      })
      await producer.connect()
      return producer
    }),
  )
  const open: (Transaction | null)[] = all.map(() => null)
  return {
    async send(i: number, topic: string, values: string[], key: Buffer | null = null, compression = 0): Promise<void> {
      const transaction = open[i] ?? (await all[i]!.transaction())
      open[i] = transaction
      await transaction.send({ topic, compression, messages: values.map((value) => ({ key, value, partition: 0 })) })
    },
    async end(i: number, how: 'commit' | 'abort'): Promise<void> {
      await open[i]?.[how]()
      open[i] = null
    },
    close: () => Promise.all(all.map((producer) => producer.disconnect())),
  }
}

describe('against the Java consumer, read_committed', () => {
  test('interleaved transactions, int32 key 0, abort-abort, markers in later responses, compressed batches', async () => {
    const topic = await newTopic()
    const p = await producers(4)
    try {
      // An int32 key of 0 in an aborted transaction.
      await p.send(0, topic, ['a0', 'a1'], Buffer.alloc(4))
      await p.send(0, topic, ['a2'])
      await p.end(0, 'abort')
      // Three at once; the later started ends first.
      await p.send(0, topic, ['b0'])
      await p.send(1, topic, ['b1', 'b2'], null, 1)
      await p.send(2, topic, ['b3'])
      await p.send(1, topic, ['b4'])
      await p.end(1, 'abort')
      await p.send(0, topic, ['b5'])
      await p.end(0, 'abort')
      await p.send(2, topic, ['b6'])
      await p.end(2, 'commit')
      // One producer: abort, abort, commit, abort.
      for (const [i, how] of (['abort', 'abort', 'commit', 'abort'] as const).entries()) {
        await p.send(3, topic, [`c${i}`, `c${i}'`])
        await p.end(3, how)
      }
      // Random, from a fixed seed (a linear congruential generator).
      let state = 20_260_101
      const random = (below: number): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
        return (state >>> 8) % below
      }
      for (let i = 0; i < 120; i++) {
        const who = random(4)
        const what = random(10)
        if (what < 6) {
          const values = Array.from({ length: 1 + random(4) }, (_, j) => `r${i}.${j}`)
          await p.send(who, topic, values, random(3) === 0 ? Buffer.alloc(4) : null, random(2))
        } else await p.end(who, what < 8 ? 'abort' : 'commit')
      }
      // Whatever is open stays open for the first comparison: the stable end is below the high watermark.
      const java = await javaReads(topic)
      expect(java.length).toBeGreaterThan(20)
      expect(await weRead(topic)).toEqual(java)
      for (let i = 0; i < 4; i++) await p.end(i, i % 2 === 0 ? 'abort' : 'commit')
      const all = await javaReads(topic)
      expect(await weRead(topic)).toEqual(all)
      // One batch a response, so that markers come in later ones.
      expect(await weRead(topic, { maxBytes: 1, maxPartitionBytes: 1 })).toEqual(all)
      // From every offset: inside batches, at markers, within aborted transactions.
      const end = await stableEnd(topic)
      for (let from = 0; from < end; from += 3) {
        expect(await weRead(topic, {}, from)).toEqual(all.filter((line) => Number.parseInt(line, 10) >= from))
      }
    } finally {
      await p.close()
    }
  })

  test('what our encoder writes in every codec, the Java consumer reads; and the other way', async () => {
    const [ours, theirs] = [await newTopic(), await newTopic()]
    const lines: string[] = []
    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const builder = new BatchBuilder({ maxBatchBytes: 20_000 })
      const values = Array.from({ length: 1000 }, (_, i) => `${compression} ${i} ${'x'.repeat(i % 50)}`)
      for (const value of values) {
        builder.append(null, Buffer.from(value), 1_700_000_000_000, [{ key: 'h', value: null }])
        lines.push(`${lines.length} ${value}`)
      }
      const batches = builder.take()
      expect(batches.length).toBeGreaterThan(2)
      for (const batch of batches) {
        await produce(
          ours,
          batch.stamp({ producerId: -1, epoch: -1, baseSequence: -1, transactional: false, compression }),
        )
      }
      const flags = ['--bootstrap-server', bootstrap, '--topic', theirs, '--compression-codec', compression]
      await runJavaTool(javaTools.consoleProducer, flags, values.map((value) => `${value}\n`).join(''))
    }
    expect(await javaReads(ours)).toEqual(lines)
    expect(await weRead(ours)).toEqual(lines)
    expect(await weRead(theirs)).toEqual(lines)
    for (const from of [777, 1777, 2777, 3777, 4777]) expect(await weRead(theirs, {}, from)).toEqual(lines.slice(from))
  })
})

/** Produce v7 of one batch to partition 0. */
async function produce(topic: string, batch: Buffer): Promise<void> {
  const body = new Writer(batch.length + 200)
    .string(null)
    .int16(-1)
    .int32(10_000)
    .array([topic], (w) => w.string(topic).array([0], () => w.int32(0).bytes(batch)))
    .finish()
  const connection = await cluster.node(await cluster.leader(topic, 0))
  const r = new Reader(await connection.send({ apiKey: 0, apiVersion: 7, apiName: 'Produce', flexible: false, body }))
  r.array(() => {
    r.string()
    r.array(() => {
      r.int32()
      expect(r.int16()).toBe(0)
      r.skip(24)
    })
  })
}

/** DeleteRecords v1 on partition 0. */
async function deleteBefore(topic: string, offset: number): Promise<void> {
  const body = new Writer()
    .array([topic], (w) => w.string(topic).array([0], () => w.int32(0).int64(offset)))
    .int32(10_000)
    .finish()
  const connection = await cluster.node(await cluster.leader(topic, 0))
  const r = new Reader(
    await connection.send({ apiKey: 21, apiVersion: 1, apiName: 'DeleteRecords', flexible: false, body }),
  )
  expect(r.buffer.readInt16BE(r.buffer.length - 2)).toBe(0)
}

async function fill(topic: string, count: number, bytes = 10): Promise<void> {
  const builder = new BatchBuilder({ maxBatchBytes: 16_384 })
  for (let i = 0; i < count; i++) builder.append(null, Buffer.alloc(bytes, i), 1000, noHeaders)
  for (const batch of builder.take()) {
    await produce(topic, batch.stamp({ producerId: -1, epoch: -1, baseSequence: -1, transactional: false }))
  }
}

async function withFetcher<T>(options: KafkaFetcherOptions, use: (fetcher: KafkaFetcher) => Promise<T>): Promise<T> {
  const fetcher = new KafkaFetcher(cluster, options)
  try {
    return await use(fetcher)
  } finally {
    await fetcher.close()
  }
}

async function rejection(promise: Promise<unknown>): Promise<StreamError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof StreamError) return error
  throw error ?? new Error('it did not reject')
}

/** Polls until a partition has said something. */
async function until(fetcher: KafkaFetcher, wanted: (fetched: FetchedPartition) => boolean): Promise<FetchedPartition> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    const found = (await fetcher.poll(1000)).find(wanted)
    if (found !== undefined) return found
  }
  throw new Error('nothing came within 20 s')
}

describe('positions', () => {
  test('below the log and above its end: OFFSET_OUT_OF_RANGE, with the log range, until assigned anew', async () => {
    const topic = await newTopic()
    await fill(topic, 10)
    await deleteBefore(topic, 4)
    await withFetcher({}, async (fetcher) => {
      for (const offset of [2, 99]) {
        fetcher.assign([{ topic, partition: 0, offset }])
        const error = await rejection(fetcher.poll(10_000))
        expect([error.code, error.where]).toEqual(['OFFSET_OUT_OF_RANGE', { topic, partition: 0, offset }])
        expect(error.message).toContain('starts at 4 and ends at 10')
        expect((await rejection(fetcher.poll(0))).code).toBe('OFFSET_OUT_OF_RANGE')
      }
      fetcher.assign([{ topic, partition: 0, offset: 4 }])
      expect((await until(fetcher, () => true)).records).toHaveLength(6)
    })
  })

  test('a topic that does not exist is TOPIC_MISSING after a while; one that appears in time is read', async () => {
    await withFetcher({ missingAfterMs: 300 }, async (fetcher) => {
      fetcher.assign([{ topic: `missing-${run}`, partition: 0, offset: 0 }])
      const error = await rejection(fetcher.poll(10_000))
      expect([error.code, error.where]).toEqual(['TOPIC_MISSING', { topic: `missing-${run}`, partition: 0 }])
    })
    await withFetcher({ missingAfterMs: 30_000 }, async (fetcher) => {
      const topic = `fetcher-${run}-${topics}`
      fetcher.assign([{ topic, partition: 0, offset: 0 }])
      expect(await fetcher.poll(200)).toEqual([])
      expect(await newTopic()).toBe(topic)
      await fill(topic, 3)
      expect((await until(fetcher, (fetched) => fetched.records.length > 0)).records).toHaveLength(3)
    })
  })

  test('an assignment replaces the other at once, though a long poll of the first is under way', async () => {
    const [first, second] = [await newTopic(), await newTopic()]
    await fill(second, 5)
    await withFetcher({}, async (fetcher) => {
      fetcher.assign([{ topic: first, partition: 0, offset: 0 }])
      await fetcher.poll(50)
      fetcher.assign([{ topic: second, partition: 0, offset: 2 }])
      const fetched = await until(fetcher, (one) => one.records.length > 0)
      expect([fetched.topic, fetched.records.map((record) => record.offset)]).toEqual([second, [2, 3, 4]])
      await fill(first, 1)
      await fill(second, 1)
      const more = await until(fetcher, (one) => one.records.length > 0)
      expect([more.topic, more.position]).toEqual([second, 6])
    })
  })

  test('a paused partition keeps its position and its data, and the others go on', async () => {
    const [held, read] = [await newTopic(), await newTopic()]
    await withFetcher({}, async (fetcher) => {
      fetcher.assign([held, read].map((topic) => ({ topic, partition: 0, offset: 0 })))
      fetcher.pause([{ topic: held, partition: 0 }])
      await fill(held, 4)
      await fill(read, 4)
      const seen = await until(fetcher, (one) => one.records.length > 0)
      expect(seen.topic).toBe(read)
      expect((await fetcher.poll(100)).map((one) => one.topic)).not.toContain(held)
      fetcher.resume([{ topic: held, partition: 0 }])
      expect(await until(fetcher, (one) => one.topic === held && one.records.length > 0)).toMatchObject({ position: 4 })
    })
  })

  test('many partitions behind a small size limit are all read to the end', async () => {
    const names = await Promise.all(Array.from({ length: 6 }, () => newTopic()))
    for (const topic of names) await fill(topic, 400, 200)
    await withFetcher({ maxBytes: 20_000, maxPartitionBytes: 20_000 }, async (fetcher) => {
      fetcher.assign(names.map((topic) => ({ topic, partition: 0, offset: 0 })))
      const counts = new Map<string, number>()
      for (let total = 0; total < 2400; ) {
        const polled = await fetcher.poll(5000)
        expect(polled.length).toBeGreaterThan(0)
        for (const one of polled) {
          counts.set(one.topic, (counts.get(one.topic) ?? 0) + one.records.length)
          total += one.records.length
        }
      }
      expect([...counts.values()]).toEqual(names.map(() => 400))
    })
  })
})

test('a broker that is killed and comes back: reading goes on, with every record once', async () => {
  const own = await startKafka({ heap: '256m' })
  const link = await connectCluster({ bootstrap: own.bootstrap, connectTimeoutMs: 2000 })
  const shared = cluster
  const fetcher = new KafkaFetcher(link, { unreachableAfterMs: 1500 })
  try {
    cluster = link
    const client = new Kafka({ brokers: [own.bootstrap], logLevel: logLevel.NOTHING }).admin()
    await client.connect()
    await client.createTopics({ topics: [{ topic: 'outage', numPartitions: 1 }], waitForLeaders: true })
    await client.disconnect()
    await fill('outage', 100)
    fetcher.assign([{ topic: 'outage', partition: 0, offset: 0 }])
    const offsets: number[] = []
    const read = async (end: number): Promise<void> => {
      for (const deadline = Date.now() + 60_000; offsets.length < end && Date.now() < deadline; ) {
        const polled = await fetcher.poll(500).catch((error: StreamError) => {
          if (error.code !== 'UNREACHABLE') throw error
          return []
        })
        for (const one of polled) offsets.push(...one.records.map((record) => record.offset))
      }
    }
    await read(100)
    own.kill()
    await own.ended()
    const codes: string[] = []
    for (const deadline = Date.now() + 20_000; codes.length === 0 && Date.now() < deadline; ) {
      await fetcher.poll(200).catch((error: StreamError) => codes.push(error.code))
    }
    expect(codes).toEqual(['UNREACHABLE'])
    await own.restart()
    await fill('outage', 100)
    await read(200)
    expect(offsets).toEqual(Array.from({ length: 200 }, (_, i) => i))
  } finally {
    cluster = shared
    await fetcher.close()
    await link.close()
    await own.stop()
  }
})
