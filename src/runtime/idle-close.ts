/**
 * Closes windows by the wall clock where that cannot split one: a task's inputs have brought nothing for a while, all that the broker has of them
 * was processed, and so was all that can still become input of it, in sub-topologies before it. The stream time that results is committed beside the
 * positions as any other, so that whatever comes later is judged by it, now and after a restart.
 */

import type { Broker } from '../broker/port.ts'
import { messageOf } from '../common/errors.ts'
import { partitionName, partitionsOf, type TopicPartition } from '../common/record.ts'
import type { Clock } from '../common/time.ts'
import type { NodeId } from '../topology/node.ts'
import { type Plan, topicOfNode } from './plan.ts'
import type { Task } from './task.ts'

export interface IdleCloseOptions {
  readonly plan: Plan
  readonly broker: Broker
  readonly groupId: string
  /** How long inputs have to be quiet, ms by the clock. */
  readonly idleMs: number
  readonly clock: Clock
  readonly log: (level: 'info' | 'warn', message: string) => void
}

/** A task whose inputs were found at their end. */
interface Idle {
  readonly task: Task
  readonly quietSince: number
  /** By partitionName. */
  readonly ends: ReadonlyMap<string, number>
}

export class IdleClose {
  readonly #options: IdleCloseOptions
  readonly #lookMs: number
  #lookAt = 0
  #running: Promise<void> | undefined
  #idle: readonly Idle[] = []

  constructor(options: IdleCloseOptions) {
    this.#options = options
    this.#lookMs = Math.min(1000, Math.ceil(options.idleMs / 4))
  }

  /** Between two turns of the worker: closes what a look has found idle and is so still, and starts the next look. */
  whenDue(tasks: readonly Task[]): void {
    for (const { task, quietSince, ends } of this.#idle) {
      if (task.state !== 'running' || task.quietSince !== quietSince || !task.isAt(ends)) continue
      if (task.closeIdle())
        this.#options.log('info', `task ${task.name}: its inputs are idle, open windows were closed`)
    }
    this.#idle = []
    const now = this.#options.clock()
    if (now < this.#lookAt || this.#running !== undefined) return
    this.#lookAt = now + this.#lookMs
    const due = tasks.filter((task) => task.state === 'running' && task.idleDueAt(this.#options.idleMs) <= now)
    if (due.length === 0) return
    this.#running = this.#look(due)
      .catch((error: unknown) => this.#options.log('warn', `idle inputs were not looked at: ${messageOf(error)}`))
      .finally(() => {
        this.#running = undefined
      })
  }

  /** Resolves when no look is under way; what it found is forgotten. */
  async finished(): Promise<void> {
    await this.#running
    this.#idle = []
  }

  async #look(tasks: readonly Task[]): Promise<void> {
    const quiet = tasks.map((task) => ({ task, quietSince: task.quietSince }))
    const fed = new Map<number, boolean>()
    for (const { id } of tasks) {
      if (!fed.has(id.subTopology)) fed.set(id.subTopology, await this.#hasAll(id.subTopology))
    }
    const idle = quiet.filter(({ task }) => fed.get(task.id.subTopology))
    // After what comes before: what that has committed is in these topics by now.
    const found = await this.#options.broker.offsets(
      idle.flatMap(({ task }) => task.inputs),
      'end',
    )
    const ends = new Map(found.map(({ topic, partition, offset }) => [partitionName(topic, partition), offset]))
    this.#idle = idle.map((one) => ({ ...one, ends }))
  }

  /** Whether the sub-topologies before this one have processed and committed all that there is, the first ones first. */
  async #hasAll(subTopology: number): Promise<boolean> {
    for (const inputs of inputsBefore(this.#options.plan, subTopology)) {
      if (!(await this.#isCommitted(inputs))) return false
    }
    return true
  }

  async #isCommitted(partitions: readonly TopicPartition[]): Promise<boolean> {
    const { broker, groupId } = this.#options
    const ends = await broker.offsets(partitions, 'end')
    const starts = await broker.offsets(partitions, 'earliest')
    const committed = new Map(
      (await broker.committed(groupId, partitions)).map((one) => [partitionName(one.topic, one.partition), one.offset]),
    )
    return ends.every(({ topic, partition, offset }, at) => {
      const reached = committed.get(partitionName(topic, partition)) ?? starts[at]?.offset ?? 0
      return reached >= offset
    })
  }
}

/** What the sub-topologies read whose records can reach this one, a list for each, in the order of their way. */
export function inputsBefore(plan: Plan, subTopology: number): readonly (readonly TopicPartition[])[] {
  const levels: (readonly TopicPartition[])[] = []
  const seen = new Set([subTopology])
  const visit = (id: number): void => {
    const { sources } = plan.subTopologies[id] as Plan['subTopologies'][number]
    for (const { id: writer, sinks, sources: inputs } of plan.subTopologies) {
      if (seen.has(writer) || !sinks.some((sink) => sources.includes(sink))) continue
      seen.add(writer)
      visit(writer)
      levels.push(inputs.flatMap((node) => allPartitions(plan, node)))
    }
  }
  visit(subTopology)
  return levels
}

function allPartitions(plan: Plan, node: NodeId): readonly TopicPartition[] {
  const topic = topicOfNode(plan.appId, plan.topology.nodes[node] as Plan['topology']['nodes'][number]) as string
  return partitionsOf(topic, plan.partitions.get(topic) as number)
}
