/** Where the inputs of tasks are to be read from: what the group has committed, else what their sources say. */

import type { Broker, CommittedOffset, PartitionOffset } from '../broker/port.ts'
import { type ErrorLocation, StreamError } from '../common/errors.ts'
import { partitionName, type TopicPartition } from '../common/record.ts'
import type { Clock } from '../common/time.ts'
import type { StartFrom } from '../topology/node.ts'
import { type Plan, sourcesOf } from './plan.ts'
import type { StartPosition, Task } from './task.ts'

/** Where the partitions of a topic start that have no committed offset. */
export interface Start {
  readonly from: StartFrom
  /** The source that says so. */
  readonly where: ErrorLocation
}

export interface StartOptions {
  readonly broker: Broker
  readonly groupId: string
  /** By topic. */
  readonly starts: ReadonlyMap<string, Start>
  /** For what starts some time ago. */
  readonly clock: Clock
  readonly log: (level: 'warn', message: string) => void
}

export type StartPositions = ReadonlyMap<Task, readonly StartPosition[]>

/**
 * Where each topic of a plan starts. Repartition topics always do at their start: what is in them is work under way. So do
 * topics that came while the application ran, since all that is in them came after its own start; but for `none`.
 * @param from of sources that do not say.
 * @param come the topics that came.
 */
export function startsOf(plan: Plan, from: StartFrom, come: readonly string[]): ReadonlyMap<string, Start> {
  return new Map(
    sourcesOf(plan).map(({ topic, node }) => {
      const { name, where } = node
      const own = node.kind === 'source' ? (node.startFrom ?? from) : 'earliest'
      const start = own !== 'none' && come.includes(topic) ? 'earliest' : own
      return [topic, { from: start, where: { ...where, node: name, topic } }]
    }),
  )
}

/**
 * Positions of every input of the tasks. The committed offsets are stable ones: a former owner's open transaction is waited
 * out, so that what it had under way is in both the offsets and the changelogs, or in neither.
 * @throws StreamError NO_OFFSET for an input without one whose source says `none`.
 */
export async function startPositions(tasks: readonly Task[], options: StartOptions): Promise<StartPositions> {
  const { broker, groupId, log } = options
  const inputs = tasks.flatMap((task) => task.inputs)
  const committed = byPartition<CommittedOffset>(await broker.committed(groupId, inputs))
  const stable = byPartition(await broker.offsets(inputs, 'stable'))
  const fresh = inputs.filter(({ topic, partition }) => !committed.has(partitionName(topic, partition)))
  const first = byPartition(await firstOffsets(fresh, stable, options))
  const start = (input: TopicPartition): StartPosition => {
    const name = partitionName(input.topic, input.partition)
    const stableEnd = stable.get(name)?.offset ?? 0
    const found = committed.get(name)
    if (found !== undefined)
      return { ...input, offset: found.offset, metadata: found.metadata, stableEnd, committed: true }
    const offset = first.get(name)?.offset ?? 0
    if (offset > 0 && options.starts.get(input.topic)?.from === 'earliest') log('warn', gapWarning(name, offset))
    return { ...input, offset, metadata: '', stableEnd, committed: false }
  }
  return new Map(tasks.map((task) => [task, task.inputs.map(start)]))
}

/** Where partitions start of which nothing is committed; `stable` was asked for before, so that no record falls between. */
async function firstOffsets(
  partitions: readonly TopicPartition[],
  stable: ReadonlyMap<string, PartitionOffset>,
  { broker, groupId, starts, clock }: StartOptions,
): Promise<readonly PartitionOffset[]> {
  const found: PartitionOffset[] = []
  for (const [from, alike] of Map.groupBy(partitions, ({ topic }) => starts.get(topic)?.from ?? 'earliest')) {
    if (from === 'none') throw noOffset(groupId, alike[0] as TopicPartition, starts)
    if (from === 'latest') {
      found.push(...alike.flatMap(({ topic, partition }) => stable.get(partitionName(topic, partition)) ?? []))
    } else {
      found.push(...(await broker.offsets(alike, from === 'earliest' ? from : { since: clock() - from.agoMs })))
    }
  }
  return found
}

function byPartition<T extends TopicPartition>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [partitionName(item.topic, item.partition), item]))
}

function noOffset(
  groupId: string,
  { topic, partition }: TopicPartition,
  starts: ReadonlyMap<string, Start>,
): StreamError {
  return new StreamError(
    'NO_OFFSET',
    `the group ${groupId} has committed no offset of ${partitionName(topic, partition)}, and its source says startFrom: 'none'`,
    {
      hint: `Set one: kafka-consumer-groups.sh --reset-offsets --group ${groupId} --topic ${topic} --to-earliest --execute --bootstrap-server <broker>. Or let the source start: startFrom: 'earliest'.`,
      where: { ...starts.get(topic)?.where, topic, partition },
    },
  )
}

function gapWarning(partition: string, offset: number): string {
  return `${partition} starts at offset ${offset}: earlier records are gone (a broker deletes by record timestamp; see the topic's retention.ms)`
}
