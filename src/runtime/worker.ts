/**
 * One loop that owns a producer, a group membership and the tasks assigned to it: poll, run, commit. All tasks of a worker
 * commit in one transaction. Whatever goes wrong in a transaction, uncommitted work is dropped, a new epoch taken, and
 * stores and positions are read again from what is committed.
 */

import { setImmediate } from 'node:timers/promises'
import type { Broker, GroupMember, GroupMetadata, MemberAssignment, TransactionalProducer } from '../broker/port.ts'
import { messageOf, StreamError } from '../common/errors.ts'
import type { Clock } from '../common/time.ts'
import type { AppState } from '../metrics/snapshot.ts'
import { Background } from './background.ts'
import { CommitCycle, uncommittedBytes } from './commit-cycle.ts'
import { callPatienceMs, HeldCalls } from './held-calls.ts'
import type { IdleClose } from './idle-close.ts'
import { Intake } from './intake.ts'
import { type MembershipEvent, MembershipEvents } from './membership.ts'
import { Purger } from './purge.ts'
import type { OpenTasks } from './reassign.ts'
import { isRecoverable, retryDelayMs } from './recovery.ts'
import { Restorer } from './restore.ts'
import { Standbys } from './standbys.ts'
import { type Start, type StartPositions, startPositions } from './start-positions.ts'
import type { StartPosition, Task } from './task.ts'

/** What a worker is made of; everything it needs from outside. */
export interface WorkerParts {
  readonly broker: Broker
  readonly producer: TransactionalProducer
  readonly groupId: string
  readonly commitIntervalMs: number
  readonly maxUncommittedBytes: number
  readonly repartitionTopics: readonly string[]
  /** By topic. */
  readonly starts: ReadonlyMap<string, Start>
  /** Joins the group, posting its callbacks to `events`. */
  readonly join: (events: MembershipEvents) => Promise<GroupMember>
  /** Opens the tasks and standbys of an assignment that are not open yet, closes those that are gone. */
  readonly assignTasks: (assignment: MemberAssignment, open: OpenTasks) => Promise<OpenTasks>
  /** ms that rows of standbys are gathered for. */
  readonly applyIntervalMs: number
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  readonly clock: Clock
  /** Where the topology asks for it. */
  readonly idleClose?: IdleClose | undefined
  /** Tasks may wait for an input that has come to its end. Default false. */
  readonly waitsForInputs?: boolean
}

/** The loop goes back to the event loop at least this often, in ms. */
const sliceMs = 50
/** Longest wait for records, in ms: bounds how late a commit or a rebalance is seen. */
const maxPollMs = 100

/** How often the size of stores on disk is asked for, in ms. */
const measureIntervalMs = 5000

export class Worker {
  readonly #parts: WorkerParts
  readonly #events = new MembershipEvents()
  readonly #intake: Intake
  readonly #calls: HeldCalls
  readonly #restorer: Restorer
  readonly #standbys: Standbys
  readonly #purger: Purger
  readonly #measuring: Background
  readonly commits: CommitCycle
  #open: OpenTasks = { tasks: new Map(), standbys: new Map() }
  #taskList: readonly Task[] = []
  #starts: StartPositions = new Map()
  /** Asked for, not yet answered: an open transaction of a dead owner can hold the answer up for seconds. */
  #awaited: Promise<StartPositions> | undefined
  #group: GroupMetadata | undefined
  #stopping = false
  /** Why uncommitted work must be dropped before anything else is done. */
  #trouble: unknown
  /** The generation is not ours to work in, and no assignment is on its way: the group has to be joined anew. */
  #mustRejoin = false
  /** Why membership ended for good. */
  #expelled: unknown
  /** Tasks that something came for and that have not run dry since; with many tasks most have nothing to do in a turn. */
  readonly #runnable = new Set<Task>()
  /** When a running task has a punctuation due by the wall clock, ms. */
  #punctuateAt = Number.POSITIVE_INFINITY
  /** Since the last commit that succeeded. */
  #failures = 0
  #committedBefore = 0
  state: AppState = 'starting'
  /** Times that uncommitted work was dropped. */
  aborted = 0
  rebalances = 0
  lastError: string | null = null

  constructor(parts: WorkerParts) {
    this.#parts = parts
    this.#intake = new Intake(parts.broker.fetcher({ isolation: 'committed' }))
    this.#calls = new HeldCalls(parts.clock, (task) => this.#runnable.add(task))
    this.#restorer = new Restorer(parts.broker, parts.log)
    this.#standbys = new Standbys({
      broker: parts.broker,
      applyIntervalMs: parts.applyIntervalMs,
      log: parts.log,
      onFailure: (error) => this.fail(error),
    })
    this.#purger = new Purger(parts.broker, parts.repartitionTopics, parts.log)
    this.#measuring = new Background(measureIntervalMs, (message) =>
      parts.log('warn', `state was not measured: ${message}`),
    )
    this.commits = new CommitCycle({
      producer: parts.producer,
      intervalMs: parts.commitIntervalMs,
      maxUncommittedBytes: parts.maxUncommittedBytes,
    })
  }

  /** Tasks of the current assignment. */
  get tasks(): readonly Task[] {
    return this.#taskList
  }

  /** Copies of the state of other processes' tasks, and how far they are behind. */
  get standbys() {
    return this.#standbys.snapshot()
  }

  restoring(task: Task) {
    return this.#restorer.progress(task)
  }

  /** Runs until `stop`. @throws StreamError what ended it otherwise; uncommitted work is then void. */
  async run(): Promise<void> {
    let member: GroupMember | undefined
    try {
      member = await this.#parts.join(this.#events)
      while (!this.#stopping) await this.#guardedTurn(member)
      this.state = 'draining'
      // After a failure the producer is void, and a record may have been processed by half.
      if (this.#trouble === undefined) await this.#stopCommitted()
      else this.#parts.log('warn', 'stopped before uncommitted work was redone: the next start redoes it')
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

  /** Ends `run` with this error, whatever state it is in; what is not committed is left to the next start. */
  fail(error: unknown): void {
    this.#expelled ??= error
    this.#events.wake()
  }

  async #guardedTurn(member: GroupMember): Promise<void> {
    try {
      if (this.#expelled !== undefined) throw this.#expelled
      await this.#events.take((event) => this.#deal(event))
      if (this.#trouble !== undefined) await this.#recover(this.#trouble, member)
      if (this.#open.tasks.size === 0 || this.#group === undefined) await this.#events.wait(maxPollMs)
      else if (await this.#havePositions()) await this.#turn()
    } catch (error) {
      if (this.#expelled !== undefined || !isRecoverable(error)) throw error
      this.#trouble = error
      this.#failures += 1
      this.#committedBefore = this.commits.count
      this.aborted += 1
      this.state = 'recovering'
      this.lastError = messageOf(error)
      this.#parts.log('warn', `${messageOf(error)}; uncommitted work is dropped and redone`)
    }
  }

  /** One round: take what was fetched, run what can run, commit when it is time. */
  async #turn(): Promise<void> {
    const idle = this.#runnable.size === 0
    if (!this.#calls.isNone) this.#lookAhead()
    // A commit that waits for calls is woken by them.
    const commitIn = this.#calls.isHolding ? maxPollMs : this.commits.dueAt - performance.now()
    const wait = Math.min(maxPollMs, commitIn, this.#punctuateAt - this.#parts.clock())
    const waitMs = idle && !this.#restorer.active ? Math.max(0, wait) : 0
    await this.#intake.take(waitMs, (task) => this.#runnable.add(task))
    if (this.#parts.waitsForInputs === true) this.#wakeWaiting()
    // Equal shares: a task with much to do must not starve those it feeds.
    const shareMs = sliceMs / this.#runnable.size
    for (const task of this.#runnable) if (!task.run(now() + shareMs, now)) this.#runnable.delete(task)
    if (this.#parts.clock() >= this.#punctuateAt) this.#punctuate()
    this.#parts.idleClose?.whenDue(this.#taskList)
    this.#intake.resumeDrained(this.#taskList)
    if (this.#restorer.active) {
      const finished = await this.#restorer.step(this.#runnable.size > 0 ? 0 : maxPollMs / 2)
      if (finished.length > 0) await this.#startRunning(finished)
    }
    await this.commits.whenDue(this.#taskList, this.#group as GroupMetadata, (isFull) => this.#calls.ended(isFull))
    this.#purger.whenDue(performance.now(), this.#taskList)
    this.#measuring.whenDue(performance.now(), () => measure(this.#taskList))
    await setImmediate()
    this.commits.throwFailure()
    if (this.commits.count > this.#committedBefore) this.#failures = 0
  }

  /** Tasks that have waited long enough for an input go on without it. */
  #wakeWaiting(): void {
    const time = this.#parts.clock()
    for (const task of this.#taskList) if (task.waitsUntil <= time) this.#runnable.add(task)
  }

  #punctuate(): void {
    const time = this.#parts.clock()
    const running = this.#taskList.filter((task) => task.state === 'running')
    for (const task of running) if (task.nextWallClock <= time) task.punctuateWallClock()
    this.#lookAhead()
  }

  #lookAhead(): void {
    const running = this.#taskList.filter((task) => task.state === 'running')
    this.#punctuateAt = running.reduce((at, task) => Math.min(at, task.nextWallClock), Number.POSITIVE_INFINITY)
  }

  /** The next start has nothing to replay. */
  async #stopCommitted(): Promise<void> {
    if (!(await this.#calls.end())) {
      this.#parts.log('warn', 'stopped with calls under way: the next start makes them again')
      return
    }
    await this.#commitAll()
    for (const task of this.#taskList) await task.stores.flush()
  }

  /** Commits everything processed and waits for it. */
  async #commitAll(): Promise<void> {
    await this.commits.finished()
    this.commits.throwFailure()
    if (this.#group === undefined) return
    if (!(await this.#calls.end())) throw new StreamError('TIMEOUT', `calls did not end within ${callPatienceMs} ms`)
    this.commits.start(this.#taskList, this.#group)
    await this.commits.finished()
    this.commits.throwFailure()
  }

  async #deal(event: MembershipEvent): Promise<void> {
    if (event.kind === 'error') {
      this.#expelled = event.error
      throw event.error
    }
    if (event.kind === 'assign') {
      this.#mustRejoin = true
      await this.#assigned(event.assignment, event.metadata)
      this.#mustRejoin = false
      return
    }
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
      this.aborted += 1
      this.#parts.log('warn', `${messageOf(error)}; uncommitted work is left to the next owner`)
      return false
    }
  }

  async #assigned(assignment: MemberAssignment, metadata: GroupMetadata): Promise<void> {
    this.rebalances += 1
    await this.#suspend(this.#trouble !== undefined)
    await this.#standbys.pause()
    this.#open = await this.#parts.assignTasks(assignment, this.#open)
    const { tasks, standbys } = this.#open
    this.#taskList = [...tasks.values()]
    this.#standbys.follow([...standbys.values()])
    this.#calls.assign(this.#taskList, (task) => {
      this.#runnable.add(task)
      this.#intake.wake()
    })
    this.#group = metadata
    this.#parts.log(
      'info',
      `generation ${metadata.generation}: ${tasks.size} tasks${named(tasks)}${standbys.size === 0 ? '' : `, ${standbys.size} standbys${named(standbys)}`}`,
    )
    this.#begin()
    this.#trouble = undefined
  }

  /** Stops every task where it is committed; stores stay open. */
  async #suspend(drop: boolean): Promise<void> {
    this.#intake.assign([])
    this.#restorer.cancel()
    this.#starts = new Map()
    this.#awaited = undefined
    this.#runnable.clear()
    this.#calls.forget()
    this.#punctuateAt = Number.POSITIVE_INFINITY
    await this.commits.finished()
    // A purge that is still under way must not meet the next owner's restore.
    await this.#purger.finished()
    await this.#measuring.finished()
    await this.#parts.idleClose?.finished()
    const failed = this.commits.takeFailure() !== undefined
    const dirty = drop || failed || uncommittedBytes(this.#taskList, this.#parts.producer) > 0
    for (const task of this.#taskList) {
      task.state = 'suspended'
      task.seek([])
      if (dirty) task.stores.discard()
      else await task.stores.flush()
    }
    if (dirty) await this.#parts.producer.reset()
  }

  /**
   * Reads where the tasks stand, then restores and runs them. Positions first, stable; changelog ends after: what a former
   * owner had under way is then either in both or in neither.
   */
  #begin(): void {
    const tasks = this.#taskList
    this.state = tasks.length === 0 ? 'running' : 'restoring'
    for (const task of tasks) task.state = 'restoring'
    this.#awaited = startPositions(tasks, this.#parts)
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
    const tasks = this.#taskList
    await this.#restorer.begin(tasks, starts)
    await this.#startRunning(tasks.filter((task) => !this.#restorer.isRestoring(task)))
    this.commits.postpone()
    return true
  }

  async #startRunning(tasks: readonly Task[]): Promise<void> {
    for (const task of tasks) {
      task.seek(this.#starts.get(task) as readonly StartPosition[])
      // After the stream times that stand beside the positions: what they have closed is open no more.
      await task.stores.load()
    }
    for (const task of tasks) task.state = 'running'
    const running = this.#taskList.filter((task) => task.state === 'running')
    this.#intake.assign(running)
    this.#lookAhead()
    if (running.length === this.#taskList.length) this.state = 'running'
  }

  /** Drops what is not committed and starts again from what is; called again for as long as the trouble may pass. */
  async #recover(trouble: unknown, member: GroupMember): Promise<void> {
    if (this.#failures > 1) await this.#events.wait(retryDelayMs(this.#failures))
    if (trouble instanceof StreamError && trouble.code === 'FENCED') this.#mustRejoin = true
    await this.#suspend(true)
    if (this.#mustRejoin) {
      this.#group = undefined
      this.#mustRejoin = false
      member.rejoin()
    }
    // Without a generation the next assignment begins.
    if (this.#group !== undefined) this.#begin()
    this.#trouble = undefined
  }

  async #close(member: GroupMember | undefined): Promise<void> {
    const closing = [
      () => this.commits.finished(),
      () => this.#purger.finished(),
      () => this.#measuring.finished(),
      () => this.#parts.idleClose?.finished(),
      () => this.#intake.close(),
      () => this.#restorer.close(),
      () => this.#standbys.close(),
      () => this.#parts.producer.close(),
      () => member?.close(),
      ...[...this.#open.tasks.values(), ...this.#open.standbys.values()].map(
        ({ stores }) =>
          () =>
            stores.close(),
      ),
    ]
    this.#events.close()
    for (const close of closing) {
      try {
        await close()
      } catch (error) {
        this.#parts.log('warn', `while closing: ${messageOf(error)}`)
      }
    }
    for (const task of this.#taskList) task.state = 'closed'
  }
}

const now = () => performance.now()

function named(open: ReadonlyMap<string, unknown>): string {
  return ` (${[...open.keys()].join(' ')})`
}

async function measure(tasks: readonly Task[]): Promise<void> {
  for (const task of tasks) await task.stores.measure()
}
