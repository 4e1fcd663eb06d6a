/**
 * What every adapter of the broker port does alike. It assumes nothing about exact offsets (markers take some) and
 * nothing about what else the cluster holds, so it runs on a shared Kafka as well as in memory.
 */

import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Broker, PartitionOffset } from '../../src/broker/port.ts'
import { type ConsumerRecord, type Headers, noHeaders, partitionName } from '../../src/common/record.ts'
import {
  append,
  bytes,
  eventually,
  joinAs,
  newTopic,
  offsetOf,
  openInLog,
  outsider,
  partitionsOf,
  pollUntil,
  readCommitted,
  readRange,
  settledEnd,
  texts,
  unique,
} from './broker-kit.ts'

export interface ComplianceCluster {
  /** A new connection, as another process would have. */
  connect(): Promise<Broker>
  stop(): Promise<void>
}

export function brokerCompliance(name: string, factory: () => Promise<ComplianceCluster>): void {
  describe(`broker: ${name}`, () => {
    let cluster: ComplianceCluster
    const connections: Broker[] = []
    const connect = async (): Promise<Broker> => {
      const broker = await cluster.connect()
      connections.push(broker)
      return broker
    }
    const producerOf = (broker: Broker, transactionalId = unique('producer')) =>
      broker.transactionalProducer({ transactionalId })

    beforeAll(async () => {
      cluster = await factory()
    })
    afterEach(async () => {
      await Promise.all(connections.splice(0).map((broker) => broker.close()))
    })
    afterAll(() => cluster.stop())

    describe('topics', () => {
      test('exist once created, and are left as they are when created again', async () => {
        const [broker, other] = [await connect(), await connect()]
        const [one, two, none] = [unique('one'), unique('two'), unique('none')]
        await broker.createTopics([
          { name: one, partitions: 1, configs: {} },
          { name: two, partitions: 3, configs: { 'cleanup.policy': 'compact' } },
        ])
        await broker.createTopics([{ name: one, partitions: 5, configs: {} }])
        expect([...(await other.topics([one, two, none])).values()]).toEqual([
          { name: one, partitions: 1 },
          { name: two, partitions: 3 },
        ])
        expect([...(await other.topics()).keys()]).toEqual(expect.arrayContaining([one, two]))
      })

      test('have configs, those they were created with among them', async () => {
        const [broker, other] = [await connect(), await connect()]
        const [compacted, deleted] = [unique('compacted'), unique('deleted')]
        await broker.createTopics([
          { name: compacted, partitions: 1, configs: { 'cleanup.policy': 'compact', 'retention.ms': '7' } },
          { name: deleted, partitions: 2, configs: { 'cleanup.policy': 'compact,delete' } },
        ])
        const configs = await other.topicConfigs([compacted, deleted])
        expect([...configs.keys()].sort()).toEqual([compacted, deleted].sort())
        expect(configs.get(compacted)).toMatchObject({ 'cleanup.policy': 'compact', 'retention.ms': '7' })
        expect(configs.get(deleted)).toMatchObject({ 'cleanup.policy': 'compact,delete' })
        expect(await broker.topicConfigs([])).toEqual(new Map())
      })

      test('that are missing are an error where they are needed', async () => {
        const broker = await connect()
        const topic = unique('missing')
        await expect(broker.offsets([{ topic, partition: 0 }], 'end')).rejects.toMatchObject({ code: 'TOPIC_MISSING' })
        const fetcher = broker.fetcher()
        fetcher.assign([{ topic, partition: 0, offset: 0 }])
        await expect(pollUntil(fetcher, () => false)).rejects.toMatchObject({ code: 'TOPIC_MISSING' })
      })

      test('begin empty', async () => {
        const broker = await connect()
        const topic = await newTopic(broker)
        for (const at of ['earliest', 'stable', 'end'] as const) expect(await offsetOf(broker, topic, at)).toBe(0)
        const fetcher = broker.fetcher()
        fetcher.assign([{ topic, partition: 0, offset: 0 }])
        expect((await fetcher.poll(20)).flatMap(({ records }) => records)).toEqual([])
      })
    })

    describe('records', () => {
      const headers: Headers = [
        { key: 'a', value: bytes('1') },
        { key: 'b', value: null },
        { key: 'a', value: bytes('') },
        { key: 'ключ', value: randomBytes(300) },
      ]
      const written: Pick<ConsumerRecord, 'key' | 'value' | 'timestamp' | 'headers'>[] = [
        { key: bytes('k'), value: bytes('v'), timestamp: 1_500_000_000_123, headers: noHeaders },
        { key: null, value: bytes('null key'), timestamp: 1_500_000_000_000, headers },
        { key: bytes('tombstone'), value: null, timestamp: 0, headers: noHeaders },
        { key: bytes(''), value: bytes(''), timestamp: 1_700_000_000_000, headers: [] },
        { key: null, value: null, timestamp: 1_400_000_000_000, headers: [{ key: '', value: null }] },
        { key: randomBytes(1000), value: randomBytes(5000), timestamp: 1_500_000_000_123, headers: noHeaders },
      ]
      const withoutOffset = ({ key, value, timestamp, headers }: ConsumerRecord) => ({ key, value, timestamp, headers })

      test.each(['transactional', 'plain'] as const)('come back as a %s producer wrote them', async (kind) => {
        const [broker, other] = [await connect(), await connect()]
        const topic = await newTopic(broker)
        const producer = kind === 'plain' ? await broker.plainProducer() : await producerOf(broker)
        for (const { key, value, timestamp, headers } of written) {
          producer.output(topic).append(0, key, value, timestamp, headers)
        }
        const next = await ('flush' in producer ? producer.flush() : producer.commit(null))
        const records = await readCommitted(other, topic)
        expect(records.map(withoutOffset)).toEqual(written)
        const last = records.at(-1)?.offset ?? -1
        expect(next.get(partitionName(topic, 0))).toBeGreaterThan(last)
        expect(next.get(partitionName(topic, 0))).toBeLessThanOrEqual(await settledEnd(other, topic))
      })

      test('go to the partition they were appended to', async () => {
        const broker = await connect()
        const topic = await newTopic(broker, 3)
        const producer = await producerOf(broker)
        for (let i = 0; i < 30; i++) append(producer, topic, `${i}`, i % 3)
        const next = await producer.commit(null)
        expect([...next.keys()].sort()).toEqual([0, 1, 2].map((partition) => partitionName(topic, partition)))
        for (let partition = 0; partition < 3; partition++) {
          const expected = Array.from({ length: 10 }, (_, i) => `${i * 3 + partition}`)
          expect(texts(await readCommitted(broker, topic, partition))).toEqual(expected)
        }
      })

      test('keep their order: 10,000 in ten transactions', async () => {
        const broker = await connect()
        const topic = await newTopic(broker)
        const producer = await producerOf(broker)
        for (let i = 0; i < 10_000; i++) {
          append(producer, topic, `${i}`)
          if (i % 1000 === 999) await producer.commit(null)
        }
        const records = await readCommitted(broker, topic)
        expect(texts(records)).toEqual(Array.from({ length: 10_000 }, (_, i) => `${i}`))
        for (const [i, { offset }] of records.entries())
          if (i > 0) expect(offset).toBeGreaterThan(records[i - 1]!.offset)
      })

      test('of 900 KB arrive whole, also through a fetcher that is limited to less', async () => {
        const broker = await connect()
        const topic = await newTopic(broker)
        const producer = await producerOf(broker)
        const values = Array.from({ length: 4 }, () => randomBytes(900 * 1024))
        for (const value of values) producer.output(topic).append(0, null, value, 1_600_000_000_000, noHeaders)
        await producer.commit(null)
        const to = await settledEnd(broker, topic)
        for (const maxPartitionBytes of [1024, 1024 * 1024, 16 * 1024 * 1024]) {
          const { records } = await readRange(broker, topic, { to, maxPartitionBytes })
          expect(records.map(({ value }, i) => value?.equals(values[i]!))).toEqual([true, true, true, true])
        }
      })

      test('that are too large are refused, and nothing of their transaction is there', async () => {
        const broker = await connect()
        const topic = await newTopic(broker)
        const producer = await producerOf(broker)
        append(producer, topic, 'before')
        producer.output(topic).append(0, null, randomBytes(3_000_000), 1_600_000_000_000, noHeaders)
        await expect(producer.commit(null)).rejects.toMatchObject({ code: 'PRODUCTION' })
        await producer.reset()
        append(producer, topic, 'after')
        await producer.commit(null)
        expect(texts(await readCommitted(broker, topic))).toEqual(['after'])
      })
    })

    describe('a transaction', () => {
      test('with nothing in it commits at once', async () => {
        const producer = await producerOf(await connect())
        expect(producer.pendingBytes).toBe(0)
        expect((await producer.commit(null)).size).toBe(0)
      })

      test('counts the bytes that are not sealed', async () => {
        const broker = await connect()
        const topic = await newTopic(broker)
        const producer = await producerOf(broker)
        append(producer, topic, 'x'.repeat(1000))
        expect(producer.pendingBytes).toBeGreaterThanOrEqual(1000)
        const committed = producer.commit(null)
        expect(producer.pendingBytes).toBe(0)
        await committed
      })

      test('is sealed by commit: what is appended after it belongs to the next', async () => {
        const broker = await connect()
        const topic = await newTopic(broker)
        const producer = await producerOf(broker)
        append(producer, topic, 'a')
        const first = producer.commit(null)
        append(producer, topic, 'b')
        const second = producer.commit(null)
        append(producer, topic, 'c')
        await first
        await second
        expect(texts(await readCommitted(broker, topic))).toEqual(['a', 'b'])
        const third = producer.commit(null)
        append(producer, topic, 'd')
        await third
        await producer.reset()
        append(producer, topic, 'e')
        await producer.commit(null)
        append(producer, topic, 'f')
        await producer.close()
        expect(texts(await readCommitted(broker, topic))).toEqual(['a', 'b', 'c', 'e'])
      })

      test('is seen by uncommitted readers when it reaches the log, by committed ones when it commits', async () => {
        const [broker, other] = [await connect(), await connect()]
        const topic = await newTopic(broker)
        const producer = await producerOf(broker)
        const count = await openInLog(other, producer, topic, 'open')
        const end = await offsetOf(other, topic, 'end')
        expect(await offsetOf(other, topic, 'stable')).toBe(0)
        const seen = await readRange(other, topic, { to: end, isolation: 'uncommitted' })
        expect(texts(seen.records)[0]).toMatch(/^open-1\./)
        const fetcher = other.fetcher()
        fetcher.assign([{ topic, partition: 0, offset: 0 }])
        expect((await fetcher.poll(100)).flatMap(({ records }) => records)).toEqual([])
        await producer.commit(null)
        expect(await readCommitted(other, topic)).toHaveLength(count)
      })

      test('that is open holds back what others commit after it', async () => {
        const [broker, other] = [await connect(), await connect()]
        const topic = await newTopic(broker)
        const [slow, fast] = [await producerOf(broker), await producerOf(other)]
        append(fast, topic, 'first')
        await fast.commit(null)
        const before = await settledEnd(broker, topic)
        const count = await openInLog(broker, slow, topic, 'slow')
        append(fast, topic, 'second')
        await fast.commit(null)
        expect(await offsetOf(broker, topic, 'stable')).toBe(before)
        expect(await offsetOf(broker, topic, 'end')).toBeGreaterThan(before + 1)
        const held = await readRange(broker, topic, { to: before })
        expect(texts(held.records)).toEqual(['first'])
        expect(held.position).toBe(before)
        await slow.commit(null)
        const values = texts(await readCommitted(broker, topic)).map((value) => value?.replace(/-.*/s, ''))
        expect(values.filter((value) => value === 'slow')).toHaveLength(count)
        expect(values.filter((value) => value !== 'slow')).toEqual(['first', 'second'])
      })

      test('that is reset leaves nothing but a gap, which readers step over', async () => {
        const [broker, other] = [await connect(), await connect()]
        const topic = await newTopic(broker)
        const producer = await producerOf(broker)
        append(producer, topic, 'kept')
        await producer.commit(null)
        await openInLog(other, producer, topic, 'aborted')
        await producer.reset()
        expect(producer.pendingBytes).toBe(0)
        const end = await settledEnd(other, topic)
        const { records, position } = await readRange(other, topic, { to: end })
        expect(texts(records)).toEqual(['kept'])
        expect(position).toBe(end)
        append(producer, topic, 'after')
        await producer.commit(null)
        expect(texts(await readCommitted(other, topic))).toEqual(['kept', 'after'])
      })

      test('that is open is aborted when its producer closes', async () => {
        const [broker, other] = [await connect(), await connect()]
        const topic = await newTopic(broker)
        const producer = await producerOf(broker)
        await openInLog(other, producer, topic, 'aborted')
        await producer.close()
        expect(await readCommitted(other, topic)).toEqual([])
      })

      test('of two producers in turns: each sees its commits whole and in order, and no abort', async () => {
        const [broker, other] = [await connect(), await connect()]
        const topic = await newTopic(broker, 2)
        const producers = [await producerOf(broker), await producerOf(other)] as const
        const expected: string[][] = [[], []]
        for (let round = 0; round < 12; round++) {
          const values = [0, 1].map((p) =>
            Array.from({ length: 1 + ((round * 7 + p) % 5) }, (_, i) => `${p}:${round}:${i}`),
          )
          for (let i = 0; i < 5; i++) {
            for (const p of [0, 1] as const) {
              const value = values[p]?.[i]
              if (value !== undefined) append(producers[p], topic, value, round % 2)
            }
          }
          for (const p of round % 3 === 0 ? ([1, 0] as const) : ([0, 1] as const)) {
            if ((round + p) % 4 === 3) await producers[p].reset()
            else {
              await producers[p].commit(null)
              expected[p]?.push(...(values[p] ?? []))
            }
          }
        }
        const read = [...texts(await readCommitted(broker, topic, 0)), ...texts(await readCommitted(broker, topic, 1))]
        const roundOf = (value: string): number => Number(value.split(':')[1])
        for (const p of [0, 1]) {
          const own = read.filter((value): value is string => value?.startsWith(`${p}:`) === true)
          const inOrder = expected[p]?.toSorted((a, b) => (roundOf(a) % 2) - (roundOf(b) % 2))
          expect(own).toEqual(inOrder)
        }
      })

      test('moves positions past its marker', async () => {
        const broker = await connect()
        const topic = await newTopic(broker)
        const producer = await producerOf(broker)
        append(producer, topic, 'a')
        await producer.commit(null)
        const end = await settledEnd(broker, topic)
        expect(end).toBe(2)
        const { records, position } = await readRange(broker, topic, { to: end })
        expect(records).toHaveLength(1)
        expect(position).toBe(end)
        expect(await readRange(broker, topic, { from: 1, to: end })).toEqual({ records: [], position: end })
      })

      test('is fenced when another producer takes its id, which ends what it had open', async () => {
        const [broker, other] = [await connect(), await connect()]
        const topic = await newTopic(broker)
        const id = unique('shared')
        const old = await producerOf(broker, id)
        append(old, topic, 'kept')
        await old.commit(null)
        await openInLog(broker, old, topic, 'zombie')
        const taker = await producerOf(other, id)
        expect(texts(await readCommitted(other, topic))).toEqual(['kept'])
        append(old, topic, 'zombie')
        await expect(old.commit(null)).rejects.toMatchObject({ code: 'FENCED' })
        append(old, topic, 'zombie')
        await expect(old.commit(null)).rejects.toThrow()
        append(taker, topic, 'taken')
        await taker.commit(null)
        await old.reset()
        append(old, topic, 'taken back')
        await old.commit(null)
        append(taker, topic, 'zombie')
        await expect(taker.commit(null)).rejects.toMatchObject({ code: 'FENCED' })
        expect(texts(await readCommitted(other, topic))).toEqual(['kept', 'taken', 'taken back'])
      })
    })

    describe('offsets by time', () => {
      test('are those of the first record that is not before it, else of the end', async () => {
        const [broker, other] = [await connect(), await connect()]
        const topic = await newTopic(broker, 2)
        const producer = await broker.plainProducer()
        const at = 1_600_000_000_000
        // Not in the order of time.
        for (const [i, time] of [at + 10, at + 30, at + 20, at + 40, at + 40].entries()) {
          producer.output(topic).append(0, null, bytes(`${i}`), time, noHeaders)
        }
        await producer.flush()
        const to = await settledEnd(other, topic)
        const first = async (since: number) => {
          const [found] = await other.offsets([{ topic, partition: 0 }], { since })
          return texts((await readRange(other, topic, { from: found?.offset ?? -1, to })).records)[0]
        }
        const expected: readonly (readonly [number, string | undefined])[] = [
          [-5, '0'],
          [0, '0'],
          [at + 10, '0'],
          [at + 11, '1'],
          [at + 30, '1'],
          [at + 31, '3'],
          [at + 40, '3'],
        ]
        for (const [since, value] of expected) expect([since, await first(since)]).toEqual([since, value])
        expect(
          await other.offsets(
            [
              { topic, partition: 1 },
              { topic, partition: 0 },
            ],
            { since: at + 41 },
          ),
        ).toEqual([
          { topic, partition: 1, offset: 0 },
          { topic, partition: 0, offset: to },
        ])
        await expect(other.offsets([{ topic: unique('missing'), partition: 0 }], { since: at })).rejects.toMatchObject({
          code: 'TOPIC_MISSING',
        })
      })

      test('leave nothing out that is not before it, among markers that have times of their own', async () => {
        const broker = await connect()
        const topic = await newTopic(broker)
        const producer = await producerOf(broker)
        const times = Array.from({ length: 20 }, (_, i) => 1_600_000_000_000 + ((i * 7) % 20))
        for (const [i, time] of times.entries()) {
          producer.output(topic).append(0, null, bytes(`${time}`), time, noHeaders)
          if (i % 5 === 3) await producer.reset()
          else if (i % 2 === 1) await producer.commit(null)
        }
        await producer.commit(null)
        const to = await settledEnd(broker, topic)
        const all = (await readCommitted(broker, topic)).map(({ timestamp }) => timestamp)
        for (const since of times) {
          const [found] = await broker.offsets([{ topic, partition: 0 }], { since })
          const { records } = await readRange(broker, topic, { from: found?.offset ?? -1, to })
          const young = all.findIndex((timestamp) => timestamp >= since)
          const expected = young < 0 ? [] : all.slice(young)
          expect(records.map(({ timestamp }) => timestamp).slice(-expected.length || all.length)).toEqual(expected)
        }
      })

      test('never lie beyond an open transaction', async () => {
        const [broker, other] = [await connect(), await connect()]
        const topic = await newTopic(broker)
        const [slow, fast] = [await producerOf(broker), await producerOf(other)]
        await openInLog(broker, slow, topic, 'slow')
        fast.output(topic).append(0, null, bytes('late'), 1_700_000_000_000, noHeaders)
        await fast.commit(null)
        const since = { since: 1_650_000_000_000 }
        expect(await broker.offsets([{ topic, partition: 0 }], since)).toEqual([{ topic, partition: 0, offset: 0 }])
        await slow.commit(null)
        const to = await settledEnd(broker, topic)
        const [found] = await broker.offsets([{ topic, partition: 0 }], since)
        const { records } = await readRange(broker, topic, { from: found?.offset ?? -1, to })
        expect(texts(records)[0]).toBe('late')
      })
    })

    describe('committed offsets', () => {
      const commitOf = (groupId: string, offsets: readonly PartitionOffset[], metadata = '') => ({
        group: outsider(groupId),
        offsets: offsets.map((offset) => ({ ...offset, metadata })),
      })

      test('come back with their metadata, of the partitions that have one', async () => {
        const [broker, other] = [await connect(), await connect()]
        const topic = await newTopic(broker, 3)
        const groupId = unique('group')
        const partitions = [0, 1, 2].map((partition) => ({ topic, partition }))
        expect(await other.committed(groupId, partitions)).toEqual([])
        const producer = await producerOf(broker)
        append(producer, topic, 'x')
        await producer.commit(commitOf(groupId, [{ topic, partition: 0, offset: 5 }], 'é'.repeat(2000)))
        await producer.commit(commitOf(groupId, [{ topic, partition: 2, offset: 0 }]))
        expect(await other.committed(groupId, partitions)).toEqual([
          { topic, partition: 0, offset: 5, metadata: 'é'.repeat(2000) },
          { topic, partition: 2, offset: 0, metadata: '' },
        ])
        expect(await other.committed(unique('group'), partitions)).toEqual([])
      })

      test('are stable: whoever asks after a commit sees it', async () => {
        const [broker, other] = [await connect(), await connect()]
        const topic = await newTopic(broker)
        const groupId = unique('group')
        const producer = await producerOf(broker)
        for (let offset = 1; offset <= 20; offset++) {
          append(producer, topic, `${offset}`)
          const committing = producer.commit(commitOf(groupId, [{ topic, partition: 0, offset }]))
          const [during] = await other.committed(groupId, [{ topic, partition: 0 }])
          expect([offset - 1, offset]).toContain(during?.offset ?? 0)
          await committing
          const [after] = await other.committed(groupId, [{ topic, partition: 0 }])
          expect(after?.offset).toBe(offset)
        }
      })
    })

    describe('a fetcher', () => {
      const filled = async (broker: Broker, count = 10): Promise<string> => {
        const topic = await newTopic(broker, 2)
        const producer = await producerOf(broker)
        for (let i = 0; i < count; i++)
          for (const partition of [0, 1]) append(producer, topic, `${partition}:${i}`, partition)
        await producer.commit(null)
        await settledEnd(broker, topic, 0)
        await settledEnd(broker, topic, 1)
        return topic
      }

      test('waits for data and returns when it comes', async () => {
        const [broker, other] = [await connect(), await connect()]
        const topic = await newTopic(broker)
        const producer = await producerOf(broker)
        const fetcher = other.fetcher()
        fetcher.assign([{ topic, partition: 0, offset: 0 }])
        const polled = pollUntil(fetcher, (all) => all.some(({ records }) => records.length > 0))
        append(producer, topic, 'x')
        await producer.commit(null)
        const [first] = (await polled).filter(({ records }) => records.length > 0)
        expect(first).toMatchObject({ topic, partition: 0 })
        expect(first?.stableEnd).toBeGreaterThanOrEqual(1)
        expect(first?.highWatermark).toBeGreaterThanOrEqual(first?.stableEnd ?? Number.NaN)
      })

      test('starts where it is told', async () => {
        const broker = await connect()
        const topic = await filled(broker)
        const to = await settledEnd(broker, topic)
        expect(texts((await readRange(broker, topic, { from: 7, to })).records)).toEqual(['0:7', '0:8', '0:9'])
        expect(await readRange(broker, topic, { from: to, to })).toEqual({ records: [], position: to })
      })

      test('returns nothing of an earlier assignment', async () => {
        const broker = await connect()
        const [topic, quiet] = [await filled(broker), await newTopic(broker)]
        const fetcher = broker.fetcher()
        fetcher.assign([{ topic, partition: 0, offset: 0 }])
        await pollUntil(fetcher, (all) => all.length > 0)
        fetcher.assign([{ topic, partition: 0, offset: 0 }])
        fetcher.assign([{ topic, partition: 1, offset: 4 }])
        const end = await settledEnd(broker, topic, 1)
        const second = await pollUntil(fetcher, (all) => (all.at(-1)?.position ?? 0) >= end)
        expect(second.every(({ partition }) => partition === 1)).toBe(true)
        expect(texts(second.flatMap(({ records }) => records))).toEqual(['1:4', '1:5', '1:6', '1:7', '1:8', '1:9'])

        fetcher.assign([{ topic: quiet, partition: 0, offset: 0 }])
        const waiting = fetcher.poll(1000)
        fetcher.assign([{ topic, partition: 0, offset: 8 }])
        const third = [...(await waiting)]
        const position = () => third.at(-1)?.position ?? 0
        while (position() < (await offsetOf(broker, topic, 'stable'))) third.push(...(await fetcher.poll(1000)))
        expect(texts(third.flatMap(({ records }) => records))).toEqual(['0:8', '0:9'])
      })

      test('returns nothing of a paused partition, and all of it when resumed', async () => {
        const broker = await connect()
        const topic = await filled(broker)
        const fetcher = broker.fetcher()
        const [zero, one] = [
          { topic, partition: 0 },
          { topic, partition: 1 },
        ] as const
        fetcher.assign([
          { ...zero, offset: 3 },
          { ...one, offset: 0 },
        ])
        fetcher.pause([zero])
        const end = await settledEnd(broker, topic, 1)
        const first = await pollUntil(fetcher, (all) => (all.at(-1)?.position ?? 0) >= end)
        expect(new Set(first.map(({ partition }) => partition))).toEqual(new Set([1]))
        fetcher.pause([one])
        expect(await fetcher.poll(20)).toEqual([])
        fetcher.resume([zero])
        const second = await pollUntil(fetcher, (all) => (all.at(-1)?.position ?? 0) >= end)
        expect(texts(second.flatMap(({ records }) => records))).toEqual([3, 4, 5, 6, 7, 8, 9].map((i) => `0:${i}`))
      })

      test('has its waiting poll woken by an assignment and by a resume', async () => {
        const broker = await connect()
        const [topic, quiet] = [await filled(broker), await newTopic(broker)]
        const fetcher = broker.fetcher()
        fetcher.assign([{ topic: quiet, partition: 0, offset: 0 }])
        const assigned = fetcher.poll(600_000)
        fetcher.assign([{ topic, partition: 0, offset: 9 }])
        expect(texts((await assigned).flatMap(({ records }) => records))).toEqual(['0:9'])
        fetcher.assign([{ topic, partition: 1, offset: 9 }])
        fetcher.pause([{ topic, partition: 1 }])
        const resumed = fetcher.poll(600_000)
        fetcher.resume([{ topic, partition: 1 }])
        expect(texts((await resumed).flatMap(({ records }) => records))).toEqual(['1:9'])
      })

      test('has its waiting poll ended by a wake, or the next one when none waits', async () => {
        const broker = await connect()
        const topic = await newTopic(broker)
        const fetcher = broker.fetcher()
        fetcher.assign([{ topic, partition: 0, offset: 0 }])
        for (let i = 0; i < 2; i++) {
          const waiting = fetcher.poll(600_000)
          fetcher.wake()
          expect(await waiting).toEqual([])
          fetcher.wake()
          expect(await fetcher.poll(600_000)).toEqual([])
        }
        await fetcher.close()
      })

      test('never resets a position that is out of range', async () => {
        const broker = await connect()
        const topic = await filled(broker)
        await broker.deleteRecords([{ topic, partition: 0, offset: 4 }])
        for (const offset of [0, 3, 1000]) {
          const fetcher = broker.fetcher()
          fetcher.assign([{ topic, partition: 0, offset }])
          await expect(pollUntil(fetcher, () => false)).rejects.toMatchObject({
            code: 'OFFSET_OUT_OF_RANGE',
            where: { topic, partition: 0, offset },
          })
          fetcher.assign([{ topic, partition: 0, offset: 4 }])
          const all = await pollUntil(fetcher, (seen) => seen.some(({ records }) => records.length > 0))
          expect(all.flatMap(({ records }) => records)[0]?.offset).toBe(4)
          await fetcher.close()
        }
      })

      test('ends its waiting poll when it closes', async () => {
        const broker = await connect()
        const topic = await newTopic(broker)
        const fetcher = broker.fetcher()
        fetcher.assign([{ topic, partition: 0, offset: 0 }])
        const waiting = fetcher.poll(600_000)
        await Promise.all([Promise.allSettled([waiting]), fetcher.close()])
      })
    })

    test('deleted records are gone, the rest stays', async () => {
      const [broker, other] = [await connect(), await connect()]
      const topic = await newTopic(broker, 2)
      const producer = await producerOf(broker)
      for (let i = 0; i < 10; i++) append(producer, topic, `${i}`, i % 2)
      await producer.commit(null)
      const end = await settledEnd(broker, topic, 1)
      await broker.deleteRecords([
        { topic, partition: 0, offset: 2 },
        { topic, partition: 1, offset: end },
      ])
      expect(await offsetOf(other, topic, 'earliest', 0)).toBe(2)
      expect(await offsetOf(other, topic, 'earliest', 1)).toBe(end)
      expect(texts(await readCommitted(other, topic, 0))).toEqual(['4', '6', '8'])
      expect(await readCommitted(other, topic, 1)).toEqual([])
      await broker.deleteRecords([{ topic, partition: 0, offset: 1 }])
      expect(await offsetOf(other, topic, 'earliest', 0)).toBe(2)
      append(producer, topic, '10', 1)
      await producer.commit(null)
      expect(texts(await readCommitted(other, topic, 1))).toEqual(['10'])
    })

    describe('a group', () => {
      const hasAll = (count: number) => (assigned: { partitions: readonly unknown[] }) =>
        assigned.partitions.length === count

      test('tells each member what its leader has to say to it', async () => {
        const [broker, other] = [await connect(), await connect()]
        const group = { topic: await newTopic(broker, 2), partitions: 2, groupId: unique('group') }
        const tells = (memberId: string) => `to ${memberId}`
        const one = await joinAs(broker, { ...group, name: 'one', tells })
        const two = await joinAs(other, { ...group, name: 'two', tells })
        for (const assigned of await Promise.all([one.assigned(hasAll(1)), two.assigned(hasAll(1))])) {
          expect(assigned.userData).toBe(`to ${assigned.metadata.memberId}`)
        }
        await one.close()
        await two.close()
      })

      test('shares partitions among its members and hands them over when one leaves', async () => {
        const [broker, other] = [await connect(), await connect()]
        const group = { topic: await newTopic(broker, 4), partitions: 4, groupId: unique('group') }
        expect(await broker.describeGroup(group.groupId)).toEqual({ state: 'Dead', members: [] })
        const one = await joinAs(broker, { ...group, name: 'one' })
        const alone = await one.assigned(hasAll(4))
        expect(partitionsOf(alone)).toEqual([0, 1, 2, 3])
        expect(alone.metadata).toMatchObject({ groupId: group.groupId, instanceId: null })
        const two = await joinAs(other, { ...group, name: 'two' })
        const [first, second] = await Promise.all([one.assigned(hasAll(2)), two.assigned(hasAll(2))])
        expect([...partitionsOf(first), ...partitionsOf(second)].sort()).toEqual([0, 1, 2, 3])
        expect(first.metadata.generation).toBe(second.metadata.generation)
        expect(first.metadata.generation).toBeGreaterThan(alone.metadata.generation)
        const described = await broker.describeGroup(group.groupId)
        expect(described.state).toBe('Stable')
        expect(described.members.map(({ memberId }) => memberId).sort()).toEqual(
          [first.metadata.memberId, second.metadata.memberId].sort(),
        )
        for (const [name, { metadata, partitions }] of [
          ['one', first],
          ['two', second],
        ] as const) {
          const member = described.members.find(({ memberId }) => memberId === metadata.memberId)
          expect([member?.userData.toString(), member?.partitions]).toEqual([name, partitions])
        }
        await one.close()
        expect(partitionsOf(await two.assigned(hasAll(4)))).toEqual([0, 1, 2, 3])
        await two.close()
        await eventually(async () => {
          const { state, members } = await broker.describeGroup(group.groupId)
          return state === 'Empty' && members.length === 0 ? true : undefined
        })
        expect([...one.errors, ...two.errors]).toEqual([])
      })

      test('waits for every member to give back before anybody is assigned anew', async () => {
        const [broker, other] = [await connect(), await connect()]
        const group = { topic: await newTopic(broker, 2), partitions: 2, groupId: unique('group') }
        const events: string[] = []
        const asked = Promise.withResolvers<void>()
        const allowed = Promise.withResolvers<void>()
        const onRevoke = (): Promise<void> => {
          asked.resolve()
          return allowed.promise
        }
        const one = await joinAs(broker, { ...group, name: 'one', events, onRevoke })
        await one.assigned()
        const two = joinAs(other, { ...group, name: 'two', events })
        await asked.promise
        for (let i = 0; i < 20; i++) await other.describeGroup(group.groupId)
        expect(events).toEqual(['one assign', 'one revoke'])
        allowed.resolve()
        await Promise.all([one.assigned(), (await two).assigned(hasAll(1))])
        expect(events.slice(0, 3)).toEqual(['one assign', 'one revoke', 'one revoked'])
        expect(events.slice(3)).toEqual(expect.arrayContaining(['one assign', 'two assign']))
      })

      test('starts anew when a member asks, with its new user data', async () => {
        const [broker, other] = [await connect(), await connect()]
        const group = { topic: await newTopic(broker, 2), partitions: 2, groupId: unique('group') }
        let data = 'before'
        const one = await joinAs(broker, { ...group, name: 'one' })
        await one.assigned(hasAll(2))
        const two = await joinAs(other, { ...group, name: 'two', userData: () => data })
        const [before] = await Promise.all([one.assigned(hasAll(1)), two.assigned(hasAll(1))])
        const led = () =>
          [...one.led, ...two.led].map((members) => members.map(({ userData }) => userData.toString()).sort())
        expect(led()).toContainEqual(['before', 'one'])
        data = 'after'
        two.rejoin()
        const [after] = await Promise.all([one.assigned(hasAll(1)), two.assigned(hasAll(1))])
        expect(after.metadata.generation).toBeGreaterThan(before.metadata.generation)
        expect(led()).toContainEqual(['after', 'one'])
      })

      test('takes a commit under the old generation while it revokes, and fences it afterwards', async () => {
        const [broker, other] = [await connect(), await connect()]
        const group = { topic: await newTopic(broker, 2), partitions: 2, groupId: unique('group') }
        const producer = await producerOf(broker)
        const at = (offset: number) => [{ topic: group.topic, partition: 0, offset, metadata: '' }]
        let revoked = Promise.resolve<unknown>(undefined)
        const onRevoke = async (): Promise<void> => {
          append(producer, group.topic, 'revoking')
          revoked = producer.commit({ group: old.metadata, offsets: at(1) })
          await revoked
        }
        const one = await joinAs(broker, { ...group, name: 'one', onRevoke })
        const old = await one.assigned(hasAll(2))
        const two = await joinAs(other, { ...group, name: 'two' })
        const [current] = await Promise.all([one.assigned(hasAll(1)), two.assigned(hasAll(1))])
        await revoked
        const committed = async () => (await other.committed(group.groupId, at(0)))[0]?.offset
        expect(await committed()).toBe(1)

        append(producer, group.topic, 'zombie')
        await expect(producer.commit({ group: old.metadata, offsets: at(2) })).rejects.toMatchObject({ code: 'FENCED' })
        await producer.reset()
        const stranger = { ...current.metadata, memberId: unique('stranger') }
        append(producer, group.topic, 'zombie')
        await expect(producer.commit({ group: stranger, offsets: at(3) })).rejects.toMatchObject({ code: 'FENCED' })
        await producer.reset()
        expect(await committed()).toBe(1)
        append(producer, group.topic, 'current')
        await producer.commit({ group: current.metadata, offsets: at(4) })
        expect(await committed()).toBe(4)
        expect(texts(await readCommitted(other, group.topic))).toEqual(['revoking', 'current'])
      })
    })
  })
}
