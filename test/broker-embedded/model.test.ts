/** Random interleavings of transactions against an oracle that knows only the rules: whole, in order, once. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import type { Fetcher, TransactionalProducer } from '../../src/broker/port.ts'
import { append, offsetOf, outsider, readCommitted, settledEnd, texts } from '../compliance/broker-kit.ts'

const topic = 'model'
const partitions = 2
const producers = 3

/** Large ones go into the log before their commit: then transactions really lie across each other. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append'),
      who: fc.nat(producers - 1),
      partition: fc.nat(partitions - 1),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('large'), who: fc.nat(producers - 1), partition: fc.nat(partitions - 1) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('commit', 'seal'),
      who: fc.nat(producers - 1),
      partition: fc.nat(partitions - 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('reset', 'take', 'plain'),
      who: fc.nat(producers - 1),
      partition: fc.nat(partitions - 1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('poll'), who: fc.constant(0), partition: fc.nat(partitions - 1) }),
  },
)

interface Written {
  readonly partition: number
  readonly value: string
}

class Run {
  readonly broker: EmbeddedBroker
  readonly writers: TransactionalProducer[] = []
  /** What each producer appended since its last commit was sealed. */
  readonly open: Written[][] = Array.from({ length: producers }, () => [])
  readonly committed: { who: number; values: Written[] }[] = []
  readonly commits: Promise<unknown>[] = []
  readonly offsets: number[] = Array.from({ length: producers }, () => 0)
  readonly polled: string[][] = Array.from({ length: partitions }, () => [])
  #count = 0

  constructor(broker: EmbeddedBroker) {
    this.broker = broker
  }

  async take(who: number): Promise<void> {
    const id = { transactionalId: `writer-${who}` }
    this.writers[who] = await this.broker.transactionalProducer(id)
    this.open[who] = []
  }

  append(who: number, partition: number, padding: number): void {
    const value = `${who}:${this.#count++}:`.padEnd(padding, '.')
    append(this.writers[who]!, topic, value, partition)
    this.open[who]?.push({ partition, value })
  }

  seal(who: number): Promise<unknown> {
    const offset = this.offsets[who]! + 1
    this.offsets[who] = offset
    const offsets = [{ topic, partition: 0, offset, metadata: '' }]
    const result = this.writers[who]!.commit({ group: outsider(`group-${who}`), offsets })
    this.committed.push({ who, values: this.open[who] ?? [] })
    this.open[who] = []
    this.commits.push(result)
    return result
  }

  async poll(fetcher: Fetcher): Promise<void> {
    for (const { partition, records, position, stableEnd } of await fetcher.poll(0)) {
      expect(position).toBeLessThanOrEqual(stableEnd)
      this.polled[partition]?.push(...records.map(({ value }) => String(value)))
    }
  }

  of(who: number, partition: number): string[] {
    const own = this.committed.filter((one) => one.who === who).flatMap(({ values }) => values)
    return own.filter((one) => one.partition === partition).map(({ value }) => value)
  }
}

async function check(dir: string | undefined, steps: readonly { kind: string; who: number; partition: number }[]) {
  const options = dir === undefined ? {} : { dir }
  let broker = await openEmbedded(options)
  try {
    await broker.createTopics([{ name: topic, partitions, configs: {} }])
    const run = new Run(broker)
    for (let who = 0; who < producers; who++) await run.take(who)
    const plain = await broker.plainProducer()
    const fetcher = broker.fetcher({ maxPartitionBytes: 400_000 })
    fetcher.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 })))
    for (const { kind, who, partition } of steps) {
      if (kind === 'append') run.append(who, partition, 0)
      else if (kind === 'large') for (let i = 0; i < 4; i++) run.append(who, partition, 300_000)
      else if (kind === 'seal') void run.seal(who)
      else if (kind === 'commit') await run.seal(who)
      else if (kind === 'poll') await run.poll(fetcher)
      else if (kind === 'plain') {
        const value = `plain:${run.committed.length}:`
        append(plain, topic, value, partition)
        await plain.flush()
        run.committed.push({ who: -1, values: [{ partition, value }] })
      } else {
        // A commit that is still queued would be void: whether it is depends on the turn, so let it end first.
        await Promise.all(run.commits)
        if (kind === 'reset') {
          await run.writers[who]!.reset()
          run.open[who] = []
        } else await run.take(who)
      }
    }
    await Promise.all(run.commits)
    for (const writer of run.writers) await writer.close()
    for (let partition = 0; partition < partitions; partition++) {
      const end = await settledEnd(broker, topic, partition)
      const records = await readCommitted(broker, topic, partition)
      const values = texts(records).map(String)
      expect(values.length).toBe(new Set(values).size)
      expect(records.every(({ offset }, i) => i === 0 || offset > records[i - 1]!.offset)).toBe(true)
      for (let who = -1; who < producers; who++) {
        const mark = who === -1 ? 'plain:' : `${who}:`
        expect(values.filter((value) => value.startsWith(mark)).map(shorten)).toEqual(
          run.of(who, partition).map(shorten),
        )
      }
      expect(run.polled[partition]?.map(shorten)).toEqual(values.slice(0, run.polled[partition]?.length).map(shorten))
      if (dir === undefined) continue
      await broker.close()
      broker = await openEmbedded(options)
      const after = await readCommitted(broker, topic, partition)
      expect(after.map(({ offset, value }) => [offset, shorten(String(value))])).toEqual(
        records.map(({ offset, value }) => [offset, shorten(String(value))]),
      )
      expect(await offsetOf(broker, topic, 'end', partition)).toBe(end)
    }
    for (let who = 0; who < producers; who++) {
      const [found] = await broker.committed(`group-${who}`, [{ topic, partition: 0 }])
      expect(found?.offset ?? 0).toBe(run.offsets[who])
    }
  } finally {
    await broker.close()
  }
}

const shorten = (value: string): string => value.replace(/\.+$/, '')

describe('random transactions', () => {
  test('in memory', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), (steps) => check(undefined, steps)),
      { numRuns: 150 },
    )
  })

  test('on disk, and after opening again', async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const dir = await mkdtemp(join(tmpdir(), 'streamctl-model-'))
      try {
        await check(dir, steps)
      } finally {
        await rm(dir, { recursive: true })
      }
    })
    await fc.assert(property, { numRuns: 20 })
  })
})
