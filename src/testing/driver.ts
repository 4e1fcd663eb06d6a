/**
 * Runs a topology inside a test: the real compiler and the real tasks, on memory, with a clock that only the test moves and
 * no broker. Each record is processed to the end, through every repartition, before `send` resolves.
 */

import { recordOutput } from '../broker/output.ts'
import type { CommittedOffset, FetchedPartition, Output } from '../broker/port.ts'
import { StreamError } from '../common/errors.ts'
import { partitionOf } from '../common/partitioner.ts'
import {
  type ConsumerRecord,
  consumerRecord,
  type Header,
  type Headers,
  noHeaders,
  partitionName,
  type TopicPartition,
} from '../common/record.ts'
import { type Counters, makeCounters } from '../runtime/counters.ts'
import { type GlobalTable, globalTablesOf } from '../runtime/global-table.ts'
import { type Plan, planWith } from '../runtime/plan.ts'
import { openSerdes } from '../runtime/serdes.ts'
import type { StartPosition, Task } from '../runtime/task.ts'
import { openTask } from '../runtime/tasks.ts'
import type { AnySerde } from '../serde/serde.ts'
import type { TopicDefinition } from '../serde/topic.ts'
import { externalTopics } from '../topology/external-topics.ts'
import type { GlobalTableNode, PatternSourceNode, SourceNode, Topology } from '../topology/node.ts'
import { matching, patternsOf } from '../topology/patterns.ts'
import { withFrozenValues } from './immutable.ts'

export interface TestDriverOptions {
  /** Topics that are there from the start, for patterns to match; others are there when they are first sent to. Default none. */
  readonly topics?: readonly string[]
  /** Partitions of every topic the topology reads and writes. Default 1. */
  readonly partitions?: number
  /** Where the clock starts, ms since the epoch. Default 0. */
  readonly startMs?: number
  /** Default: the topology's name. */
  readonly appId?: string
}

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
 * @throws StreamError INVALID_TOPOLOGY, NOT_COPARTITIONED.
 */
export async function createTestDriver(topology: Topology, options: TestDriverOptions = {}): Promise<TestDriver> {
  const { read, written, global } = externalTopics(topology)
  const topics = [...read, ...written, ...global, ...(options.topics ?? [])]
  let counts = new Map(topics.map((topic) => [topic, options.partitions ?? 1]))
  const frozen = withFrozenValues(topology)
  const appId = options.appId ?? topology.name
  const driver = new TestDriver(
    (come) => {
      const known = come === undefined ? counts : new Map([...counts, [come, options.partitions ?? 1]])
      const plan = planWith(frozen, appId, known)
      counts = known
      return plan
    },
    patternsOf(topology),
    options.startMs ?? 0,
  )
  await driver.open()
  return driver
}

export class TestDriver {
  readonly #planWith: (come?: string) => Plan
  readonly #patterns: readonly PatternSourceNode[]
  #plan: Plan
  #serdes: ReadonlyMap<string, { readonly key: AnySerde; readonly value: AnySerde }>
  readonly #globals: ReadonlyMap<string, GlobalTable>
  #counters: Counters
  readonly #tasks: Task[] = []
  readonly #owners = new Map<string, Task>()
  readonly #ends = new Map<string, number>()
  /** By partition, what each input's commit says. */
  readonly #committed = new Map<string, CommittedOffset>()
  /** By partition, the last record of each key. */
  readonly #changelogs = new Map<string, Map<string, ConsumerRecord>>()
  readonly #outputs: TestRecord[] = []
  #now: number
  #keyless = 0
  /** Sends that wait for calls. */
  #waiting: (() => void)[] = []
  #committing: Promise<void> = Promise.resolve()
  /** Sends that have not ended, and the last that asked whether its topic is there. */
  readonly #underWay = new Set<Promise<void>>()
  #meeting: Promise<void> = Promise.resolve()

  /** @param plan of the topics that there are, and of one more that a pattern matches. */
  constructor(plan: (come?: string) => Plan, patterns: readonly PatternSourceNode[], startMs: number) {
    this.#planWith = plan
    this.#patterns = patterns
    this.#now = startMs
    this.#plan = plan()
    this.#counters = makeCounters(this.#plan.topology)
    this.#globals = globalTablesOf(this.#plan.topology, this.#counters)
    this.#serdes = serdesOf(this.#plan)
  }

  /** The virtual wall clock, ms since the epoch. */
  get now(): number {
    return this.#now
  }

  /** Called once by `createTestDriver`. */
  async open(): Promise<void> {
    await openSerdes(this.#plan.topology, false)
    // The driver writes to sources itself.
    for (const { key, value } of [...this.#serdes.values(), ...this.#patterns]) {
      await key.open?.()
      await value.open?.()
    }
    await this.#openTasks()
  }

  /** A topic may match a pattern and not have been there before: as in an application, the tasks start anew with it then. */
  #meet(topic: string): Promise<void> {
    const met = this.#meeting.then(() => this.#take(topic))
    this.#meeting = met.catch(() => undefined)
    return met
  }

  async #take(topic: string): Promise<void> {
    const { appId, externalSources } = this.#plan
    if (externalSources.includes(topic) || matching(this.#patterns, appId, [topic]).length === 0) return
    await Promise.allSettled(this.#underWay)
    this.#plan = this.#planWith(topic)
    this.#counters = makeCounters(this.#plan.topology)
    this.#serdes = serdesOf(this.#plan)
    await this.restart()
  }

  /** Opens every task with what was committed of it, which at first is nothing. */
  async #openTasks(): Promise<void> {
    const parts = {
      plan: this.#plan,
      counters: this.#counters,
      globalTables: this.#globals,
      output: (topic: string) => this.#output(topic),
      taskDir: () => null,
      budget: {
        writeBufferBytes: 0,
        blockCacheBytes: 0,
        flush: { bytes: 0, rows: 0, intervalMs: 0 },
        cache: { cacheRows: 0 },
      },
      warn: () => undefined,
      clock: () => this.#now,
    }
    for (const id of this.#plan.tasks) {
      const task = await openTask(id, parts)
      for (const { store, topic } of task.stores.changelogs()) {
        const name = partitionName(topic, id.partition)
        const rows = this.#changelogs.get(name)
        if (rows !== undefined) await task.stores.applyChangelog(store, rows.values(), this.#ends.get(name) ?? 0)
      }
      task.seek(task.inputs.map((input) => this.#startOf(input)))
      await task.stores.load()
      task.state = 'running'
      task.onReady(() => this.#goOn())
      for (const { topic, partition } of task.inputs) this.#owners.set(partitionName(topic, partition), task)
      this.#tasks.push(task)
    }
  }

  /**
   * Writes one record and processes all that follows from it; resolves when the calls of `mapAsync` have ended that it waits for.
   * @param value null is a tombstone.
   * @param timestamp ms since the epoch; default: the driver's clock.
   * @throws StreamError what the topology fails with: DESERIALIZATION, PROCESSING, SERIALIZATION; INVALID_ARGUMENT for a
   * topic that the topology does not read, or a timestamp that is none.
   */
  async send<K, V>(
    topic: TopicRef<K, V>,
    key: K | null,
    value: V | null,
    timestamp: number = this.#now,
    headers: readonly Header[] = noHeaders,
  ): Promise<void> {
    const name = nameOf(topic)
    await this.#meet(name)
    const { key: keySerde, value: valueSerde } = this.#source(name)
    const keyBytes = key === null ? null : keySerde.serialize(key)
    await this.sendBytes(name, keyBytes, value === null ? null : valueSerde.serialize(value), timestamp, headers)
  }

  /** As `send`, with the bytes as a producer of any kind might have written them. */
  async sendBytes(
    topic: string,
    key: Buffer | null,
    value: Buffer | null,
    timestamp: number = this.#now,
    headers: readonly Header[] = noHeaders,
  ): Promise<void> {
    await this.#meet(topic)
    const source = this.#source(topic)
    if (!Number.isSafeInteger(timestamp)) {
      throw new StreamError('INVALID_ARGUMENT', `${timestamp} is no timestamp`, {
        hint: 'Give whole milliseconds since the epoch.',
      })
    }
    const count = this.#plan.partitions.get(topic) as number
    const partition =
      key === null
        ? this.#keyless++ % count
        : partitionOf(key, count, 0, key.length - (source.key.unpartitionedBytes ?? 0))
    const sent = this.#deliver(topic, partition, key, value, timestamp, headers).then(() => this.#settle())
    this.#underWay.add(sent)
    await sent.finally(() => this.#underWay.delete(sent))
  }

  /** What was written since the last call, in order; of one topic when it is named. */
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
   * @throws StreamError what a punctuation fails with, as `send`.
   */
  async advanceWallClock(ms: number): Promise<void> {
    const until = this.#now + ms
    await this.#closeIdle(until)
    this.#now = until
    for (const task of this.#tasks) if (task.nextWallClock <= this.#now) task.punctuateWallClock()
    await this.#settle()
  }

  /** Step by step: what one task passes on is news to the next, whose inputs are quiet from then. */
  async #closeIdle(until: number): Promise<void> {
    const { idleCloseMs } = this.#plan.topology
    if (idleCloseMs === undefined) return
    const dueAt = () => Math.min(...this.#tasks.map((task) => task.idleDueAt(idleCloseMs)))
    for (let at = dueAt(); at <= until; at = dueAt()) {
      this.#now = Math.max(this.#now, at)
      for (const task of this.#tasks) if (task.idleDueAt(idleCloseMs) <= at) task.closeIdle()
      await this.#settle()
    }
  }

  /**
   * Ends every task and opens it anew, as after a crash: state comes back from the changelogs, positions and stream times from what was
   * committed. A topology that remembers something elsewhere, in a variable say, shows it here.
   */
  async restart(): Promise<void> {
    await this.close()
    this.#tasks.length = 0
    await this.#openTasks()
  }

  #startOf({ topic, partition }: TopicPartition): StartPosition {
    const name = partitionName(topic, partition)
    const { offset, metadata } = this.#committed.get(name) ?? { offset: 0, metadata: '' }
    const stableEnd = this.#ends.get(name) ?? 0
    return { topic, partition, offset, metadata, stableEnd, committed: this.#committed.has(name) }
  }

  async close(): Promise<void> {
    await Promise.all(this.#tasks.map((task) => task.stores.close()))
  }

  #source(topic: string): SourceNode | GlobalTableNode {
    const read = this.#plan.topology.nodes.filter((node) => node.kind === 'source' || node.kind === 'global-table')
    const node = read.find((node) => node.topic === topic)
    if (node !== undefined) return node
    throw new StreamError('INVALID_ARGUMENT', `the topology does not read topic ${topic}`, {
      hint: `It reads: ${[...new Set([...read.map((node) => node.topic), ...this.#patterns.map(({ name }) => name)])].join(', ')}.`,
    })
  }

  /** Applies a record to a global table at once, and puts it into its task's queue; a serde that has to look something up is awaited. */
  async #deliver(
    topic: string,
    partition: number,
    key: Buffer | null,
    value: Buffer | null,
    timestamp: number,
    headers: Headers,
  ): Promise<void> {
    const offset = this.#next(topic, partition)
    const batch: FetchedPartition = {
      topic,
      partition,
      records: [consumerRecord(offset, timestamp, key, value, headers)],
      position: offset + 1,
      stableEnd: offset + 1,
      highWatermark: offset + 1,
    }
    const task = this.#owners.get(partitionName(topic, partition))
    const waits = task?.prepare(batch)
    // As in a worker: a timestamp is read from the record as it is enqueued. What a task passes on has its own, and is there at once.
    if (waits !== undefined && this.#plan.externalSources.includes(topic)) await waits
    task?.enqueue(batch)
    for (const table of this.#globals.values()) if (table.node.topic === topic) await table.apply(batch)
    await waits
  }

  /** Runs every task until none has anything left, then commits, as a worker does. */
  async #settle(): Promise<void> {
    try {
      await this.#runAll()
    } catch (error) {
      // Whoever waits for a call fails with the one that did.
      this.#goOn()
      throw error
    }
    this.#committing = this.#committing.then(() => this.#commit())
    await this.#committing
  }

  async #runAll(): Promise<void> {
    for (;;) {
      for (const task of this.#tasks) if (task.inFlight > 0) task.run(Number.POSITIVE_INFINITY, () => 0)
      const buffered = () =>
        this.#tasks.filter((task) => task.isOpen && task.queues.some((queue) => queue.head !== undefined))
      for (let tasks = buffered(); tasks.length > 0; tasks = buffered()) {
        for (const task of tasks) task.run(Number.POSITIVE_INFINITY, () => 0)
      }
      if (this.#tasks.every((task) => task.inFlight === 0)) return
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #goOn(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  async #commit(): Promise<void> {
    for (const task of this.#tasks.filter((task) => task.hasWork)) {
      // Of another send that came meanwhile, which commits itself.
      if (task.inFlight > 0) continue
      const positions = task.positions()
      await task.stores.settle(task.stores.seal(), this.#ends)
      task.committed(positions)
      for (const position of positions) this.#committed.set(partitionName(position.topic, position.partition), position)
    }
  }

  #output(topic: string): Output {
    const isRepartition = this.#plan.repartitionTopics.includes(topic)
    const isInternal = this.#plan.internalTopics.some(({ name }) => name === topic)
    return recordOutput((partition, record) => {
      const { key, value, timestamp, headers } = record
      if (isRepartition) void this.#deliver(topic, partition, key, value, timestamp, headers)
      else if (isInternal) this.#keep(topic, partition, record)
      else this.#outputs.push({ topic, partition, ...this.#decoded(topic, key, value), timestamp, headers })
    })
  }

  /** A row of a changelog, in the place of the one before it. */
  #keep(topic: string, partition: number, record: ConsumerRecord): void {
    record.offset = this.#next(topic, partition)
    const name = partitionName(topic, partition)
    const rows = this.#changelogs.get(name) ?? new Map<string, ConsumerRecord>()
    this.#changelogs.set(name, rows)
    rows.set((record.key as Buffer).toString('latin1'), record)
  }

  #decoded(topic: string, key: Buffer | null, value: Buffer | null): { key: unknown; value: unknown } {
    const serdes = this.#serdes.get(topic)
    if (serdes === undefined) return { key, value }
    return {
      key: key === null ? null : serdes.key.deserialize(key),
      value: value === null ? null : serdes.value.deserialize(value),
    }
  }

  /** Takes the next offset of a partition. */
  #next(topic: string, partition: number): number {
    const name = partitionName(topic, partition)
    const offset = this.#ends.get(name) ?? 0
    this.#ends.set(name, offset + 1)
    return offset
  }
}

function serdesOf({ topology }: Plan): ReadonlyMap<string, { readonly key: AnySerde; readonly value: AnySerde }> {
  return new Map(
    topology.nodes.flatMap((node) =>
      node.kind === 'source' || node.kind === 'sink' || node.kind === 'global-table' ? [[node.topic, node]] : [],
    ),
  )
}

function nameOf(topic: { readonly name: string } | string): string {
  return typeof topic === 'string' ? topic : topic.name
}
