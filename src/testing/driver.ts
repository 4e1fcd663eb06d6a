/**
 * Runs a topology inside a test: the real compiler and the real tasks, on topics in memory, with a clock that only the test moves and
 * no broker. Each record is processed to the end, through every repartition, before `send` resolves; or, where the test commits,
 * up to the topics that a transaction has to open first.
 */

import { StreamError } from '../common/errors.ts'
import { partitionOf } from '../common/partitioner.ts'
import { consumerRecord, type Header, noHeaders } from '../common/record.ts'
import { type StoreLookup, storeLookup } from '../runtime/queries.ts'
import type { TopicDefinition } from '../serde/topic.ts'
import type { Topology } from '../topology/node.ts'
import { TestEngine } from './engine.ts'
import { withFrozenValues } from './immutable.ts'
import { checkOptions, type TestDriverOptions } from './options.ts'
import { TestOutputs, type TestRecord } from './outputs.ts'
import { TestTopics } from './topics.ts'

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
  const known = new TestTopics(withFrozenValues(topology), { appId, partitions, topics })
  const outputs = new TestOutputs(known)
  const engine = new TestEngine(known, options, (topic, partition, record) => outputs.add(topic, partition, record))
  await engine.open()
  return new TestDriver(known, engine, outputs)
}

export class TestDriver {
  /**
   * A store of the topology, by its name and kind: over all partitions, as it is committed.
   * @example await driver.store<string, bigint>('totals').get('a')
   * @throws StreamError INVALID_ARGUMENT for a name that is no store's, a store of another kind, or a partition it does not have.
   */
  readonly store: StoreLookup
  readonly #topics: TestTopics
  readonly #engine: TestEngine
  readonly #outputs: TestOutputs
  #keyless = 0

  /** Made by `createTestDriver`. */
  constructor(topics: TestTopics, engine: TestEngine, outputs: TestOutputs) {
    this.#topics = topics
    this.#engine = engine
    this.#outputs = outputs
    this.store = storeLookup(engine.here)
  }

  /** The virtual wall clock, ms since the epoch. */
  get now(): number {
    return this.#engine.now
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
    timestamp: number = this.now,
    headers: readonly Header[] = noHeaders,
  ): Promise<void> {
    const name = nameOf(topic)
    await this.#engine.meet(name)
    const { key: keySerde, value: valueSerde } = this.#topics.source(name)
    const keyBytes = key === null ? null : keySerde.serialize(key)
    await this.#write(name, keyBytes, value === null ? null : valueSerde.serialize(value), timestamp, headers)
  }

  /** As `send`, with the bytes as a producer of any kind might have written them. */
  async sendBytes(
    topic: string,
    key: Buffer | null,
    value: Buffer | null,
    timestamp: number = this.now,
    headers: readonly Header[] = noHeaders,
  ): Promise<void> {
    await this.#engine.meet(topic)
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
    await this.#engine.send(topic, partition, consumerRecord(0, timestamp, key, value, headers))
  }

  /** What was written and committed since the last call, in order; of one topic when it is named. */
  read<K, V>(topic: TopicDefinition<K, V>): readonly TestRecord<K, V>[]
  read(topic?: string): readonly TestRecord[]
  read(topic?: TopicRef<unknown, unknown>): readonly TestRecord[] {
    return this.#outputs.take(topic === undefined ? undefined : nameOf(topic))
  }

  /**
   * Moves the wall clock on and calls what is due by it, each punctuation once. Event time moves with records alone, but where the topology has
   * `idleClose`: what is open is closed when it has been quiet for that long.
   * @param ms whole, 0 or more.
   * @throws StreamError what a punctuation fails with, as `send`; INVALID_ARGUMENT for a time that is none, or after `close`.
   */
  async advanceWallClock(ms: number): Promise<void> {
    await this.#engine.advance(ms)
  }

  /** The tasks by name: `<sub-topology>_<partition>`. */
  get tasks(): readonly string[] {
    return this.#engine.tasks.map((task) => task.name)
  }

  /** Whether there is nothing that a `commit` would commit. */
  get isCommitted(): boolean {
    return !this.#engine.tasks.some((task) => task.hasWork)
  }

  /**
   * Commits what was processed: it can be read then, and what of it went to repartition topics is processed at once, for the next commit. Without effect
   * where every send commits.
   * @param task the one whose transaction it is; default: all of them, in one.
   * @throws StreamError INVALID_ARGUMENT for a task that is none; what the records of repartition topics fail with, as `send`.
   */
  async commit(task?: string): Promise<void> {
    await this.#engine.commit(task)
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
    await this.#engine.crash(task)
  }

  /** Ends every task after a commit, which there is not after a failure, and opens it anew, as a stop and a start of the application. */
  async restart(): Promise<void> {
    await this.#engine.restart()
  }

  /** Closes the stores. What was read and written can be read still; a second call does nothing. */
  async close(): Promise<void> {
    await this.#engine.close()
  }
}

function nameOf(topic: { readonly name: string } | string): string {
  return typeof topic === 'string' ? topic : topic.name
}
