/**
 * A task: one partition of a sub-topology, run record by record in timestamp order. Everything between taking a record and
 * appending its results is synchronous, so a commit between two records never sees half of one.
 */

import type { CommittedOffset, FetchedPartition } from '../broker/port.ts'
import { relocated, StreamError } from '../common/errors.ts'
import { type ConsumerRecord, partitionName, type TopicPartition } from '../common/record.ts'
import type { Clock } from '../common/time.ts'
import type { TaskState } from '../metrics/snapshot.ts'
import type { Calls } from '../operators/calls.ts'
import type { CloseIdle } from '../operators/idle.ts'
import type { CurrentRecord } from '../operators/processor.ts'
import type { PunctuationType } from '../operators/punctuation.ts'
import type { SourceLocation } from '../topology/node.ts'
import { PartitionGroup, PartitionQueue } from './partition-group.ts'
import { decodeMetadata, encodeMetadata, fitsMetadata } from './position-metadata.ts'
import type { Punctuations } from './punctuations.ts'
import { prepare, receive, type SourceProcessor, stamped } from './source.ts'
import { rowsOf } from './source-rows.ts'
import { type TaskId, taskName } from './task-id.ts'
import type { TaskStores } from './task-stores.ts'

/** Where a task starts to read an input. */
export interface StartPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** As committed; '' when nothing was. */
  readonly metadata: string
  readonly stableEnd: number
  /** False when the offset is a reset position that is not committed yet. */
  readonly committed: boolean
}

/** What a sub-topology was compiled against. */
export interface TaskParts {
  readonly stores: TaskStores
  readonly current: CurrentRecord
  readonly punctuations: Punctuations
  readonly calls: Calls
  /** What closes when the inputs are idle, in the order of the graph. */
  readonly closers: readonly CloseIdle[]
  readonly clock: Clock
  /** How long an input at its end is waited for; default 0, below 0 no input is ever waited for. */
  readonly maxIdleMs?: number | undefined
  /** Where the user wrote each processor, by its name. */
  readonly places: ReadonlyMap<string, SourceLocation>
}

/** Records between two looks at the clock while a task runs. */
const recordsPerLook = 64

export class Task {
  readonly id: TaskId
  readonly name: string
  readonly inputs: readonly TopicPartition[]
  readonly stores: TaskStores
  state: TaskState = 'created'
  /** Records processed since the task was made. */
  records = 0
  readonly #sources: ReadonlyMap<string, SourceProcessor>
  readonly #places: ReadonlyMap<string, SourceLocation>
  readonly #current: CurrentRecord
  readonly #punctuations: Punctuations
  readonly #calls: Calls
  /** Takes no record until it is let go again: a commit waits for the calls that are under way. */
  isHeld = false
  readonly #closers: readonly CloseIdle[]
  readonly #clock: Clock
  readonly #maxIdleMs: number
  /** Since when the inputs have brought nothing, by the clock; Infinity while records wait to be processed. */
  quietSince = Number.POSITIVE_INFINITY
  /** What was open has been closed since the inputs are idle. */
  #isClosed = false
  /** A punctuation has been since the last commit began, or windows were closed: it may have changed state or written. */
  #punctuated = false
  #group = new PartitionGroup<SourceProcessor>([])
  /** Committed position of each queue, -1 when none is; same order as the group's queues. */
  #committed: number[] = []

  constructor(
    id: TaskId,
    inputs: readonly TopicPartition[],
    sources: ReadonlyMap<string, SourceProcessor>,
    parts: TaskParts,
  ) {
    this.id = id
    this.name = taskName(id)
    this.inputs = inputs
    this.#sources = sources
    this.#places = parts.places
    this.#current = parts.current
    this.#punctuations = parts.punctuations
    this.#calls = parts.calls
    this.#closers = parts.closers
    this.#clock = parts.clock
    this.#maxIdleMs = parts.maxIdleMs ?? 0
    this.stores = parts.stores
  }

  get queues(): readonly PartitionQueue<SourceProcessor>[] {
    return this.#group.queues
  }

  /** Highest timestamp taken from any input, ms; -1 before the first. */
  get streamTime(): number {
    return this.#group.streamTime
  }

  committedPosition(index: number): number | null {
    const position = this.#committed[index] as number
    return position < 0 ? null : position
  }

  /** Puts the inputs at their positions; what was buffered is forgotten. */
  seek(positions: readonly StartPosition[]): void {
    this.#committed = positions.map((position) => (position.committed ? position.offset : -1))
    const queues = positions.map((position) => {
      const source = this.#sources.get(position.topic) as SourceProcessor
      const queue = new PartitionQueue(source, position.topic, position.partition, position.offset, position.stableEnd)
      const metadata = decodeMetadata(position.metadata)
      if (metadata !== undefined) {
        queue.partitionTime = metadata.partitionTime
        this.stores.advanceStreamTimes(metadata.streamTimes)
      }
      return queue
    })
    this.#group = new PartitionGroup(queues, this.#maxIdleMs, this.#clock)
    this.#punctuated = false
    this.#calls.clear()
    this.isHeld = false
    this.quietSince = this.#clock()
    this.#isClosed = false
    this.#punctuations.start(this.streamTime, this.#clock())
  }

  /** Takes what was fetched; the partition must be one of the task's. */
  enqueue(batch: FetchedPartition): PartitionQueue<SourceProcessor> {
    const queue = this.queues.find((queue) => queue.topic === batch.topic && queue.partition === batch.partition)
    if (queue === undefined)
      throw new StreamError('INTERNAL', `task ${this.name} does not read ${batch.topic}-${batch.partition}`)
    queue.push(stamped(batch, queue))
    if (batch.records.length > 0) {
      this.quietSince = Number.POSITIVE_INFINITY
      this.#isClosed = false
    }
    return queue
  }

  /** Awaited before a batch's records run, where a serde has to fetch something first. */
  prepare(batch: FetchedPartition): Promise<unknown> | undefined {
    return prepare(this.#sources.get(batch.topic) as SourceProcessor, batch)
  }

  /** What records of a table's topic, which is its changelog, make of its store. */
  async rowsOf(batch: FetchedPartition): Promise<readonly ConsumerRecord[]> {
    await this.prepare(batch)
    return rowsOf(this.#sources.get(batch.topic) as SourceProcessor, batch)
  }

  /**
   * Processes what is buffered until nothing is left, an input or a call must be waited for, or `now()` reaches `deadline`.
   * @returns whether it stopped for the deadline, with more to do.
   * @throws StreamError DESERIALIZATION, PROCESSING, SERIALIZATION: with the record's coordinates; the open transaction
   * then holds a part of that record's effects and must not be committed.
   */
  run(deadline: number, now: () => number): boolean {
    const group = this.#group
    const waits = this.isHeld || !this.#calls.isNone
    for (let left = recordsPerLook; ; left--) {
      if (left === 0) {
        if (now() >= deadline) return true
        left = recordsPerLook
      }
      if (waits && !this.#runOn()) return false
      const queue = group.next()
      if (queue === undefined) {
        if (this.quietSince === Number.POSITIVE_INFINITY) this.#lookQuiet()
        return false
      }
      const record = queue.take()
      this.records++
      try {
        receive(queue, record, this.#current)
      } catch (thrown) {
        throw this.#located(thrown, queue, record)
      }
      if (queue.partitionTime >= this.#punctuations.nextStreamTime) this.#punctuate('stream-time', this.streamTime)
    }
  }

  /** When it stops to wait for an input at its end, ms of the clock; Infinity while it waits for none. */
  get waitsUntil(): number {
    return this.#group.waitsUntil
  }

  /** Whether operators of the task call to the outside. */
  get hasCalls(): boolean {
    return !this.#calls.isNone
  }

  /** Records whose call has not ended, or whose result waits for one before it: no commit may begin. */
  get inFlight(): number {
    return this.#calls.inFlight
  }

  /** Whether a run would take a record. */
  get isOpen(): boolean {
    return !this.isHeld && !this.#calls.isFull
  }

  /** Tells, outside of any run, that a call has ended and `run` goes on. */
  onReady(ready: () => void): void {
    this.#calls.ready = ready
  }

  /** When the oldest call under way has taken too long, ms; Infinity without one. */
  get callDeadline(): number {
    return this.#calls.deadline
  }

  /** Gives up the calls that have taken too long; the next run throws. */
  expireCalls(): void {
    this.#calls.expire(this.#clock())
  }

  /** Runs on what calls have given. @returns whether a record may be taken. */
  #runOn(): boolean {
    try {
      this.#calls.drain()
    } catch (thrown) {
      const { from, record } = this.#current
      throw this.#located(thrown, from, record)
    }
    return this.isOpen
  }

  /** When something is due by the wall clock, ms: a punctuation, or the end of what a call may take; Infinity when nothing is. */
  get nextWallClock(): number {
    return Math.min(this.#punctuations.nextWallClock, this.#calls.deadline)
  }

  /** Calls what is due by the wall clock. @throws StreamError as `run`. */
  punctuateWallClock(): void {
    this.expireCalls()
    this.#punctuate('wall-clock-time', this.#clock())
  }

  #lookQuiet(): void {
    if (this.queues.every((queue) => queue.head === undefined)) this.quietSince = this.#clock()
  }

  /** When its inputs will have been quiet for so long that what is open may be closed; Infinity while there is nothing to close. */
  idleDueAt(idleMs: number): number {
    return this.#closers.length === 0 || this.#isClosed || this.inFlight > 0
      ? Number.POSITIVE_INFINITY
      : this.quietSince + idleMs
  }

  /** Whether all that lies before these offsets was processed. @param ends by partitionName. */
  isAt(ends: ReadonlyMap<string, number>): boolean {
    return this.queues.every(
      ({ topic, partition, position }) => position >= (ends.get(partitionName(topic, partition)) ?? 0),
    )
  }

  /**
   * Moves stream time to where all that is open closes: nothing else will, for now. What it is moved to is committed with the next commit, as
   * where nobody could know it after a restart it is left alone.
   * @returns whether anything was open. @throws StreamError as `run`.
   */
  closeIdle(): boolean {
    this.#isClosed = true
    if (!fitsMetadata({ partitionTime: this.streamTime, streamTimes: this.stores.streamTimes() })) return false
    this.#leaveRecord()
    let closed = false
    try {
      // All of them, each after those that it is fed by: while their records are in calls, what is behind the calls waits.
      for (const close of this.#closers) {
        closed = close() || closed
        if (this.inFlight === 0) continue
        this.#isClosed = false
        break
      }
    } catch (thrown) {
      throw this.#located(thrown)
    }
    if (closed) this.#punctuated = true
    return closed
  }

  #leaveRecord(): void {
    const current = this.#current
    current.value = undefined
    current.record = null
    current.from = null
  }

  #punctuate(type: PunctuationType, time: number): void {
    this.#leaveRecord()
    try {
      if (this.#punctuations.punctuate(type, time)) this.#punctuated = true
    } catch (thrown) {
      throw this.#located(thrown)
    }
  }

  #located(thrown: unknown, from: TopicPartition | null = null, record: ConsumerRecord | null = null): StreamError {
    const error =
      thrown instanceof StreamError
        ? thrown
        : new StreamError('INTERNAL', `task ${this.name} failed`, { cause: thrown })
    const place = { ...this.#places.get(error.where.node ?? ''), ...error.where, task: this.name }
    if (from === null || record === null) return relocated(error, place)
    const { topic, partition } = from
    // The record's coordinates, all three: a sink's topic with the offset of a source would point nowhere.
    return relocated(error, { ...place, topic, partition, offset: record.offset })
  }

  /** Whether a commit would change anything: a position moved, or a punctuation has been. Nothing else changes state and outputs. */
  get hasWork(): boolean {
    return this.#punctuated || this.queues.some((queue, i) => queue.position !== this.#committed[i])
  }

  /** Positions to commit, as the commit begins: those of every input, so that a commit of any record names all of its task's inputs. */
  positions(): readonly CommittedOffset[] {
    if (this.inFlight > 0) throw new StreamError('INTERNAL', `task ${this.name} was to commit over calls under way`)
    this.#punctuated = false
    const streamTimes = this.stores.streamTimes()
    return this.queues.map(({ topic, partition, position, partitionTime }) => ({
      topic,
      partition,
      offset: position,
      metadata: encodeMetadata({ partitionTime, streamTimes }),
    }))
  }

  /** The positions are committed. */
  committed(positions: readonly CommittedOffset[]): void {
    this.#committed = positions.map((position) => position.offset)
  }
}
