/** A running topology: plan, state directory, producer and worker put together, and taken apart in order. */

import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { TopicPartition } from '../common/record.ts'
import { systemClock } from '../common/time.ts'
import { openStateDirectory, type StateDirectory } from '../state/directory.ts'
import type { Topology } from '../topology/node.ts'
import type { AppOptions, StreamsApp } from './app-options.ts'
import { assignTasks } from './assignor.ts'
import { caughtUp } from './caught-up.ts'
import { makeCounters } from './counters.ts'
import type { MembershipEvents } from './membership.ts'
import { inputsOf, makePlan, type Plan } from './plan.ts'
import { processId } from './process-id.ts'
import { snapshotOf } from './report.ts'
import { openSerdes } from './serdes.ts'
import { stateBudget } from './state-budget.ts'
import type { Task } from './task.ts'
import { taskName } from './task-id.ts'
import { openTask } from './tasks.ts'
import { Worker } from './worker.ts'

const caughtUpLookMs = 100

/**
 * Runs a topology against a broker. Resolves when the plan stands, internal topics exist and the group is being joined;
 * the broker stays the caller's to close, after `ended`.
 * @throws StreamError TOPIC_MISSING, NOT_COPARTITIONED, LOCKED, UNREACHABLE, UNAUTHORIZED, INVALID_ARGUMENT.
 */
export async function startApp(topology: Topology, options: AppOptions): Promise<StreamsApp> {
  const { broker } = options
  const appId = options.appId ?? topology.name
  const clock = options.clock ?? systemClock
  const log = options.log ?? (() => undefined)
  const startedAt = clock()
  const plan = await makePlan(topology, appId, broker)
  await openSerdes(topology)
  const directory = await stateDirectory(options, appId)
  const closeDirectory = () => directory?.close() ?? Promise.resolve()
  try {
    const identity = directory === null ? randomUUID() : await processId(directory.path)
    const producer = await broker.transactionalProducer({
      transactionalId: `${appId}-${identity}`,
      timeoutMs: options.transactionTimeoutMs ?? 10_000,
    })
    const counters = makeCounters(topology)
    const open: OpenTasks = { current: [] }
    const storesPerTask = Math.max(1, ...plan.subTopologies.map((sub) => sub.stores.length))
    const worker = new Worker({
      broker,
      producer,
      groupId: appId,
      commitIntervalMs: options.commitIntervalMs ?? 100,
      maxUncommittedBytes: options.maxUncommittedBytes ?? 64 << 20,
      repartitionTopics: plan.repartitionTopics,
      from: options.from ?? 'earliest',
      log,
      join: (events) => join(plan, { ...options, instanceId: options.instanceId ?? identity }, open, events),
      assignTasks: async (partitions, running) => {
        const budget = stateBudget(plan.tasks.length, storesPerTask)
        const taskDir = (task: string) => directory?.taskDir(task) ?? null
        const parts = {
          plan,
          counters,
          budget,
          taskDir,
          output: (topic: string) => producer.output(topic),
          warn: (message: string) => log('warn', message),
        }
        const tasks = await reassign(plan, partitions, running, (id) => openTask(id, parts))
        open.current = [...tasks.keys()]
        return tasks
      },
    })
    const stopped = worker.run()
    const ended = stopped.finally(closeDirectory)
    ended.catch(() => undefined)
    return {
      ended,
      snapshot: () =>
        snapshotOf({
          plan,
          counters,
          worker,
          brokerAddress: broker.address,
          startedAt,
          at: clock(),
          state: worker.state,
        }),
      caughtUp: () =>
        Promise.race([caughtUp(plan, { broker, groupId: appId, pause: () => setTimeout(caughtUpLookMs) }), ended]),
      stop: () => {
        worker.stop()
        return ended
      },
    }
  } catch (error) {
    await closeDirectory()
    throw error
  }
}

/** Names of the tasks whose state this process holds; told to the leader at each join. */
interface OpenTasks {
  current: readonly string[]
}

function stateDirectory(options: AppOptions, appId: string): Promise<StateDirectory> | null {
  if (options.stateDir === null) return null
  return openStateDirectory({ stateDir: options.stateDir ?? '.streamctl/state', appId })
}

/**
 * A static member (KIP-345): restarted on the same state directory within the session timeout it gets its tasks back at
 * once, where a dynamic member would wait for its dead predecessor to time out. A clean stop leaves.
 */
function join(
  plan: Plan,
  options: AppOptions & { readonly instanceId: string },
  open: OpenTasks,
  events: MembershipEvents,
) {
  const partitionsOf = new Map(plan.tasks.map((id) => [taskName(id), inputsOf(plan, id)]))
  return options.broker.join({
    groupId: plan.appId,
    topics: [...plan.externalSources, ...plan.repartitionTopics],
    instanceId: options.instanceId,
    leaveOnClose: true,
    ...(options.sessionTimeoutMs !== undefined && { sessionTimeoutMs: options.sessionTimeoutMs }),
    userData: () => Buffer.from(JSON.stringify({ version: 1, tasks: open.current })),
    assign: (members) => {
      const assigned = assignTasks(
        members.map(({ memberId, userData }) => ({ memberId, owned: ownedTasks(userData) })),
        [...partitionsOf.keys()],
      )
      return new Map(
        [...assigned].map(([member, tasks]) => [member, tasks.flatMap((task) => partitionsOf.get(task) ?? [])]),
      )
    },
    onRevoke: () => events.post({ kind: 'revoke' }),
    onAssign: (partitions, metadata) => events.post({ kind: 'assign', partitions, metadata }),
    onLost: () => events.post({ kind: 'lost' }),
    onError: (error) => void events.post({ kind: 'error', error }),
  })
}

/** A member of another version tells nothing that counts: it then owns nothing. */
function ownedTasks(userData: Buffer): readonly string[] {
  try {
    const { version, tasks } = JSON.parse(userData.toString('utf8')) as { version?: unknown; tasks?: unknown }
    return version === 1 && Array.isArray(tasks) ? tasks.filter((task) => typeof task === 'string') : []
  } catch {
    return []
  }
}

/** The tasks whose inputs are all in `partitions`: those open already, and new ones. Others are closed. */
async function reassign(
  plan: Plan,
  partitions: readonly TopicPartition[],
  running: ReadonlyMap<string, Task>,
  openNew: (id: Plan['tasks'][number]) => Promise<Task>,
): Promise<ReadonlyMap<string, Task>> {
  const assigned = new Set(partitions.map(({ topic, partition }) => `${partition} ${topic}`))
  const wanted = plan.tasks.filter((id) =>
    inputsOf(plan, id).every(({ topic, partition }) => assigned.has(`${partition} ${topic}`)),
  )
  const names = new Set(wanted.map(taskName))
  for (const [name, task] of running) {
    if (names.has(name)) continue
    task.state = 'closed'
    await task.stores.close()
  }
  const tasks = new Map<string, Task>()
  for (const id of wanted) tasks.set(taskName(id), running.get(taskName(id)) ?? (await openNew(id)))
  return tasks
}
