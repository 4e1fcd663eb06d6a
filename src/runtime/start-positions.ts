/** Where the inputs of tasks are to be read from: what the group has committed, else the reset position. */

import type { Broker } from '../broker/port.ts'
import { partitionName, type TopicPartition } from '../common/record.ts'
import type { StartPosition, Task } from './task.ts'

export interface StartOptions {
  readonly broker: Broker
  readonly groupId: string
  /** Where a partition of the user's starts that has no committed offset. */
  readonly from: 'earliest' | 'latest'
  /** Always read from their start: what is in them is work under way. */
  readonly repartitionTopics: readonly string[]
  readonly log: (level: 'warn', message: string) => void
}

export type StartPositions = ReadonlyMap<Task, readonly StartPosition[]>

/**
 * Positions of every input of the tasks. The committed offsets are stable ones: a former owner's open transaction is waited
 * out, so that what it had under way is in both the offsets and the changelogs, or in neither.
 */
export async function startPositions(tasks: readonly Task[], options: StartOptions): Promise<StartPositions> {
  const { broker, groupId, from, repartitionTopics, log } = options
  const inputs = tasks.flatMap((task) => task.inputs)
  const committed = byPartition(await broker.committed(groupId, inputs))
  const stable = byPartition(await broker.offsets(inputs, 'stable'))
  const earliest = byPartition(await broker.offsets(inputs, 'earliest'))
  const start = (input: TopicPartition): StartPosition => {
    const name = partitionName(input.topic, input.partition)
    const stableEnd = stable.get(name)?.offset ?? 0
    const found = committed.get(name)
    if (found !== undefined)
      return { ...input, offset: found.offset, metadata: found.metadata, stableEnd, committed: true }
    const fromEnd = from === 'latest' && !repartitionTopics.includes(input.topic)
    const offset = fromEnd ? stableEnd : (earliest.get(name)?.offset ?? 0)
    if (!fromEnd && offset > 0) log('warn', gapWarning(name, offset))
    return { ...input, offset, metadata: '', stableEnd, committed: false }
  }
  return new Map(tasks.map((task) => [task, task.inputs.map(start)]))
}

function byPartition<T extends TopicPartition>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [partitionName(item.topic, item.partition), item]))
}

function gapWarning(partition: string, offset: number): string {
  return `${partition} starts at offset ${offset}: earlier records are gone (a broker deletes by record timestamp; see the topic's retention.ms)`
}
