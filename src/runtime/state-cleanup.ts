/** Removes the local state of tasks that are gone from this process for long, round after round beside the engines (Kafka Streams: state.cleanup.delay.ms). */

import { messageOf } from '../common/errors.ts'
import type { Clock } from '../common/time.ts'
import { removeLeftovers, removeUnused, usedStates } from '../state/stale.ts'
import { Background } from './background.ts'

/** Most ms between two rounds. */
const maxIntervalMs = 60_000

export interface StateCleanupOptions {
  /** Directory that holds a directory per task, locked by this process. */
  readonly path: string
  /** ms that a task's state must not have been used. */
  readonly delayMs: number
  /** Names of the tasks whose state is open here, as far as is known: what is open is locked as well. */
  readonly open: () => ReadonlySet<string>
  readonly clock: Clock
  readonly log: (level: 'info' | 'warn', message: string) => void
}

export class StateCleanup {
  readonly #options: StateCleanupOptions
  /** A killed process has not said when it last used a state, so all counts as used until now. */
  readonly #startedAt: number
  readonly #timer: NodeJS.Timeout
  readonly #rounds: Background
  /** Tasks whose state cannot be removed: told once. */
  readonly #told = new Set<string>()
  #isStopped = false

  /** Goes on until `stop`, and keeps no process alive. */
  constructor(options: StateCleanupOptions) {
    const { delayMs, clock, log } = options
    this.#options = options
    this.#startedAt = clock()
    this.#rounds = new Background(0, (message) => log('warn', `unused state was not looked for: ${message}`))
    const look = (): void => this.#rounds.whenDue(performance.now(), () => this.#round())
    this.#timer = setInterval(look, Math.min(delayMs, maxIntervalMs)).unref()
  }

  /** Resolves when no round is under way, and none comes. */
  stop(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    return this.#rounds.finished()
  }

  async #round(): Promise<void> {
    const { path, delayMs, clock } = this.#options
    await removeLeftovers(path)
    const usedBefore = clock() - delayMs
    if (usedBefore < this.#startedAt) return
    const open = this.#options.open()
    for (const { task, usedAt } of await usedStates(path)) {
      if (this.#isStopped) return
      if (usedAt < usedBefore && !open.has(task)) await this.#remove(task, usedAt, usedBefore)
    }
  }

  async #remove(task: string, usedAt: number, usedBefore: number): Promise<void> {
    const { path, clock, log } = this.#options
    const unused = `not used for ${Math.floor((clock() - Math.max(usedAt, this.#startedAt)) / 1000)} s`
    try {
      if (await removeUnused(path, task, usedBefore)) log('info', `state of task ${task} was removed: ${unused}`)
    } catch (error) {
      if (this.#told.has(task)) return
      this.#told.add(task)
      log('warn', `state of task ${task} stays in ${path}, though ${unused}: ${messageOf(error)}`)
    }
  }
}
