/**
 * One worker with all it needs: a producer, a place in the group, the tasks assigned to it. An application runs one in its
 * own thread, or several in threads of their own; engines of one application share nothing but the state directory.
 */

import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Broker } from '../broker/port.ts'
import type { Clock } from '../common/time.ts'
import type { AppState, Snapshot } from '../metrics/snapshot.ts'
import type { StoreSpec } from '../topology/node.ts'
import { hasOwnChangelog } from '../topology/source-changelogs.ts'
import { assignStandbys, assignTasks } from './assignor.ts'
import { makeCounters } from './counters.ts'
import { GlobalReader } from './global-reader.ts'
import { type GlobalTable, globalTablesOf } from './global-table.ts'
import { IdleClose } from './idle-close.ts'
import { readMember, readStandbys, writeMember, writeStandbys } from './member-data.ts'
import type { MembershipEvents } from './membership.ts'
import { checkPartitions, inputsOf, type Plan } from './plan.ts'
import { type OpenTasks, type ReassignParts, reassign } from './reassign.ts'
import { snapshotOf } from './report.ts'
import { startsOf } from './start-positions.ts'
import { stateBudget } from './state-budget.ts'
import type { Task } from './task.ts'
import { taskName } from './task-id.ts'
import { makeTask, openWhenFree } from './tasks.ts'
import { Worker } from './worker.ts'

export type Log = (level: 'info' | 'warn' | 'error', message: string) => void

/** Settings of an engine: plain data, so that they can be sent to another thread. */
export interface EngineSettings {
  /** Unique in the cluster, and the same after a restart on the same state. */
  readonly identity: string
  /** Directory that holds a directory per task, locked by this process; null keeps state in memory. */
  readonly statePath: string | null
  readonly commitIntervalMs: number
  readonly maxUncommittedBytes: number
  readonly stateMemoryBytes: number
  readonly flushIntervalMs: number
  readonly from: 'earliest' | 'latest'
  /** Topics that came to match a pattern since the application started: read from their first record. */
  readonly come: readonly string[]
  readonly instanceId: string
  /** As `identity`, but the same in all engines of the process. */
  readonly process: string
  /** Copies of each task's state on other processes. */
  readonly standbys: number
  readonly sessionTimeoutMs: number | null
  readonly transactionTimeoutMs: number
  /** host:port where this process answers queries of its stores, for the other members to know (Kafka Streams: application.server); null where it does not. */
  readonly applicationServer: string | null
}

export interface Engine {
  readonly state: AppState
  /** Those it has now; undefined where it runs in another thread, which keeps them to itself. */
  readonly tasks: readonly Task[] | undefined
  /** By name; undefined likewise. */
  readonly globalTables: ReadonlyMap<string, GlobalTable> | undefined
  snapshot(): Snapshot
  /** Commits what is processed and leaves; `ended` tells when. */
  stop(): void
  /** Rejects with the StreamError that stopped it. */
  readonly ended: Promise<void>
}

export interface EngineParts {
  readonly plan: Plan
  readonly broker: Broker
  readonly settings: EngineSettings
  readonly clock: Clock
  readonly log: Log
}

/** @throws StreamError UNREACHABLE, UNAUTHORIZED when the broker gives no transactional producer. */
export async function startEngine(parts: EngineParts): Promise<Engine> {
  const { plan, broker, settings, clock, log } = parts
  const { statePath } = settings
  const { idleCloseMs: idleMs } = plan.topology
  const startedAt = clock()
  const producer = await broker.transactionalProducer({
    transactionalId: `${plan.appId}-${settings.identity}`,
    timeoutMs: settings.transactionTimeoutMs,
  })
  const counters = makeCounters(plan.topology)
  const globalTables = globalTablesOf(plan.topology, counters)
  const globals = new GlobalReader({ plan, broker, tables: globalTables, log })
  const storesPerTask = Math.max(1, ...plan.subTopologies.map((sub) => sub.stores.length))
  const taskParts = {
    plan,
    counters,
    globalTables,
    budget: stateBudget({
      tasks: plan.tasks.length,
      storesPerTask,
      totalBytes: settings.stateMemoryBytes,
      flushIntervalMs: settings.flushIntervalMs,
    }),
    taskDir: (task: string) => (statePath === null ? null : join(statePath, task)),
    output: (topic: string) => producer.output(topic),
    warn: (message: string) => log('warn', message),
    clock,
    maxIdleMs: plan.topology.maxTaskIdleMs,
  }
  const reassignParts: ReassignParts = {
    plan,
    openStores: (id) => openWhenFree(id, taskParts),
    makeTask: (id, stores) => makeTask(id, stores, taskParts),
    closing: ({ id, name, stores }) => {
      const isOnDisk = plan.subTopologies[id.subTopology]?.stores.some(({ storage }) => storage === 'disk') === true
      if (statePath !== null && isOnDisk && stores.position > 0) held.left.set(name, stores.position)
    },
  }
  const held = await heldBefore(parts)
  const worker = new Worker({
    broker,
    producer,
    groupId: plan.appId,
    commitIntervalMs: settings.commitIntervalMs,
    maxUncommittedBytes: settings.maxUncommittedBytes,
    repartitionTopics: plan.repartitionTopics,
    starts: startsOf(plan, settings.from, settings.come),
    log,
    clock,
    waitsForInputs: (plan.topology.maxTaskIdleMs ?? 0) > 0,
    idleClose:
      idleMs === undefined ? undefined : new IdleClose({ plan, broker, groupId: plan.appId, idleMs, clock, log }),
    applyIntervalMs: settings.flushIntervalMs,
    join: (events) => joinGroup(parts, held, events),
    assignTasks: async ({ partitions, userData }, open) => {
      await checkPartitions(plan, broker)
      held.open = await reassign(reassignParts, partitions, readStandbys(userData), open)
      return held.open
    },
  })
  const ended = globalTables.size === 0 ? worker.run() : runWithGlobals(worker, globals)
  ended.catch(() => undefined)
  const { address } = broker
  return {
    ended,
    stop: () => {
      globals.stop()
      worker.stop()
    },
    get state() {
      return worker.state
    },
    get tasks() {
      return worker.tasks
    },
    globalTables,
    snapshot: () =>
      snapshotOf({
        plan,
        counters,
        worker,
        globalTables,
        globals,
        brokerAddress: address,
        startedAt,
        at: clock(),
        state: worker.state,
      }),
  }
}

/** Global tables are whole before a task starts, and are followed for as long as one may run; what ends one of them ends both. */
async function runWithGlobals(worker: Worker, globals: GlobalReader): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  const failed = (error: unknown): void => {
    failure = { error }
    worker.fail(error)
  }
  await globals.load().catch(failed)
  const following = failure === undefined ? globals.follow().catch(failed) : undefined
  try {
    await worker.run()
  } finally {
    globals.stop()
    await following
    await globals.close()
  }
}

/** What this engine has open, and how far it left the state of tasks that are on its disk. */
interface HeldState {
  open: OpenTasks
  readonly left: Map<string, number>
}

/** By task; all of an earlier run count as far as nothing is known of them. */
async function heldBefore({ plan, settings: { statePath } }: EngineParts): Promise<HeldState> {
  const names = statePath === null ? [] : await readdir(statePath)
  const left = new Map(statefulTasks(plan).flatMap((task) => (names.includes(task) ? [[task, 0] as const] : [])))
  return { open: { tasks: new Map(), standbys: new Map() }, left }
}

/** What was left may have been removed meanwhile, as unused. */
function positionsOf({ open, left }: HeldState, statePath: string | null): ReadonlyMap<string, number> {
  const still = [...left].filter(([task]) => statePath !== null && existsSync(join(statePath, task)))
  const here = [...open.tasks, ...open.standbys].map(([name, { stores }]) => [name, stores.position] as const)
  return new Map([...still, ...here.filter(([, position]) => position > 0)])
}

function statefulTasks(plan: Plan): readonly string[] {
  return tasksWith(plan, () => true)
}

/** Those that a standby can follow: what is processed of a topic of the user's is not told there. */
function copiedTasks(plan: Plan): readonly string[] {
  return tasksWith(plan, hasOwnChangelog)
}

function tasksWith({ tasks, subTopologies }: Plan, isOne: (store: StoreSpec) => boolean): readonly string[] {
  return tasks.filter(({ subTopology }) => subTopologies[subTopology]?.stores.some(isOne) === true).map(taskName)
}

/**
 * A static member (KIP-345): restarted on the same state directory within the session timeout it gets its tasks back at
 * once, where a dynamic member would wait for its dead predecessor to time out. A clean stop leaves.
 */
function joinGroup({ plan, broker, settings }: EngineParts, held: HeldState, events: MembershipEvents) {
  const partitionsOf = new Map(plan.tasks.map((id) => [taskName(id), inputsOf(plan, id)]))
  return broker.join({
    groupId: plan.appId,
    topics: [...plan.externalSources, ...plan.repartitionTopics],
    instanceId: settings.instanceId,
    leaveOnClose: true,
    ...(settings.sessionTimeoutMs !== null && { sessionTimeoutMs: settings.sessionTimeoutMs }),
    userData: () =>
      writeMember({
        tasks: [...held.open.tasks.keys()],
        applicationServer: settings.applicationServer,
        process: settings.process,
        held: positionsOf(held, settings.statePath),
      }),
    assign: (descriptions) => {
      const members = descriptions.map(({ memberId, userData }) => {
        const { tasks: owned, process, held } = readMember(userData)
        return { memberId, owned, held, process: process ?? memberId }
      })
      const assigned = assignTasks(members, [...partitionsOf.keys()])
      const standbys = assignStandbys(members, assigned, copiedTasks(plan), settings.standbys)
      return new Map(
        [...assigned].map(([member, tasks]) => [
          member,
          {
            partitions: tasks.flatMap((task) => partitionsOf.get(task) ?? []),
            userData: writeStandbys(standbys.get(member) ?? []),
          },
        ]),
      )
    },
    onRevoke: () => events.post({ kind: 'revoke' }),
    onAssign: (assignment, metadata) => events.post({ kind: 'assign', assignment, metadata }),
    onLost: () => events.post({ kind: 'lost' }),
    onError: (error) => void events.post({ kind: 'error', error }),
  })
}
