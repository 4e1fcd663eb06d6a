/** How a commit waits for calls to the outside: until all have ended, the tasks that make them take no more records. */

import type { Clock } from '../common/time.ts'
import type { Task } from './task.ts'
import { Wake } from './wake.ts'

/** How long a commit that cannot be put off waits for calls, in ms: well below what a group waits for a member. */
export const callPatienceMs = 10_000

export class HeldCalls {
  readonly #clock: Clock
  /** A task has something to do that it had to wait for. */
  readonly #resumed: (task: Task) => void
  #tasks: readonly Task[] = []
  /** Tasks that call to the outside. */
  #callers: readonly Task[] = []
  #isHolding = false
  readonly #ready = new Wake()

  constructor(clock: Clock, resumed: (task: Task) => void) {
    this.#clock = clock
    this.#resumed = resumed
  }

  /** @param ready told of a task with a call that has ended. */
  assign(tasks: readonly Task[], ready: (task: Task) => void): void {
    this.#tasks = tasks
    this.#callers = tasks.filter((task) => task.hasCalls)
    for (const task of this.#callers) {
      task.onReady(() => {
        ready(task)
        this.#ready.tell()
      })
    }
  }

  /** No task calls to the outside. */
  get isNone(): boolean {
    return this.#callers.length === 0
  }

  /** A commit waits. */
  get isHolding(): boolean {
    return this.#isHolding
  }

  /** The tasks stop: nothing is waited for. */
  forget(): void {
    this.#isHolding = false
  }

  /**
   * Whether every call has ended, so that a commit may begin. Else the tasks that call take no more records until it has, and where
   * memory is full no task does.
   */
  ended(isFull: boolean): boolean {
    if (this.#callers.every((task) => task.inFlight === 0)) {
      this.#letGo()
      return true
    }
    this.#hold(isFull ? this.#tasks : this.#callers)
    return false
  }

  /** Runs on every call under way. @returns false when one did not end in time. */
  async end(): Promise<boolean> {
    const until = now() + callPatienceMs
    const waiting = () => this.#callers.filter((task) => task.inFlight > 0)
    this.#hold(this.#callers)
    for (let tasks = waiting(); tasks.length > 0; tasks = waiting()) {
      for (const task of tasks) {
        task.expireCalls()
        task.run(Number.POSITIVE_INFINITY, now)
      }
      const left = until - now()
      if (waiting().length === 0) break
      if (left <= 0) return false
      const deadline = Math.min(...tasks.map((task) => task.callDeadline))
      await this.#ready.wait(Math.max(1, Math.min(left, deadline - this.#clock())))
    }
    this.#letGo()
    return true
  }

  #hold(tasks: readonly Task[]): void {
    this.#isHolding = true
    for (const task of tasks) task.isHeld = true
  }

  #letGo(): void {
    if (!this.#isHolding) return
    this.#isHolding = false
    for (const task of this.#tasks) {
      if (!task.isHeld) continue
      task.isHeld = false
      this.#resumed(task)
    }
  }
}

const now = () => performance.now()
