/**
 * The cases in which readers of committed records have gone wrong, against a live log and the Java consumer. Those of plain
 * histories (an int32 key of 0, several open at the start, the list in completion order, abort-abort, markers in later
 * responses, offsets inside compressed batches) are in fetcher.test.ts. Two are only in test/kafka-adapter/aborted.test.ts: a
 * fetch that starts at a marker while nothing is listed, since Kafka lists a transaction up to its marker; and 10,000
 * interleavings against a log that knows every outcome, of which 2,000 steps are here, with Java as the judge.
 */

import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import { type Cluster, connectCluster } from '../../src/broker/kafka/cluster.ts'
import type { NodeRequest } from '../../src/broker/kafka/connections.ts'
import {
  addPartitionsRequest,
  initRequest,
  produceRequest,
  readAddPartitions,
  readAnswer,
  readInit,
  readProduce,
  type TransactionIdentity,
} from '../../src/broker/kafka/producer-protocol.ts'
import { BatchBuilder } from '../../src/broker/kafka/record-batch/encode.ts'
import { Reader, Writer } from '../../src/broker/kafka/wire.ts'
import type { Broker } from '../../src/broker/port.ts'
import { noHeaders } from '../../src/common/record.ts'
import { javaTools, runJavaTool } from '../../tools/kafka/java-tool.ts'

const bootstrap = inject('bootstrap')
const run = Date.now().toString(36)
let broker: Broker
let cluster: Cluster
let made = 0

beforeAll(async () => {
  broker = await connectKafka({ bootstrap })
  cluster = await connectCluster({ bootstrap })
})

afterAll(async () => {
  await cluster?.close()
  await broker?.close()
})

async function newTopic(partitions = 1, configs: Record<string, string> = {}): Promise<string> {
  const name = `aborted-${run}-${made++}`
  await broker.createTopics([{ name, partitions, configs: { 'retention.ms': '-1', ...configs } }])
  return name
}

/** The coordinator still writes the markers of the transaction before (51), or is being found or loaded (14, 15, 16). */
const busy = new Set([51, 14, 15, 16])

/** A transactional producer that says exactly what it is told to, one request after another. */
async function producer(topic: string) {
  const transactionalId = `aborted-${run}-${made++}`
  const coordinator = await cluster.coordinator('transaction', transactionalId)
  let init = readInit(await coordinator.send(initRequest(transactionalId, 900_000)))
  for (const deadline = Date.now() + 20_000; busy.has(init.error) && Date.now() < deadline; await setTimeout(20)) {
    init = readInit(await coordinator.send(initRequest(transactionalId, 900_000)))
  }
  expect(init.error).toBe(0)
  const { producerId, epoch } = init
  const identity: TransactionIdentity = { transactionalId, producerId, epoch }
  const sequences = new Map<number, number>()
  const added = new Set<number>()

  const settled = async (request: NodeRequest, errorOf: (body: Buffer) => number): Promise<void> => {
    for (const deadline = Date.now() + 20_000; ; await setTimeout(2)) {
      const code = errorOf(await coordinator.send(request))
      if (!busy.has(code) || Date.now() > deadline) return expect(code).toBe(0)
    }
  }
  const add = async (partition: number): Promise<void> => {
    if (added.has(partition)) return
    const request = addPartitionsRequest(identity, [{ topic, partition }], 10_000)
    await settled(request, (body) => readAddPartitions(body)[0]?.error ?? -1)
    added.add(partition)
  }
  const produce = async (
    partition: number,
    values: readonly string[],
    more: Partial<Written> = {},
  ): Promise<number> => {
    const { transactional = true, keys, timestamp = 1_700_000_000_000, compression = 'none' } = more
    const builder = new BatchBuilder({ maxBatchBytes: 100_000 })
    for (const [i, value] of values.entries()) {
      builder.append(
        keys === undefined ? null : Buffer.from(keys[i] as string),
        Buffer.from(value),
        timestamp,
        noHeaders,
      )
    }
    const baseSequence = sequences.get(partition) ?? 0
    sequences.set(partition, baseSequence + values.length)
    const [batch] = builder.take()
    const records = batch?.stamp({ producerId, epoch, baseSequence, transactional, compression }) as Buffer
    const leader = await cluster.node(await cluster.leader(topic, partition))
    const sent = produceRequest(transactional ? transactionalId : null, [{ topic, partition, records }], 10_000)
    // A new topic's leader may not know yet that it is one (3, 6).
    for (const deadline = Date.now() + 20_000; ; await setTimeout(20)) {
      const code = readProduce(await leader.send(sent))[0]?.error ?? -1
      if ((code !== 3 && code !== 6) || Date.now() > deadline) return code
    }
  }
  return {
    add,
    /** Within the transaction. */
    async write(partition: number, values: readonly string[], more: Partial<Written> = {}): Promise<void> {
      await add(partition)
      expect(await produce(partition, values, more), `partition ${partition}: ${values}`).toBe(0)
    },
    /** With the same producer id, outside of transactions: refused (48) until the marker of the last one is written. */
    async aside(partition: number, values: readonly string[], patienceMs = 20_000): Promise<number> {
      const sequence = sequences.get(partition) ?? 0
      for (const deadline = Date.now() + patienceMs; ; await setTimeout(5)) {
        const code = await produce(partition, values, { transactional: false })
        if (code === 0) return code
        sequences.set(partition, sequence)
        if (code !== 48 || Date.now() >= deadline) return code
      }
    },
    async end(how: 'commit' | 'abort'): Promise<void> {
      if (added.size === 0) return
      const body = new Writer()
        .string(transactionalId)
        .int64(producerId)
        .int16(epoch)
        .boolean(how === 'commit')
        .finish()
      await settled({ apiKey: 26, apiVersion: 1, apiName: 'EndTxn', flexible: false, body }, readAnswer)
      added.clear()
    },
  }
}

interface Written {
  readonly transactional: boolean
  readonly keys: readonly string[]
  readonly timestamp: number
  readonly compression: 'none' | 'gzip'
}

/** Per partition, `offset value` of what the Java consumer sees. */
async function javaReads(topic: string, partitions = 1): Promise<string[][]> {
  const { stdout } = await runJavaTool(javaTools.consoleConsumer, [
    ...['--bootstrap-server', bootstrap, '--topic', topic, '--from-beginning', '--timeout-ms', '4000'],
    ...['--isolation-level', 'read_committed', '--property', 'print.offset=true'],
    ...['--property', 'print.partition=true'],
  ])
  const lines: string[][] = Array.from({ length: partitions }, () => [])
  for (const line of stdout.split('\n')) {
    const match = /^Partition:(\d+)\tOffset:(\d+)\t(.*)$/.exec(line)
    if (match !== null) lines[Number(match[1])]?.push(`${match[2]} ${match[3]}`)
  }
  return lines
}

/** The same as our fetcher sees it, up to the stable end. */
async function weRead(topic: string, partitions = 1, from = 0, size = 1 << 20): Promise<string[][]> {
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: from }))
  const ends = (await broker.offsets(all, 'stable')).map(({ offset }) => offset)
  const lines: string[][] = all.map(() => [])
  const positions = all.map(() => from)
  const fetcher = broker.fetcher({ maxBytes: size, maxPartitionBytes: size })
  try {
    fetcher.assign(all)
    while (positions.some((position, i) => position < (ends[i] as number))) {
      for (const { partition, records, position } of await fetcher.poll(5000)) {
        for (const { offset, value } of records) lines[partition]?.push(`${offset} ${value?.toString() ?? 'null'}`)
        positions[partition] = position
      }
    }
  } finally {
    await fetcher.close()
  }
  return lines
}

/** Both readers agree, in large and in the smallest responses and from every `step`-th offset; returns the values. */
async function agreed(topic: string, partitions = 1, step = 1): Promise<string[][]> {
  const java = await javaReads(topic, partitions)
  expect(await weRead(topic, partitions)).toEqual(java)
  expect(await weRead(topic, partitions, 0, 1)).toEqual(java)
  const all = java.map((_, partition) => ({ topic, partition }))
  const end = Math.min(...(await broker.offsets(all, 'stable')).map(({ offset }) => offset))
  for (let from = step; from < end; from += step) {
    const rest = java.map((lines) => lines.filter((line) => Number.parseInt(line, 10) >= from))
    expect(await weRead(topic, partitions, from)).toEqual(rest)
  }
  return java.map((lines) => lines.map((line) => line.slice(line.indexOf(' ') + 1)))
}

interface Batch {
  readonly offset: number
  readonly next: number
  readonly control: boolean
  readonly records: number
}

/** The batches of partition 0 as they lie in the log; a fetch gives those of one segment. */
async function batches(topic: string): Promise<readonly Batch[]> {
  const [end] = await broker.offsets([{ topic, partition: 0 }], 'end')
  const found: Batch[] = []
  for (let from = 0; from < (end?.offset ?? 0); from = found.at(-1)?.next ?? 0) {
    const some = await fetched(topic, from)
    expect(some.length).toBeGreaterThan(0)
    found.push(...some)
  }
  return found
}

async function fetched(topic: string, from: number): Promise<readonly Batch[]> {
  const body = new Writer()
    .int32(-1)
    .int32(0)
    .int32(1)
    .int32(1 << 20)
    .int8(0)
    .array([topic], (w) =>
      w.string(topic).array([0], () =>
        w
          .int32(0)
          .int64(from)
          .int32(1 << 20),
      ),
    )
    .finish()
  const leader = await cluster.node(await cluster.leader(topic, 0))
  const r = new Reader(await leader.send({ apiKey: 1, apiVersion: 4, apiName: 'Fetch', flexible: false, body }))
  const found: Batch[] = []
  r.int32()
  r.array(() => {
    r.string()
    r.array(() => {
      r.int32()
      expect(r.int16()).toBe(0)
      r.skip(16)
      r.array(() => r.skip(16))
      const log = r.bytes() as Buffer
      for (let at = 0; at + 61 <= log.length; at += 12 + log.readInt32BE(at + 8)) {
        const offset = Number(log.readBigInt64BE(at))
        const next = offset + log.readInt32BE(at + 23) + 1
        const control = (log.readInt16BE(at + 21) & 0x20) !== 0
        if (next > from) found.push({ offset, next, control, records: log.readInt32BE(at + 57) })
      }
    })
  })
  return found
}

test('a marker in a partition where its transaction wrote nothing hides nothing of the transactions around it', async () => {
  const topic = await newTopic(2)
  const [a, b] = [await producer(topic), await producer(topic)]
  await a.write(0, ['a0'])
  await a.end('commit')
  for (const how of ['abort', 'commit'] as const) {
    await a.add(0)
    await b.write(0, [`b ${how}`])
    // Something elsewhere, so that the transaction is no empty one.
    await a.write(1, [`elsewhere ${how}`])
    await a.end(how)
    await b.end('commit')
    await a.write(0, [`a after ${how}`])
    await a.end('commit')
    await a.write(0, [`a lost after ${how}`])
    await a.end('abort')
    await a.add(0)
    await a.end('abort')
    await b.write(0, [`b again ${how}`])
    await b.end('commit')
  }
  const around = (how: string) => [`b ${how}`, `a after ${how}`, `b again ${how}`]
  expect(await agreed(topic, 2)).toEqual([['a0', ...around('abort'), ...around('commit')], ['elsewhere commit']])
  const written = await batches(topic)
  expect(written.filter(({ control }) => control)).toHaveLength(13)
})

test('batches of the same producer id outside of transactions are delivered, whatever became of those around them', async () => {
  const topic = await newTopic()
  const [a, b] = [await producer(topic), await producer(topic)]
  await b.write(0, ['b0'])
  await a.write(0, ['x0'])
  await a.end('abort')
  expect(await a.aside(0, ['n0', 'n1'])).toBe(0)
  await a.write(0, ['x1'])
  await a.end('abort')
  expect(await a.aside(0, ['n2'])).toBe(0)
  await b.end('abort')
  await a.write(0, ['c0'])
  // Inside its own transaction the broker refuses such a batch (INVALID_TXN_STATE): that order no log can hold.
  expect(await a.aside(0, ['never'], 0)).toBe(48)
  await a.end('commit')
  expect(await agreed(topic)).toEqual([['n0', 'n1', 'n2', 'c0']])
})

test('compacted: of some transactions only the marker or an emptied batch is left', async () => {
  const topic = await newTopic(1, {
    'cleanup.policy': 'compact',
    'segment.ms': '1000',
    'message.timestamp.after.max.ms': String(365 * 86_400_000),
    'min.cleanable.dirty.ratio': '0.01',
    'min.compaction.lag.ms': '0',
    'delete.retention.ms': '0',
  })
  const [a, b, c] = [await producer(topic), await producer(topic), await producer(topic)]
  // Each an hour after the other, markers now: segments roll by the records' time, not the clock's.
  let timestamp = Date.now()
  const at = (...keys: string[]) => {
    timestamp += 3_600_000
    return { keys, timestamp }
  }
  await a.write(0, ['lost', 'lost too'], at('k1', 'k2'))
  await a.end('abort')
  await b.write(0, ['old', 'old too'], at('k1', 'k3'))
  await b.end('commit')
  await c.write(0, ['new', 'new too'], at('k1', 'k3'))
  await c.end('commit')
  await a.write(0, ['kept', 'lost'], at('k4', 'k3'))
  await a.end('commit')
  await a.write(0, ['lost'], at('k1'))
  await a.end('abort')
  await c.write(0, ['last'], at('k5'))
  await c.end('commit')
  let left = await batches(topic)
  const end = left.at(-1)?.offset
  for (const deadline = Date.now() + 60_000; ; await setTimeout(250)) {
    left = await batches(topic)
    const written = (offset: number) => left.some((one) => one.offset === offset && one.records > 0)
    // The aborted transaction at 0 and the overwritten one at 3.
    if (!written(0) && !written(3)) break
    if (Date.now() > deadline) throw new Error(`not compacted within 60 s: ${JSON.stringify(left)}`)
  }
  expect(left.at(-1)?.offset).toBe(end)
  // A marker whose transaction has no data left before it, or a batch that is empty.
  const alone = left.filter(({ control, records }, i) => records === 0 || (control && left[i - 1]?.control !== false))
  expect(alone.length, JSON.stringify(left)).toBeGreaterThan(0)
  const [values] = await agreed(topic)
  expect(values).toContain('kept')
  expect(values?.at(-1)).toBe('last')
  expect(values?.filter((value) => value.startsWith('old'))).toEqual([])
})

test('2,000 steps of five producers over three partitions', async () => {
  const topic = await newTopic(3)
  const all = await Promise.all(Array.from({ length: 5 }, () => producer(topic)))
  const seed = 20_261_121
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % below
  }
  for (let i = 0; i < 2000; i++) {
    const one = all[random(all.length)] as (typeof all)[number]
    const what = random(20)
    if (what < 12) {
      const values = Array.from({ length: 1 + random(4) }, (_, j) => `${i}.${j}`)
      await one.write(random(3), values, { compression: random(4) === 0 ? 'gzip' : 'none' })
    } else if (what < 14) await one.add(random(3))
    else await one.end(what < 17 ? 'abort' : 'commit')
  }
  // First with some still open: the stable end is below the high watermark.
  const java = await javaReads(topic, 3)
  expect(await weRead(topic, 3), `seed ${seed}`).toEqual(java)
  for (const [i, one] of all.entries()) await one.end(i % 2 === 0 ? 'abort' : 'commit')
  const values = await agreed(topic, 3, 97)
  for (const lines of values) expect(lines.length, `seed ${seed}`).toBeGreaterThan(200)
})
