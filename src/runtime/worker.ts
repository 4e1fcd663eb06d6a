/**
 * One loop that owns a producer, a group membership and the tasks assigned to it: poll, run, commit. All tasks of a worker
 * commit in one transaction. Whatever goes wrong in a transaction, uncommitted work is dropped, a new epoch taken, and
 * stores and positions are read again from what is committed.
 */

import { setImmediate } from 'node:timers/promises'
import type { Broker, Fetcher, GroupMember, GroupMetadata, TransactionalProducer } from '../broker/port.ts'
import { messageOf, StreamError } from '../common/errors.ts'
import { partitionName, type TopicPartition } from '../common/record.ts'
import type { AppState } from '../metrics/snapshot.ts'
import { commit } from './commit.ts'
import { type MembershipEvent, MembershipEvents } from './membership.ts'
import { Purger } from './purge.ts'
import { isRecoverable, retryDelayMs } from './recovery.ts'
import { Restorer } from './restore.ts'
import type { StartPosition, Task } from './task.ts'

/** What a worker is made of; everything it needs from outside. */
export interface WorkerParts {
  readonly broker: Broker
  readonly producer: TransactionalProducer
  readonly groupId: string
  readonly commitIntervalMs: number
  readonly maxUncommittedBytes: number
  readonly repartitionTopics: readonly string[]
  readonly from: 'earliest' | 'latest'
  /** Joins the group, posting its callbacks to `events`. */
  readonly join: (events: MembershipEvents) => Promise<GroupMember>
  /** Opens the tasks of an assignment that are not open yet, closes those that are gone. */
  readonly assignTasks: (
    partitions: readonly TopicPartition[],
    open: ReadonlyMap<string, Task>,
  ) => Promise<ReadonlyMap<string, Task>>
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

type Starts = ReadonlyMap<Task, readonly StartPosition[]>

/** The loop goes back to the event loop at least this often, in ms. */
const sliceMs = 50
/** Longest wait for records, in ms: bounds how late a commit or a rebalance is seen. */
const maxPollMs = 100

export class Worker {
  readonly #parts: WorkerParts
  readonly #events = new MembershipEvents()
  readonly #fetcher: Fetcher
  readonly #restorer: Restorer
  readonly #purger: Purger
  readonly #owners = new Map<string, Task>()
  readonly #paused = new Set<string>()
  #tasks: ReadonlyMap<string, Task> = new Map()
  #starts: Starts = new Map()
  /** Asked for, not yet answered: an open transaction of a dead owner can hold the answer up for seconds. */
  #awaited: Promise<Starts> | undefined
  #group: GroupMetadata | undefined
  #stopping = false
  #committing: Promise<void> | undefined
  #commitFailure: unknown
  /** Why uncommitted work must be dropped before anything else is done. */
  #trouble: unknown
  #hasRunnable = false
  #commitDue = 0
  #failures = 0
  state: AppState = 'starting'
  readonly commits = { count: 0, aborted: 0, lastMs: 0, rebalances: 0 }
  lastError: string | null = null

  constructor(parts: WorkerParts) {
    this.#parts = parts
    this.#fetcher = parts.broker.fetcher({ isolation: 'committed' })
    this.#restorer = new Restorer(parts.broker, parts.log)
    this.#purger = new Purger(parts.broker, parts.repartitionTopics, parts.log)
  }

  get tasks(): Iterable<Task> {
    return this.#tasks.values()
  }

  restoring(task: Task) {
    return this.#restorer.progress(task)
  }

  /** Runs until `stop`. @throws StreamError what ended it otherwise; uncommitted work is then void. */
  async run(): Promise<void> {
    const member = await this.#parts.join(this.#events)
    try {
      while (!this.#stopping) await this.#guardedTurn(member)
      this.state = 'draining'
      await this.#commitAll()
      this.state = 'stopped'
    } catch (error) {
      this.state = 'failed'
      this.lastError = messageOf(error)
      throw error
    } finally {
      await this.#close(member)
    }
  }

  /** Ends `run` after what is processed is committed. */
  stop(): void {
    this.#stopping = true
    this.#events.wake()
  }

  async #guardedTurn(member: GroupMember): Promise<void> {
    try {
      await this.#events.take((event) => this.#deal(event))
      if (this.#trouble !== undefined) await this.#recover(this.#trouble, member)
      if (this.#tasks.size === 0 || this.#group === undefined) await this.#events.wait(maxPollMs)
      else if (await this.#havePositions()) await this.#turn()
    } catch (error) {
      if (!isRecoverable(error)) throw error
      this.#trouble = error
      this.#failures += 1
      this.commits.aborted += 1
      this.state = 'recovering'
      this.lastError = messageOf(error)
      this.#parts.log('warn', `${messageOf(error)}; uncommitted work is dropped and redone`)
    }
  }

  /** One round: take what was fetched, run what can run, commit when it is time. */
  async #turn(): Promise<void> {
    const idle = !this.#hasRunnable
    const wait =
      idle && !this.#restorer.active ? Math.max(0, Math.min(maxPollMs, this.#commitDue - performance.now())) : 0
    await this.#fetch(wait)
    const deadline = performance.now() + sliceMs
    this.#hasRunnable = false
    for (const task of this.#tasks.values()) {
      if (task.state === 'running' && task.run(deadline, now)) this.#hasRunnable = true
    }
    this.#resumeDrained()
    if (this.#restorer.active) {
      const finished = await this.#restorer.step(this.#hasRunnable ? 0 : maxPollMs / 2)
      if (finished.length > 0) this.#startRunning(finished)
    }
    await this.#commitWhenDue()
    this.#purger.whenDue(performance.now(), this.#tasks.values())
    await setImmediate()
    if (this.#commitFailure !== undefined) throw this.#takeCommitFailure()
    this.#failures = 0
  }

  async #fetch(maxWaitMs: number): Promise<void> {
    for (const batch of await this.#fetcher.poll(maxWaitMs)) {
      const name = partitionName(batch.topic, batch.partition)
      const task = this.#owners.get(name)
      if (task === undefined) continue
      await task.prepare(batch)
      if (task.enqueue(batch).waitingBatches === 0) continue
      this.#paused.add(name)
      this.#fetcher.pause([batch])
    }
  }

  #resumeDrained(): void {
    if (this.#paused.size === 0) return
    for (const task of this.#tasks.values()) {
      for (const queue of task.queues) {
        if (queue.waitingBatches === 0 && this.#paused.delete(partitionName(queue.topic, queue.partition))) {
          this.#fetcher.resume([queue])
        }
      }
    }
  }

  async #commitWhenDue(): Promise<void> {
    const full = this.#uncommittedBytes >= this.#parts.maxUncommittedBytes
    if (full && this.#committing !== undefined) await this.#committing
    if (
      this.#committing === undefined &&
      this.#commitFailure === undefined &&
      (full || performance.now() >= this.#commitDue)
    ) {
      this.#startCommit()
    }
  }

  get #uncommittedBytes(): number {
    let bytes = this.#parts.producer.pendingBytes
    for (const task of this.#tasks.values()) bytes += task.stores.uncommittedBytes
    return bytes
  }

  /** Processing goes on while this runs; its failure is seen by the next turn. */
  #startCommit(): void {
    const started = performance.now()
    this.#commitDue = started + this.#parts.commitIntervalMs
    this.#committing = commit(this.#tasks.values(), this.#parts.producer, this.#group as GroupMetadata)
      .then(
        (tasks) => {
          if (tasks === 0) return
          this.commits.count += 1
          this.commits.lastMs = performance.now() - started
        },
        (error: unknown) => {
          this.#commitFailure = error
        },
      )
      .finally(() => {
        this.#committing = undefined
      })
  }

  /** Commits everything processed and waits for it. */
  async #commitAll(): Promise<void> {
    await this.#committing
    if (this.#commitFailure === undefined && this.#group !== undefined && this.#tasks.size > 0) {
      this.#startCommit()
      await this.#committing
    }
    if (this.#commitFailure !== undefined) throw this.#takeCommitFailure()
  }

  #takeCommitFailure(): unknown {
    const failure = this.#commitFailure
    this.#commitFailure = undefined
    return failure
  }

  async #deal(event: MembershipEvent): Promise<void> {
    if (event.kind === 'error') throw event.error
    if (event.kind === 'assign') return this.#assigned(event.partitions, event.metadata)
    this.state = 'rebalancing'
    const lost = event.kind === 'lost' || this.#trouble !== undefined || !(await this.#committedBeforeRevoke())
    // What is not committed now is the next owner's to redo.
    this.#group = undefined
    await this.#suspend(lost)
  }

  async #committedBeforeRevoke(): Promise<boolean> {
    try {
      await this.#commitAll()
      return true
    } catch (error) {
      if (!isRecoverable(error)) throw error
      this.commits.aborted += 1
      this.#parts.log('warn', `${messageOf(error)}; uncommitted work is left to the next owner`)
      return false
    }
  }

  async #assigned(partitions: readonly TopicPartition[], metadata: GroupMetadata): Promise<void> {
    this.commits.rebalances += 1
    await this.#suspend(false)
    this.#tasks = await this.#parts.assignTasks(partitions, this.#tasks)
    this.#group = metadata
    this.#parts.log(
      'info',
      `generation ${metadata.generation}: ${this.#tasks.size} tasks (${[...this.#tasks.keys()].join(' ')})`,
    )
    this.#begin()
    this.#trouble = undefined
  }

  /** Stops every task where it is committed; stores stay open. */
  async #suspend(drop: boolean): Promise<void> {
    this.#fetcher.assign([])
    this.#restorer.cancel()
    this.#owners.clear()
    this.#paused.clear()
    this.#starts = new Map()
    this.#awaited = undefined
    this.#hasRunnable = false
    await this.#committing
    const dirty = drop || this.#commitFailure !== undefined || this.#uncommittedBytes > 0
    for (const task of this.#tasks.values()) {
      task.state = 'suspended'
      task.seek([])
      if (dirty) task.stores.discard()
    }
    if (dirty) await this.#parts.producer.reset()
    this.#commitFailure = undefined
  }

  /**
   * Reads where the tasks stand, then restores and runs them. Positions first, stable; changelog ends after: what a former
   * owner had under way is then either in both or in neither.
   */
  #begin(): void {
    const tasks = [...this.#tasks.values()]
    this.state = 'restoring'
    for (const task of tasks) task.state = 'restoring'
    this.#awaited = this.#startPositions(tasks)
    // Looked at by a later turn; a rebalance may make it void before.
    this.#awaited.catch(() => undefined)
  }

  /** @returns whether the positions are there; events and a stop do not wait for them. */
  async #havePositions(): Promise<boolean> {
    if (this.#awaited === undefined) return true
    const starts = await Promise.race([this.#awaited, this.#events.wait(maxPollMs)])
    if (starts === undefined) return false
    this.#awaited = undefined
    this.#starts = starts
    const tasks = [...this.#tasks.values()]
    await this.#restorer.begin(tasks)
    this.#startRunning(tasks.filter((task) => !this.#restorer.isRestoring(task)))
    this.#commitDue = performance.now() + this.#parts.commitIntervalMs
    return true
  }

  async #startPositions(tasks: readonly Task[]): Promise<Starts> {
    const { broker, groupId, from } = this.#parts
    const inputs = tasks.flatMap((task) => task.inputs)
    const committed = new Map(
      (await broker.committed(groupId, inputs)).map((offset) => [
        partitionName(offset.topic, offset.partition),
        offset,
      ]),
    )
    const ends = await broker.offsets(inputs, 'stable')
    const earliest = await broker.offsets(inputs, 'earliest')
    const starts = new Map<Task, readonly StartPosition[]>()
    let i = 0
    for (const task of tasks) {
      starts.set(
        task,
        task.inputs.map((input) => {
          const stableEnd = ends[i]?.offset ?? 0
          const reset = from === 'latest' ? stableEnd : (earliest[i]?.offset ?? 0)
          i += 1
          const found = committed.get(partitionName(input.topic, input.partition))
          const offset = found?.offset ?? reset
          if (found === undefined && from === 'earliest' && offset > 0)
            this.#parts.log('warn', gapWarning(input, offset))
          return { ...input, offset, metadata: found?.metadata ?? '', stableEnd, committed: found !== undefined }
        }),
      )
    }
    return starts
  }

  #startRunning(tasks: readonly Task[]): void {
    for (const task of tasks) {
      task.seek(this.#starts.get(task) as readonly StartPosition[])
      task.state = 'running'
      for (const input of task.inputs) this.#owners.set(partitionName(input.topic, input.partition), task)
    }
    this.#paused.clear()
    const running = [...this.#tasks.values()].filter((task) => task.state === 'running')
    this.#fetcher.assign(
      running.flatMap((task) =>
        task.queues.map(({ topic, partition, fetchPosition }) => ({ topic, partition, offset: fetchPosition })),
      ),
    )
    if (running.length === this.#tasks.size) this.state = 'running'
  }

  /** Drops what is not committed and starts again from what is; called again for as long as the trouble may pass. */
  async #recover(trouble: unknown, member: GroupMember): Promise<void> {
    if (this.#failures > 1) await this.#events.wait(retryDelayMs(this.#failures))
    await this.#suspend(true)
    if (trouble instanceof StreamError && trouble.code === 'FENCED') this.#group = undefined
    if (this.#group === undefined) member.rejoin()
    else this.#begin()
    this.#trouble = undefined
  }

  async #close(member: GroupMember): Promise<void> {
    const closing = [
      () => this.#committing,
      () => this.#purger.close(),
      () => this.#fetcher.close(),
      () => this.#restorer.close(),
      () => this.#parts.producer.close(),
      () => member.close(),
      ...[...this.#tasks.values()].map((task) => () => task.stores.close()),
    ]
    this.#events.close()
    for (const close of closing) {
      try {
        await close()
      } catch (error) {
        this.#parts.log('warn', `while closing: ${messageOf(error)}`)
      }
    }
    for (const task of this.#tasks.values()) task.state = 'closed'
  }
}

const now = () => performance.now()

function gapWarning({ topic, partition }: TopicPartition, offset: number): string {
  return `${partitionName(topic, partition)} starts at offset ${offset}: earlier records are gone (a broker deletes by record timestamp; see the topic's retention.ms)`
}
