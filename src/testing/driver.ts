/**
 * Runs a topology inside a test: the real compiler and the real tasks, on topics in memory, with a clock that only the test moves and
 * no broker. Each record is processed to the end, through every repartition, before `send` resolves; or, where the test commits,
 * up to the topics that a transaction has to open first.
 */

import { join } from 'node:path'
import type { FetchedPartition } from '../broker/port.ts'
import { StreamError } from '../common/errors.ts'
import { partitionOf } from '../common/partitioner.ts'
import {
  type ConsumerRecord,
  consumerRecord,
  type Header,
  type Headers,
  noHeaders,
  partitionName,
} from '../common/record.ts'
import { type Counters, makeCounters } from '../runtime/counters.ts'
import { gather, gathering } from '../runtime/gathering.ts'
import { type GlobalTable, globalTablesOf } from '../runtime/global-table.ts'
import { type Here, type StoreLookup, storeLookup } from '../runtime/queries.ts'
import { openSerdes } from '../runtime/serdes.ts'
import type { StateBudget } from '../runtime/state-budget.ts'
import type { StartPosition, Task } from '../runtime/task.ts'
import { type TaskId, taskName } from '../runtime/task-id.ts'
import { openTask } from '../runtime/tasks.ts'
import type { TopicDefinition } from '../serde/topic.ts'
import type { Topology } from '../topology/node.ts'
import { withFrozenValues } from './immutable.ts'
import { TestLog } from './log.ts'
import { checkAdvance, checkOptions, closed, type TestDriverOptions } from './options.ts'
import { TestTopics } from './topics.ts'
import { Transactions } from './transactions.ts'

/** A record that the topology wrote. Dead letters come with the bytes of their key and value. */
export interface TestRecord<K = unknown, V = unknown> {
  readonly topic: string
  readonly partition: number
  readonly key: K | null
  readonly value: V | null
  readonly timestamp: number
  readonly headers: Headers
}

/** A topic as `topic(...)` declared it, or its name. */
type TopicRef<K, V> = TopicDefinition<K, V> | string

/**
 * Opens a topology for a test. Stores are read through their serdes after every record, so a value that does not survive its
 * serde shows here rather than after a restart; and values are frozen, so that a function that changes what it was given fails.
 * @throws StreamError INVALID_TOPOLOGY, NOT_COPARTITIONED; INVALID_ARGUMENT for partitions that are no number, or of a topic that the topology
 * does not have, an unknown `commit`, or a `startMs` that is no time.
 */
export async function createTestDriver(topology: Topology, options: TestDriverOptions = {}): Promise<TestDriver> {
  checkOptions(options)
  const { appId = topology.name, partitions = 1, topics = [] } = options
  const driver = new TestDriver(new TestTopics(withFrozenValues(topology), { appId, partitions, topics }), options)
  await driver.open()
  return driver
}

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

export class TestDriver {
  /**
   * A store of the topology, by its name and kind: over all partitions, as it is committed.
   * @example await driver.store<string, bigint>('totals').get('a')
   * @throws StreamError INVALID_ARGUMENT for a name that is no store's, a store of another kind, or a partition it does not have.
   */
  readonly store: StoreLookup
  readonly #topics: TestTopics
  readonly #isManual: boolean
  readonly #stateDir: string | undefined
  readonly #globals: ReadonlyMap<string, GlobalTable>
  #counters: Counters
  #tasks: readonly Task[] = []
  readonly #owners = new Map<string, Task>()
  readonly #log = new TestLog()
  readonly #transactions: Transactions
  readonly #outputs: TestRecord[] = []
  #now: number
  #keyless = 0
  /** Sends that are not done. */
  readonly #underWay = new Set<Promise<void>>()
  #meeting: Promise<void> = Promise.resolve()
  /** Sends that wait for calls. */
  #waiting: (() => void)[] = []
  #committing: Promise<void> = Promise.resolve()
  /** Why the open transaction must not be committed. */
  #failure: { readonly error: unknown } | undefined
  #isClosed = false

  constructor(topics: TestTopics, { startMs = 0, commit = 'each-send', stateDir }: TestDriverOptions) {
    const { plan } = topics
    this.#topics = topics
    this.#now = startMs
    this.#isManual = commit === 'manual'
    this.#stateDir = stateDir
    this.#counters = makeCounters(plan.topology)
    this.#globals = globalTablesOf(plan.topology, this.#counters)
    // Nothing was in their topics before.
    for (const { rows } of this.#globals.values()) rows.swap()
    this.store = storeLookup(this.#here())
    this.#transactions = new Transactions({
      plan: () => topics.plan,
      log: this.#log,
      crossAtOnce: !this.#isManual,
      deliver: (topic, partition, record) => this.#deliver(topic, partition, record),
      written: (topic, partition, { key, value, timestamp, headers }) =>
        this.#outputs.push({ topic, partition, ...this.#decoded(topic, key, value), timestamp, headers }),
    })
  }

  #here(): Here {
    const driver = this
    return {
      get plan() {
        return driver.#topics.plan
      },
      get tasks() {
        return driver.#tasks
      },
      globalTables: driver.#globals,
    }
  }

  /** The virtual wall clock, ms since the epoch. */
  get now(): number {
    return this.#now
  }

  /** Called once by `createTestDriver`. */
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
  #meet(topic: string): Promise<void> {
    const met = this.#meeting.then(() => this.#take(topic))
    this.#meeting = met.catch(() => undefined)
    return met
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
    for (const { store, topic } of task.stores.changelogs()) {
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
    const changelog = task.stores.sourceChangelogs().find((changelog) => changelog.topic === topic)
    if (changelog === undefined || offset === 0) return
    const from = task.stores.checkpointOf(changelog.store) ?? 0
    const records = this.#log.from(topic, partition, from).filter((record) => record.offset < offset)
    const rows = gathering()
    gather(rows, records.length === 0 ? [] : await task.rowsOf(batchOf(topic, partition, records)))
    await task.stores.applyChangelog(changelog.store, rows.gathered.values(), offset)
  }

  /**
   * Writes one record and processes what follows from it; resolves when the calls of `mapAsync` have ended that it waits for.
   * @param value null is a tombstone.
   * @param timestamp ms since the epoch; default: the driver's clock.
   * @throws StreamError what the topology fails with: DESERIALIZATION, PROCESSING, SERIALIZATION; the same from then on until `crash` or
   * `restart`, as a failure ends an application; INVALID_ARGUMENT for a topic that the topology does not read, a timestamp that is none, or after `close`.
   */
  async send<K, V>(
    topic: TopicRef<K, V>,
    key: K | null,
    value: V | null,
    timestamp: number = this.#now,
    headers: readonly Header[] = noHeaders,
  ): Promise<void> {
    const name = nameOf(topic)
    this.#checkOpen()
    await this.#meet(name)
    const { key: keySerde, value: valueSerde } = this.#topics.source(name)
    const keyBytes = key === null ? null : keySerde.serialize(key)
    await this.#write(name, keyBytes, value === null ? null : valueSerde.serialize(value), timestamp, headers)
  }

  /** As `send`, with the bytes as a producer of any kind might have written them. */
  async sendBytes(
    topic: string,
    key: Buffer | null,
    value: Buffer | null,
    timestamp: number = this.#now,
    headers: readonly Header[] = noHeaders,
  ): Promise<void> {
    this.#checkOpen()
    await this.#meet(topic)
    await this.#write(topic, key, value, timestamp, headers)
  }

  async #write(
    topic: string,
    key: Buffer | null,
    value: Buffer | null,
    timestamp: number,
    headers: readonly Header[],
  ): Promise<void> {
    const source = this.#topics.source(topic)
    if (!Number.isSafeInteger(timestamp)) {
      throw new StreamError('INVALID_ARGUMENT', `${timestamp} is no timestamp`, {
        hint: 'Give whole milliseconds since the epoch.',
      })
    }
    const count = this.#topics.plan.partitions.get(topic) as number
    const partition =
      key === null
        ? this.#keyless++ % count
        : partitionOf(key, count, 0, key.length - (source.key.unpartitionedBytes ?? 0))
    this.#checkFailure()
    const record = consumerRecord(0, timestamp, key, value, headers)
    const sent = this.#deliver(topic, partition, record).then(() => this.#settle())
    this.#underWay.add(sent)
    await sent.finally(() => this.#underWay.delete(sent))
  }

  /** What was written and committed since the last call, in order; of one topic when it is named. */
  read<K, V>(topic: TopicDefinition<K, V>): readonly TestRecord<K, V>[]
  read(topic?: string): readonly TestRecord[]
  read(topic?: TopicRef<unknown, unknown>): readonly TestRecord[] {
    if (topic === undefined) return this.#outputs.splice(0)
    const name = nameOf(topic)
    const taken = this.#outputs.filter((record) => record.topic === name)
    const left = this.#outputs.filter((record) => record.topic !== name)
    this.#outputs.splice(0, Number.POSITIVE_INFINITY, ...left)
    return taken
  }

  /**
   * Moves the wall clock on and calls what is due by it, each punctuation once. Event time moves with records alone, but where the topology has
   * `idleClose`: what is open is closed when it has been quiet for that long.
   * @param ms whole, 0 or more.
   * @throws StreamError what a punctuation fails with, as `send`; INVALID_ARGUMENT for a time that is none, or after `close`.
   */
  async advanceWallClock(ms: number): Promise<void> {
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

  /** The tasks by name: `<sub-topology>_<partition>`. */
  get tasks(): readonly string[] {
    return this.#tasks.map((task) => task.name)
  }

  /** Whether there is nothing that a `commit` would commit. */
  get isCommitted(): boolean {
    return !this.#tasks.some((task) => task.hasWork)
  }

  /**
   * Commits what was processed: it can be read then, and what of it went to repartition topics is processed at once, for the next commit. Without effect
   * where every send commits.
   * @param task the one whose transaction it is; default: all of them, in one.
   * @throws StreamError INVALID_ARGUMENT for a task that is none; what the records of repartition topics fail with, as `send`.
   */
  async commit(task?: string): Promise<void> {
    this.#checkOpen()
    this.#checkFailure()
    await this.#commitNow(this.#named(task))
    await this.#settle()
  }

  /**
   * Ends a task, or all of them, in the middle of an open transaction, as a process that is killed: what was not committed is undone, state comes back from
   * the changelogs (and the state directory), positions and stream times from the last commit, and what came since is processed again. A
   * topology that remembers something elsewhere, in a variable say, shows it here. After a send that has failed all tasks end, as its transaction
   * was that of all.
   * @param task its name; default: all.
   * @throws StreamError INVALID_ARGUMENT for a task that is none; what the records fail with, as `send`.
   */
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

  /** Ends every task after a commit, which there is not after a failure, and opens it anew, as a stop and a start of the application. */
  async restart(): Promise<void> {
    if (this.#failure === undefined) await this.commit()
    await this.crash()
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
      hint: `A task is <sub-topology>_<partition>: ${this.tasks.join(', ')}.`,
    })
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closed()
  }

  /** Closes the stores. What was read and written can be read still; a second call does nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.all(this.#tasks.map((task) => task.stores.close()))
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

  #decoded(topic: string, key: Buffer | null, value: Buffer | null): { key: unknown; value: unknown } {
    const serdes = this.#topics.serdes.get(topic)
    if (serdes === undefined) return { key, value }
    return {
      key: key === null ? null : serdes.key.deserialize(key),
      value: value === null ? null : serdes.value.deserialize(value),
    }
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

function nameOf(topic: { readonly name: string } | string): string {
  return typeof topic === 'string' ? topic : topic.name
}
