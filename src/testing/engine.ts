/**
 * The engine of a test: the real tasks on topics in memory, one step after another in the one thread. A failure ends it, as it ends an
 * application, until it crashes and begins anew with what was committed.
 */

import { join } from 'node:path'
import type { FetchedPartition } from '../broker/port.ts'
import { StreamError } from '../common/errors.ts'
import { type ConsumerRecord, partitionName } from '../common/record.ts'
import { type Counters, makeCounters } from '../runtime/counters.ts'
import { gather, gathering } from '../runtime/gathering.ts'
import { type GlobalTable, globalTablesOf } from '../runtime/global-table.ts'
import type { Here } from '../runtime/queries.ts'
import { openSerdes } from '../runtime/serdes.ts'
import type { StateBudget } from '../runtime/state-budget.ts'
import type { StartPosition, Task } from '../runtime/task.ts'
import { type TaskId, taskName } from '../runtime/task-id.ts'
import { openTask } from '../runtime/tasks.ts'
import { TestLog } from './log.ts'
import { checkAdvance, closed, type TestDriverOptions } from './options.ts'
import type { TestTopics } from './topics.ts'
import { Transactions } from './transactions.ts'

/** In memory every read goes through the serde; on disk rows follow as in an application, at some distance. */
const inMemory: StateBudget = {
  writeBufferBytes: 0,
  blockCacheBytes: 0,
  flush: { bytes: 0, rows: 0, intervalMs: 0 },
  cache: { cacheRows: 0 },
}
const onDisk: StateBudget = {
  writeBufferBytes: 1 << 16,
  blockCacheBytes: 1 << 16,
  flush: { bytes: 1 << 12, rows: 16, intervalMs: Number.POSITIVE_INFINITY },
  cache: { cacheRows: 16 },
}

export type EngineOptions = Pick<TestDriverOptions, 'startMs' | 'commit' | 'stateDir'>

export class TestEngine {
  readonly #topics: TestTopics
  readonly #isManual: boolean
  readonly #stateDir: string | undefined
  readonly #globals: ReadonlyMap<string, GlobalTable>
  #counters: Counters
  #tasks: readonly Task[] = []
  readonly #owners = new Map<string, Task>()
  readonly #log = new TestLog()
  readonly #transactions: Transactions
  #now: number
  /** Sends that are not done. */
  readonly #underWay = new Set<Promise<void>>()
  #meeting: Promise<void> = Promise.resolve()
  /** Sends that wait for calls. */
  #waiting: (() => void)[] = []
  #committing: Promise<void> = Promise.resolve()
  /** Why the open transaction must not be committed. */
  #failure: { readonly error: unknown } | undefined
  #isClosed = false

  /** @param written takes what is committed to topics of the user's. */
  constructor(
    topics: TestTopics,
    { startMs = 0, commit = 'each-send', stateDir }: EngineOptions,
    written: (topic: string, partition: number, record: ConsumerRecord) => void,
  ) {
    const { plan } = topics
    this.#topics = topics
    this.#now = startMs
    this.#isManual = commit === 'manual'
    this.#stateDir = stateDir
    this.#counters = makeCounters(plan.topology)
    this.#globals = globalTablesOf(plan.topology, this.#counters)
    // Nothing was in their topics before.
    for (const { rows } of this.#globals.values()) rows.swap()
    this.#transactions = new Transactions({
      plan: () => topics.plan,
      log: this.#log,
      crossAtOnce: !this.#isManual,
      deliver: (topic, partition, record) => this.#deliver(topic, partition, record),
      written,
    })
  }

  /** What queries are answered from, whichever tasks there are just now. */
  get here(): Here {
    const engine = this
    return {
      get plan() {
        return engine.#topics.plan
      },
      get tasks() {
        return engine.#tasks
      },
      globalTables: engine.#globals,
    }
  }

  /** The virtual wall clock, ms since the epoch. */
  get now(): number {
    return this.#now
  }

  get tasks(): readonly Task[] {
    return this.#tasks
  }

  /** Called once, before anything else. */
  async open(): Promise<void> {
    const { plan, serdes, patterns } = this.#topics
    await openSerdes(plan.topology, false)
    // The driver writes to sources itself.
    for (const { key, value } of [...serdes.values(), ...patterns]) {
      await key.open?.()
      await value.open?.()
    }
    this.#tasks = await Promise.all(plan.tasks.map((id) => this.#open(id)))
  }

  /** A topic may match a pattern and not have been there before: as in an application, the tasks are committed and start anew with it then. */
  async meet(topic: string): Promise<void> {
    this.#checkOpen()
    const met = this.#meeting.then(() => this.#take(topic))
    this.#meeting = met.catch(() => undefined)
    await met
  }

  async #take(topic: string): Promise<void> {
    if (!this.#topics.meet(topic)) return
    await Promise.allSettled(this.#underWay)
    this.#counters = makeCounters(this.#topics.plan.topology)
    await this.restart()
  }

  /** Opens a task with what was committed of it, which at first is nothing. */
  async #open(id: TaskId): Promise<Task> {
    const { plan } = this.#topics
    const name = taskName(id)
    const dir = this.#stateDir
    const task = await openTask(id, {
      plan,
      counters: this.#counters,
      globalTables: this.#globals,
      output: (topic) => this.#transactions.output(name, topic),
      taskDir: (task) => (dir === undefined ? null : join(dir, task)),
      budget: dir === undefined ? inMemory : onDisk,
      warn: () => undefined,
      clock: () => this.#now,
      maxIdleMs: this.#isManual ? plan.topology.maxTaskIdleMs : undefined,
    })
    for (const { store, topic, kind } of task.stores.changelogs()) {
      if (kind === 'source') continue
      const end = this.#log.endOf(topic, id.partition)
      if (end === 0) continue
      const from = task.stores.checkpointOf(store) ?? 0
      await task.stores.applyChangelog(store, this.#log.rows(topic, id.partition, from), end)
    }
    const starts = task.inputs.map((input) => this.#transactions.startOf(input))
    for (const start of starts) await this.#restoreSource(task, start)
    task.seek(starts)
    await task.stores.load()
    task.state = 'running'
    task.onReady(() => this.#goOn())
    for (const { topic, partition } of task.inputs) this.#owners.set(partitionName(topic, partition), task)
    return task
  }

  /** A table whose topic is its changelog: from there, up to where it was processed. */
  async #restoreSource(task: Task, { topic, partition, offset }: StartPosition): Promise<void> {
    const changelog = task.stores
      .changelogs()
      .find((changelog) => changelog.kind === 'source' && changelog.topic === topic)
    if (changelog === undefined || offset === 0) return
    const from = task.stores.checkpointOf(changelog.store) ?? 0
    const records = this.#log.from(topic, partition, from).filter((record) => record.offset < offset)
    const rows = gathering()
    gather(rows, records.length === 0 ? [] : await task.rowsOf(batchOf(topic, partition, records)))
    await task.stores.applyChangelog(changelog.store, rows.gathered.values(), offset)
  }

  /** Takes a record from outside and runs what follows from it. @throws what the topology fails with, now or before. */
  async send(topic: string, partition: number, record: ConsumerRecord): Promise<void> {
    this.#checkFailure()
    const sent = this.#deliver(topic, partition, record).then(() => this.#settle())
    this.#underWay.add(sent)
    await sent.finally(() => this.#underWay.delete(sent))
  }

  /** Moves the clock on. @throws StreamError INVALID_ARGUMENT for a time that is none; what a punctuation fails with. */
  async advance(ms: number): Promise<void> {
    this.#checkOpen()
    checkAdvance(ms)
    this.#checkFailure()
    const until = this.#now + ms
    await this.#closeIdle(until)
    this.#now = until
    for (const task of this.#tasks) if (task.nextWallClock <= this.#now) task.punctuateWallClock()
    await this.#settle()
  }

  /** Step by step: what one task passes on is news to the next, whose inputs are quiet from then. */
  async #closeIdle(until: number): Promise<void> {
    const { idleCloseMs } = this.#topics.plan.topology
    if (idleCloseMs === undefined) return
    const dueAt = () => Math.min(...this.#tasks.map((task) => task.idleDueAt(idleCloseMs)))
    for (let at = dueAt(); at <= until; at = dueAt()) {
      this.#now = Math.max(this.#now, at)
      for (const task of this.#tasks) if (task.idleDueAt(idleCloseMs) <= at) task.closeIdle()
      await this.#settle()
    }
  }

  /** Commits what a task has processed, or all of them in one transaction. @throws StreamError INVALID_ARGUMENT for a task that is none. */
  async commit(task?: string): Promise<void> {
    this.#checkOpen()
    this.#checkFailure()
    await this.#commitNow(this.#named(task))
    await this.#settle()
  }

  /** Ends a task, or all of them, as a process that is killed, and opens them anew. @throws StreamError INVALID_ARGUMENT for a task that is none. */
  async crash(task?: string): Promise<void> {
    this.#checkOpen()
    const named = this.#named(task)
    // What a commit failed with, its send has thrown.
    await this.#committing.catch(() => undefined)
    this.#committing = Promise.resolve()
    this.#failure = undefined
    const dead = new Set(this.#isManual || !this.#transactions.areOpen ? named : this.#tasks)
    const names = new Set([...dead].map(({ name }) => name))
    this.#transactions.abort(names)
    await Promise.all([...dead].map(({ stores }) => stores.close()))
    const alive = new Map(this.#tasks.filter((task) => !dead.has(task)).map((task) => [task.name, task]))
    this.#tasks = await Promise.all(
      this.#topics.plan.tasks.map(async (id) => alive.get(taskName(id)) ?? this.#open(id)),
    )
    this.#goOn()
    for (const task of this.#tasks) if (!alive.has(task.name)) await this.#readAgain(task)
    await this.#settle()
  }

  /** Ends every task after a commit, which there is not after a failure, and opens it anew. */
  async restart(): Promise<void> {
    if (this.#failure === undefined) await this.commit()
    await this.crash()
  }

  /** Closes the stores; a second call does nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.all(this.#tasks.map((task) => task.stores.close()))
  }

  /** Gives a task what its topics hold from its positions on. */
  async #readAgain(task: Task): Promise<void> {
    for (const { topic, partition, fetchPosition } of task.queues) {
      const records = this.#log.from(topic, partition, fetchPosition)
      if (records.length > 0) await this.#give(task, topic, partition, records)
    }
  }

  #named(name: string | undefined): readonly Task[] {
    if (name === undefined) return this.#tasks
    const task = this.#tasks.find((task) => task.name === name)
    if (task !== undefined) return [task]
    throw new StreamError('INVALID_ARGUMENT', `there is no task ${name}`, {
      hint: `A task is <sub-topology>_<partition>: ${this.#tasks.map((task) => task.name).join(', ')}.`,
    })
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closed()
  }

  /** Appends a record to its topic, applies it to a global table at once, and puts it into its task's queue. */
  async #deliver(topic: string, partition: number, record: ConsumerRecord): Promise<void> {
    this.#log.append(topic, partition, record)
    const task = this.#owners.get(partitionName(topic, partition))
    const waits = task === undefined ? undefined : this.#give(task, topic, partition, [record])
    for (const table of this.#globals.values()) {
      if (table.node.topic === topic) await table.apply(batchOf(topic, partition, [record]))
    }
    await waits
  }

  /** A serde that has to look something up is awaited. */
  async #give(task: Task, topic: string, partition: number, records: readonly ConsumerRecord[]): Promise<void> {
    const batch = batchOf(topic, partition, records)
    const waits = task.prepare(batch)
    // As in a worker: a timestamp is read from the record as it is enqueued. What a task passes on has its own, and is there at once.
    if (waits !== undefined && this.#topics.plan.externalSources.includes(topic)) await waits
    task.enqueue(batch)
    await waits
  }

  async #commitNow(tasks: readonly Task[]): Promise<void> {
    this.#committing = this.#committing.then(() => this.#transactions.commit(tasks))
    try {
      await this.#committing
    } catch (error) {
      this.#failure ??= { error }
      throw error
    }
  }

  /** A record was processed by half: as in an application, that ends it. */
  #checkFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Runs every task until none has anything left that it can go on with; then commits, where every send does. */
  async #settle(): Promise<void> {
    try {
      await this.#runAll()
    } catch (error) {
      this.#failure ??= { error }
      // Whoever waits for a call fails with the one that did.
      this.#goOn()
      throw error
    }
    if (!this.#isManual) await this.#commitNow(this.#tasks)
  }

  async #runAll(): Promise<void> {
    for (;;) {
      for (const task of this.#tasks) if (task.inFlight > 0) run(task)
      const buffered = () =>
        this.#tasks.filter((task) => task.isOpen && task.queues.some((queue) => queue.head !== undefined))
      // Those that wait for an input have something left.
      for (let goesOn = true; goesOn; ) {
        goesOn = false
        for (const task of buffered()) goesOn = run(task) || goesOn
      }
      if (this.#tasks.every((task) => task.inFlight === 0)) return
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #goOn(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** @returns whether it took a record. */
function run(task: Task): boolean {
  const before = task.records
  task.run(Number.POSITIVE_INFINITY, () => 0)
  return task.records > before
}

function batchOf(topic: string, partition: number, records: readonly ConsumerRecord[]): FetchedPartition {
  const end = (records.at(-1) as ConsumerRecord).offset + 1
  return { topic, partition, records, position: end, stableEnd: end, highWatermark: end }
}
