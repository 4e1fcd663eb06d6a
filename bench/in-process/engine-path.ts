/**
 * The engine's record path without a broker: real tasks on one partition, from fetched bytes to encoded batches, each record
 * set one commit with its state written.
 */

import { join } from 'node:path'
import { type Counters, makeCounters } from '../../src/runtime/counters.ts'
import { type GlobalTable, globalTablesOf } from '../../src/runtime/global-table.ts'
import { inputsOf, type Plan, planWith } from '../../src/runtime/plan.ts'
import { stateBudget } from '../../src/runtime/state-budget.ts'
import type { Task } from '../../src/runtime/task.ts'
import { openTask } from '../../src/runtime/tasks.ts'
import type { Topology } from '../../src/topology/node.ts'
import { partitions, type Workload, type WorkloadTopics } from '../workload.ts'
import { fetched, type RecordSet, Wire } from './wire.ts'

export interface EngineInput {
  readonly topics: WorkloadTopics
  readonly input: readonly RecordSet[]
  /** Taken before anything is measured. */
  readonly table: readonly RecordSet[]
}

/** Lets the input run through once, and says what it took. */
export type Measure<T> = (run: () => Promise<void>) => Promise<T>

/**
 * @param dir of the state; null keeps it in memory.
 * @returns what was measured over the input.
 */
export async function enginePath<T>(
  workload: Workload,
  { topics, input, table }: EngineInput,
  dir: string | null,
  measure: Measure<T>,
): Promise<T> {
  const each = (sets: readonly RecordSet[]) => sets.map((set) => [set])
  const given = { before: each(table), measured: each(input) }
  return recordPath(workload.topology, Object.values(topics), given, dir, measure)
}

/** What arrives between one commit and the next, in each element. */
export interface PathInput {
  /** Taken before anything is measured. */
  readonly before: readonly (readonly RecordSet[])[]
  readonly measured: readonly (readonly RecordSet[])[]
}

/**
 * A topology over topics of one partition each.
 * @param dir of the state; null keeps it in memory.
 * @returns what was measured over the input.
 */
export async function recordPath<T>(
  topology: Topology,
  topics: readonly string[],
  { before, measured }: PathInput,
  dir: string | null,
  measure: Measure<T>,
): Promise<T> {
  const plan = planWith(topology, 'bench', new Map(topics.map((topic) => [topic, 1])))
  const wire = new Wire()
  const all = [...before, ...measured].flat()
  const ends = new Map(all.map(({ topic, offset, count }) => [topic, offset + count]))
  const counters = makeCounters(topology)
  const globals = globalTablesOf(topology, counters)
  const isGlobal = ({ topic }: RecordSet) => globalTopics.has(topic)
  const globalTopics = new Set([...globals.values()].map(({ node }) => node.topic))
  for (const set of before.flat()) {
    for (const table of globals.values()) if (table.node.topic === set.topic) await table.apply(fetched(set, set.count))
  }
  const tasks = await openTasks(plan, wire, ends, dir, counters, globals)
  const given = new Map(tasks.map((task) => [task, 0]))
  for (const sets of before)
    await cycle(
      given,
      wire,
      sets.filter((set) => !isGlobal(set)),
      ends,
    )
  const result = await measure(async () => {
    for (const sets of measured) await cycle(given, wire, sets, ends)
  })
  for (const [{ name, stores, records }, count] of given) {
    await stores.close()
    if (records !== count) throw new Error(`task ${name} took ${records} of ${count} records`)
  }
  return result
}

export async function cpuSeconds(run: () => Promise<void>): Promise<number> {
  const started = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1e6
}

async function openTasks(
  plan: Plan,
  wire: Wire,
  ends: ReadonlyMap<string, number>,
  dir: string | null,
  counters: Counters,
  globalTables: ReadonlyMap<string, GlobalTable>,
) {
  // As much of the memory as a task of a run has.
  const budget = stateBudget({
    tasks: partitions * plan.subTopologies.length,
    storesPerTask: 1,
    totalBytes: 256 << 20,
    flushIntervalMs: 1000,
  })
  const tasks: Task[] = []
  for (const id of plan.tasks) {
    const task = await openTask(id, {
      plan,
      counters,
      globalTables,
      budget,
      output: (topic) => wire.output(topic),
      taskDir: (name) => (dir === null ? null : join(dir, name)),
      warn: () => undefined,
    })
    task.seek(
      inputsOf(plan, id).map((place) => ({
        ...place,
        offset: 0,
        metadata: '',
        stableEnd: ends.get(place.topic) ?? 0,
        committed: false,
      })),
    )
    tasks.push(task)
  }
  return tasks
}

/**
 * Record sets through the tasks, those before a repartition topic first.
 * @param given how many records each task was given so far; gets those of this cycle added.
 */
async function cycle(
  given: Map<Task, number>,
  wire: Wire,
  sets: readonly RecordSet[],
  ends: ReadonlyMap<string, number>,
) {
  const tasks = [...given.keys()]
  let waiting = sets
  const reads = (task: Task, topic: string) => task.inputs.some((input) => input.topic === topic)
  while (waiting.length > 0) {
    const unread = waiting.find((set) => !tasks.some((task) => reads(task, set.topic)))
    if (unread !== undefined) throw new Error(`no task reads ${unread.topic}`)
    for (const task of tasks) {
      for (const set of waiting) {
        if (!reads(task, set.topic)) continue
        task.enqueue(fetched(set, ends.get(set.topic) ?? set.offset + set.count))
        given.set(task, (given.get(task) as number) + set.count)
      }
      task.run(Number.POSITIVE_INFINITY, () => 0)
    }
    const commits = tasks.map((task) => ({ task, positions: task.positions(), streamTimes: task.stores.seal() }))
    waiting = wire.send((topic) => tasks.some((task) => reads(task, topic)))
    for (const { task, positions, streamTimes } of commits) {
      await task.stores.settle(streamTimes, new Map(), positions)
      task.committed(positions)
    }
  }
}
