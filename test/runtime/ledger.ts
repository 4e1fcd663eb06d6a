/**
 * A topology whose every output depends on everything before it, its inputs, and a model of what it must write: a pure function
 * of the input, with no code of the engine's. A lost, doubled or swapped record, or a forgotten stream time, changes some output.
 */

import { defineTopology, int64, Suppressed, string, topic, Windows, windowed } from 'streamctl'
import type { Broker } from '../../src/broker/port.ts'
import { noHeaders } from '../../src/common/record.ts'

export const partitions = 2
const windowMs = 10
const graceMs = 5

const events = topic('events', { key: string, value: string })
const chains = topic('chains', { key: string, value: string })
const letters = topic('letters', { key: string, value: int64 })
const recent = topic('recent', { key: windowed(string, windowMs), value: int64 })
const closed = topic('closed', { key: windowed(string, windowMs), value: int64 })
const finals = topic('finals', { key: windowed(string, windowMs), value: int64 })
const late = topic('late', { key: string, value: string })

/** Stores on disk and in memory in one task, windowed ones, updates that are held back, results that are final, records that are late, and a repartition topic between two tasks. */
export const ledger = defineTopology('ledger', (b) => {
  const input = b.stream(events)
  const byKey = input.groupByKey()
  byKey
    .aggregate('chain', { init: () => '', add: (chain, value) => `${chain}${value}`, serde: string })
    .toStream()
    .to(chains)
  const windows = byKey.windowedBy(Windows.tumbling(windowMs, { grace: graceMs }))
  const counts = windows.count('recent', { storage: 'memory' })
  counts.toStream().to(recent)
  counts.suppress('closed', Suppressed.untilWindowCloses('unbounded')).toStream().to(closed)
  windows.count('finals', { emit: 'final', late }).toStream().to(finals)
  input
    .groupBy('by-letter', (value) => value, { key: string })
    .count('letters')
    .toStream()
    .to(letters)
})

export const topics = ['events', 'chains', 'letters', 'recent', 'closed', 'finals', 'late']

export interface Event {
  readonly partition: number
  readonly key: string
  readonly value: string
  readonly timestamp: number
}

export async function feed(broker: Broker, input: readonly Event[]): Promise<void> {
  const producer = await broker.plainProducer()
  const output = producer.output('events')
  for (const { partition, key, value, timestamp } of input) {
    // A key never changes its partition, so its order is that of the log.
    output.append(partition, Buffer.from(`${partition}${key}`), Buffer.from(value), timestamp, noHeaders)
  }
  await producer.flush()
  await producer.close()
}

/** Every value that was written under each key, in order: `topic key` to values. */
export type Written = Record<string, string[]>

export function model(input: readonly Event[]): Written {
  const written: Written = {}
  const write = (name: string, value: string) => {
    written[name] ??= []
    written[name].push(value)
  }
  const chain: Record<string, string> = {}
  const count: Record<string, number> = {}
  const streamTime: number[] = []
  const open: Map<string, number>[] = []
  for (const { partition, key: bare, value, timestamp } of input) {
    const key = `${partition}${bare}`
    chain[key] = (chain[key] ?? '') + value
    write(`chains ${key}`, chain[key])
    count[value] = (count[value] ?? 0) + 1
    write(`letters ${value}`, String(count[value]))
    const time = Math.max(streamTime[partition] ?? -1, timestamp)
    streamTime[partition] = time
    const start = timestamp - (timestamp % windowMs)
    if (start + windowMs + graceMs <= time) {
      write(`late ${key}`, value)
      continue
    }
    const window = `recent ${key}@${start}`
    count[window] = (count[window] ?? 0) + 1
    write(window, String(count[window]))
    // What is held back goes on with the first record that its window's end + grace have come with.
    open[partition] ??= new Map()
    open[partition].set(`${key}@${start}`, start + windowMs + graceMs)
    for (const [window, closes] of open[partition]) {
      if (closes > time) continue
      write(`closed ${window}`, String(count[`recent ${window}`]))
      write(`finals ${window}`, String(count[`recent ${window}`]))
      open[partition].delete(window)
    }
  }
  return written
}

/** What a reader of committed records finds in the output topics. */
export async function read(broker: Broker): Promise<Written> {
  const ends = await broker.offsets(partitionsOf(topics.slice(1)), 'stable')
  const open = new Map(ends.filter((end) => end.offset > 0).map((end) => [`${end.topic} ${end.partition}`, end.offset]))
  const fetcher = broker.fetcher()
  fetcher.assign(ends.map((end) => ({ ...end, offset: 0 })))
  const written: Written = {}
  while (open.size > 0) {
    for (const { topic: name, partition, records, position } of await fetcher.poll(100)) {
      for (const record of records) {
        const key = record.key as Buffer
        const value = record.value as Buffer
        const shown = name === 'recent' || name === 'closed' || name === 'finals' ? showWindow(key) : key.toString()
        written[`${name} ${shown}`] ??= []
        written[`${name} ${shown}`]?.push(
          name === 'chains' || name === 'late' ? value.toString() : String(value.readBigInt64BE()),
        )
      }
      if (position >= (open.get(`${name} ${partition}`) ?? 0)) open.delete(`${name} ${partition}`)
    }
  }
  await fetcher.close()
  return written
}

/** Kafka Streams' windowed key: the key, then the start as eight bytes. */
function showWindow(key: Buffer): string {
  return `${key.subarray(0, -8).toString()}@${key.readBigInt64BE(key.length - 8)}`
}

export function partitionsOf(names: readonly string[]) {
  return names.flatMap((name) => Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })))
}

/** Resolves when the group has committed all that is in its inputs, and all that followed from that. */
export async function consumed(broker: Broker, limitMs = 15_000): Promise<void> {
  const until = performance.now() + limitMs
  const inputs = partitionsOf(['events', 'ledger-by-letter-repartition'])
  for (;;) {
    const ends = await broker.offsets(inputs, 'end')
    const committed = await broker.committed('ledger', inputs)
    const at = (topic: string, partition: number) =>
      committed.find((offset) => offset.topic === topic && offset.partition === partition)?.offset ?? 0
    const again = await broker.offsets(inputs, 'end')
    const isStill = again.every((end, i) => end.offset === ends[i]?.offset)
    if (isStill && ends.every(({ topic, partition, offset }) => at(topic, partition) >= offset)) return
    if (performance.now() > until) {
      throw new Error(
        `not consumed within ${limitMs} ms: ends ${JSON.stringify(ends)}, committed ${JSON.stringify(committed)}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
