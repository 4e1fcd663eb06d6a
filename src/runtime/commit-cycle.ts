/**
 * When commits happen: one at a time, in the background, while the tasks go on with the next cycle. A failure is kept until
 * somebody takes it; no further commit starts before.
 */

import type { GroupMetadata, TransactionalProducer } from '../broker/port.ts'
import { commit } from './commit.ts'
import type { Task } from './task.ts'

export interface CommitOptions {
  readonly producer: TransactionalProducer
  readonly intervalMs: number
  /** Uncommitted bytes that make a commit due at once, and that hold processing up while another is under way. */
  readonly maxUncommittedBytes: number
}

/** ms between two sums over all tasks: with many of them a sum in each turn of the loop would be most of an idle turn. */
const measureMs = 2

export class CommitCycle {
  readonly #options: CommitOptions
  #running: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #dueAt = 0
  #measureAt = 0
  #isFull = false
  /** Commits that had something to commit. */
  count = 0
  /** Duration of the last of them, ms. */
  lastMs = 0

  constructor(options: CommitOptions) {
    this.#options = options
  }

  /** When the next commit is due, on the clock of `performance.now()`. */
  get dueAt(): number {
    return this.#dueAt
  }

  /** The next commit is due one interval from now. */
  postpone(): void {
    this.#dueAt = performance.now() + this.#options.intervalMs
  }

  /**
   * Starts a commit when it is time.
   * @param mayStart asked when it is; false puts it off to the next turn.
   * @returns what to wait for before processing more; undefined mostly.
   */
  whenDue(
    tasks: readonly Task[],
    group: GroupMetadata,
    mayStart: (isFull: boolean) => boolean = () => true,
  ): Promise<void> | undefined {
    const now = performance.now()
    if (now >= this.#measureAt) {
      this.#measureAt = now + measureMs
      this.#isFull = uncommittedBytes(tasks, this.#options.producer) >= this.#options.maxUncommittedBytes
    }
    if (this.#running !== undefined) return this.#isFull ? this.#running : undefined
    const isDue = this.#failure === undefined && (this.#isFull || now >= this.#dueAt)
    if (isDue && mayStart(this.#isFull)) this.start(tasks, group)
    return undefined
  }

  /** Seals at once; what the tasks do afterwards belongs to the next cycle. None may be under way. */
  start(tasks: readonly Task[], group: GroupMetadata): void {
    const started = performance.now()
    this.postpone()
    this.#measureAt = 0
    this.#running = commit(tasks, this.#options.producer, group)
      .then(
        (committed) => {
          if (committed === 0) return
          this.count += 1
          this.lastMs = performance.now() - started
        },
        (error: unknown) => {
          this.#failure = { error }
        },
      )
      .finally(() => {
        this.#running = undefined
      })
  }

  /** Resolves when no commit is under way. */
  async finished(): Promise<void> {
    await this.#running
  }

  /** @throws the failure of the last commit, once. */
  throwFailure(): void {
    const failure = this.takeFailure()
    if (failure !== undefined) throw failure.error
  }

  takeFailure(): { readonly error: unknown } | undefined {
    const failure = this.#failure
    this.#failure = undefined
    return failure
  }
}

export function uncommittedBytes(tasks: readonly Task[], producer: TransactionalProducer): number {
  let bytes = producer.pendingBytes
  for (const task of tasks) bytes += task.stores.uncommittedBytes
  return bytes
}
