/** `lag`: what a group has still to read, counted in records: markers that trail the last record are none, whoever committed the offsets. */

import type { Broker, CommittedOffset, PartitionOffset } from '../../broker/port.ts'
import { partitionName, partitionsOf, type TopicPartition } from '../../common/record.ts'
import { matchedTopics } from '../../runtime/plan.ts'
import { externalTopics } from '../../topology/external-topics.ts'
import { repartitionTopic } from '../../topology/names.ts'
import type { Topology } from '../../topology/node.ts'
import { chooseBroker, existingTopics, openBroker } from '../brokers.ts'
import { UsageError } from '../errors.ts'
import { escapeText } from '../escape.ts'
import { exitCodes } from '../exit-codes.ts'
import { envelope, type Io, say, type Warning } from '../io.ts'
import { loadTopology } from '../load.ts'
import { legalName } from '../options.ts'
import { startTail } from '../tail.ts'
import { timer } from '../timer.ts'

export interface LagOptions {
  readonly broker?: string | undefined
  readonly group?: string | undefined
  readonly topic?: readonly string[] | undefined
  readonly failOver?: number | undefined
  readonly json?: boolean | undefined
}

interface PartitionLag extends TopicPartition {
  readonly committed: number | null
  readonly earliest: number
  readonly stableEnd: number
  readonly highWatermark: number
  readonly lag: number
}

/** Up to so many offsets apart the records between are counted; above, the offsets are. */
const countedBelow = 1_000
const countMs = 5_000

export async function lag(app: string | undefined, options: LagOptions, io: Io): Promise<number> {
  const choice = chooseBroker(options.broker, io, false)
  const { group, topics, inner, topology } = await target(app, options, io)
  const broker = await openBroker(choice, io)
  try {
    const matched = topology === undefined ? [] : await matchedTopics(topology, group, broker)
    const partitions = await partitionsOfGroup(broker, group, topics && [...topics, ...matched], inner)
    const warnings: Warning[] = []
    if (partitions.length === 0) {
      warnings.push({ code: 'NO_OFFSETS', message: `the group ${group} has committed nothing on ${broker.address}` })
    }
    const lags = await lagsOf(broker, group, partitions)
    const total = lags.reduce((sum, each) => sum + each.lag, 0)
    const { state } = await broker.describeGroup(group)
    for (const warning of warnings) say(io, `warn: ${warning.message}`)
    if (options.json === true)
      await io.out.json(envelope('lag', app === undefined ? null : group, jsonOf(group, state, total, lags), warnings))
    else await io.out.text(table(group, state, total, lags))
    if (options.failOver === undefined || total <= options.failOver) return exitCodes.ok
    say(io, `lag ${total} is over the limit of ${options.failOver}`)
    return exitCodes.assertion
  } finally {
    await broker.close()
  }
}

interface Target {
  readonly group: string
  /** Null: whatever the group has committed. */
  readonly topics: readonly string[] | null
  /** Topics that the app makes at its first start: missing before. */
  readonly inner: readonly string[]
  /** Whose patterns match topics too. */
  readonly topology?: Topology
}

async function target(app: string | undefined, options: LagOptions, io: Io): Promise<Target> {
  if (app === undefined) {
    if (options.group === undefined) {
      throw new UsageError('lag of what?', 'Name an app, a topology file or --group.')
    }
    return { group: options.group, topics: options.topic ?? null, inner: [] }
  }
  if (!/[\\/]|\.[cm]?[jt]sx?$/.test(app)) {
    if (options.group !== undefined) {
      throw new UsageError(
        `both ${app} and --group ${options.group} are given`,
        'Give one of the two: an app is its group.',
      )
    }
    return { group: legalName(app), topics: options.topic ?? null, inner: [] }
  }
  const topology = await loadTopology(app, io)
  const group = options.group ?? topology.name
  const inner = topology.nodes.flatMap((node) =>
    node.kind === 'repartition' ? [repartitionTopic(group, node.topic)] : [],
  )
  if (options.topic !== undefined) return { group, topics: options.topic, inner: [] }
  return { group, topics: externalTopics(topology).read, inner, topology }
}

/** All partitions of the named topics; without names, those that the group has committed. */
async function partitionsOfGroup(
  broker: Broker,
  group: string,
  topics: readonly string[] | null,
  inner: readonly string[],
): Promise<readonly TopicPartition[]> {
  const found = topics === null ? await broker.topics() : await existingTopics(broker, topics)
  const made = inner.length === 0 ? [] : (await broker.topics(inner)).values()
  const all = [...found.values(), ...made].flatMap(({ name, partitions }) => partitionsOf(name, partitions))
  return topics === null && all.length > 0 ? broker.committed(group, all) : all
}

async function lagsOf(broker: Broker, group: string, partitions: readonly TopicPartition[]): Promise<PartitionLag[]> {
  if (partitions.length === 0) return []
  const committed = byName<CommittedOffset>(await broker.committed(group, partitions))
  const earliest = byName(await broker.offsets(partitions, 'earliest'))
  const stable = byName(await broker.offsets(partitions, 'stable'))
  const ends = byName(await broker.offsets(partitions, 'end'))
  const lags: PartitionLag[] = []
  for (const { topic, partition } of partitions) {
    const name = partitionName(topic, partition)
    const start = earliest.get(name)?.offset ?? 0
    const stableEnd = stable.get(name)?.offset ?? 0
    const offset = committed.get(name)?.offset ?? null
    const from = Math.max(start, offset ?? start)
    lags.push({
      topic,
      partition,
      committed: offset,
      earliest: start,
      stableEnd,
      highWatermark: ends.get(name)?.offset ?? stableEnd,
      lag: await recordsBetween(broker, { topic, partition, offset: from }, stableEnd),
    })
  }
  return lags.sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition))
}

function byName<T extends PartitionOffset>(offsets: readonly T[]): Map<string, T> {
  return new Map(offsets.map((each) => [partitionName(each.topic, each.partition), each]))
}

async function recordsBetween(broker: Broker, from: PartitionOffset, end: number): Promise<number> {
  const offsets = Math.max(0, end - from.offset)
  if (offsets === 0 || offsets > countedBelow) return offsets
  let records = 0
  const tail = startTail(broker, [from], (_topic, _partition, record) => {
    if (record.offset < end) records++
    return true
  })
  const limit = timer(countMs)
  try {
    const counted = tail.until([{ ...from, offset: end }]).then(() => records)
    return await Promise.race([counted, limit.passed.then(() => offsets)])
  } finally {
    limit.clear()
    await tail.close()
  }
}

function jsonOf(group: string, state: string, total: number, lags: readonly PartitionLag[]): object {
  return {
    group,
    state,
    total,
    partitions: lags.map((each) => ({
      topic: each.topic,
      partition: each.partition,
      position: String(each.committed ?? each.earliest),
      committed: each.committed === null ? null : String(each.committed),
      stableEnd: String(each.stableEnd),
      highWatermark: String(each.highWatermark),
      lag: each.lag,
    })),
  }
}

function table(group: string, state: string, total: number, lags: readonly PartitionLag[]): string {
  const head = ['TOPIC', 'PARTITION', 'COMMITTED', 'STABLE END', 'LAG']
  const rows = lags.map((each) => [
    escapeText(each.topic),
    String(each.partition),
    each.committed === null ? '-' : String(each.committed),
    String(each.stableEnd),
    String(each.lag),
  ])
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
  const lines = [`group ${escapeText(group)} (${state})`, line(head), ...rows.map(line), `total lag ${total}`]
  return `${lines.join('\n')}\n`
}
