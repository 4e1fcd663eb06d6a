/** Makes tasks: stores opened, sub-topology compiled against them, sources wired to the dead-letter policy. */

import { setTimeout } from 'node:timers/promises'
import type { Output } from '../broker/port.ts'
import { readerOf } from '../common/bytes.ts'
import { StreamError } from '../common/errors.ts'
import { type Clock, systemClock } from '../common/time.ts'
import { Calls } from '../operators/calls.ts'
import type { CloseIdle } from '../operators/idle.ts'
import { noCurrentRecord } from '../operators/processor.ts'
import { changelogTopic } from '../topology/names.ts'
import type { NodeId, SourceLocation, SubTopology, Topology, TopologyNode } from '../topology/node.ts'
import { type CompiledSource, compile } from './compile/compile.ts'
import { type Counters, drop } from './counters.ts'
import { deadLetterHeaders } from './dead-letter.ts'
import { type GlobalTable, globalView } from './global-table.ts'
import { inputsOf, type Plan } from './plan.ts'
import { Punctuations } from './punctuations.ts'
import type { SourceProcessor } from './source.ts'
import type { StateBudget } from './state-budget.ts'
import { Task } from './task.ts'
import { type TaskId, taskName } from './task-id.ts'
import { TaskStores } from './task-stores.ts'
import { Timestamps } from './timestamps.ts'

export interface TaskParts {
  readonly plan: Plan
  readonly counters: Counters
  /** Of the engine; default none. */
  readonly globalTables?: ReadonlyMap<string, GlobalTable>
  readonly output: (topic: string) => Output
  /** Directory of a task's state; null keeps it in memory. */
  readonly taskDir: (task: string) => string | null
  readonly budget: StateBudget
  readonly warn: (message: string) => void
  /** For punctuations; default the system's. */
  readonly clock?: Clock
  /** How long an input at its end is waited for; default 0. */
  readonly maxIdleMs?: number | undefined
}

/** @throws StreamError LOCKED, INVALID_ARGUMENT, INVALID_TOPOLOGY as `TaskStores.open`. */
export async function openTask(id: TaskId, parts: TaskParts): Promise<Task> {
  return makeTask(id, await openStores(id, parts), parts)
}

/** The state of a task, alone. @throws StreamError as `openTask`. */
export function openStores(id: TaskId, { plan, taskDir, output, budget, warn }: TaskParts): Promise<TaskStores> {
  const name = taskName(id)
  return TaskStores.open({
    appId: plan.appId,
    taskId: name,
    partition: id.partition,
    dir: taskDir(name),
    specs: (plan.subTopologies[id.subTopology] as SubTopology).stores,
    changelogTopic: (store) => changelogTopic(plan.appId, store),
    output,
    budget,
    warn,
  })
}

/** A task on its stores. */
export function makeTask(id: TaskId, stores: TaskStores, parts: TaskParts): Task {
  const { plan, counters, output } = parts
  const sub = plan.subTopologies[id.subTopology] as SubTopology
  const name = taskName(id)
  const current = noCurrentRecord()
  const punctuations = new Punctuations()
  const calls = new Calls()
  const closers: (readonly [node: NodeId, close: CloseIdle])[] = []
  const clock = parts.clock ?? systemClock
  const compiled = compile(plan.topology, sub, {
    current,
    schedule: punctuations.schedule,
    calls,
    onIdle: plan.topology.idleCloseMs === undefined ? undefined : (node, close) => closers.push([node, close]),
    streamTime: () => task.streamTime,
    clock,
    task: name,
    appId: plan.appId,
    partition: id.partition,
    counters,
    output,
    globalTable: globalView(parts.globalTables ?? new Map()),
    store: (store) => stores.get(store),
    partitions: (topic) => plan.partitions.get(topic) as number,
  })
  const sources = new Map(compiled.map((source) => [source.topic, sourceProcessor(source, name, parts)]))
  const task = new Task(id, inputsOf(plan, id), sources, {
    stores,
    current,
    punctuations,
    calls,
    // Nodes come after what feeds them.
    closers: closers.sort(([a], [b]) => a - b).map(([, close]) => close),
    clock,
    maxIdleMs: parts.maxIdleMs,
    places: placesOf(plan.topology, sub),
  })
  return task
}

const lookMs = 50
const patienceMs = 30_000

/**
 * As `openStores`, when nobody else has them: engines share a state directory, and when a task moves from one to another, the old one may still be
 * closing it; or what was long unused is just being removed. What another process holds is locked as a whole before any task is opened.
 */
export async function openWhenFree(id: TaskId, parts: TaskParts): Promise<TaskStores> {
  for (let waited = 0; ; waited += lookMs) {
    try {
      return await openStores(id, parts)
    } catch (error) {
      if (!(error instanceof StreamError && error.code === 'LOCKED') || waited >= patienceMs) throw error
      await setTimeout(lookMs)
    }
  }
}

function placesOf(topology: Topology, sub: SubTopology): ReadonlyMap<string, SourceLocation> {
  const nodes = sub.nodes.map((node) => topology.nodes[node] as TopologyNode)
  return new Map(nodes.flatMap(({ name, where }) => (where === undefined ? [] : [[name, where]])))
}

function sourceProcessor(source: CompiledSource, task: string, parts: TaskParts): SourceProcessor {
  const { node, key, value, process } = source
  return {
    node: node.name,
    key,
    value,
    readKey: readerOf(key),
    readValue: readerOf(value),
    process,
    received: parts.counters.nodes[node.id] ?? { count: 0 },
    refuse: refusal(source, task, parts),
    timestamps:
      node.kind === 'source'
        ? Timestamps.of({
            node,
            readKey: readerOf(key),
            readValue: readerOf(node.value),
            clock: parts.clock ?? systemClock,
          })
        : undefined,
    skipped: () => drop(parts.counters, 'invalid-timestamp'),
  }
}

/** Our own repartition records must read; a topic of the user's has its policy. */
function refusal(source: CompiledSource, task: string, parts: TaskParts): SourceProcessor['refuse'] {
  const { node, topic } = source
  if (node.kind !== 'source' || node.onDeserializationError.policy === 'fail') return () => false
  const deadLetters = node.onDeserializationError.topic
  const output = parts.output(deadLetters)
  const partitions = parts.plan.partitions.get(deadLetters) as number
  const origin = { app: parts.plan.appId, node: node.name, task }
  return (record, partition, error) => {
    const headers = deadLetterHeaders(record, { topic, partition }, error, origin)
    output.append(partition % partitions, record.key, record.value, record.timestamp, headers)
    parts.counters.deadLetters.count++
    return true
  }
}
