/**
 * The engines of a running application, one set after another: when topics come to match a pattern, or are gone, the engines stop where they have
 * committed, and others take their place with another plan. Without patterns there is one set.
 */

import { setTimeout } from 'node:timers/promises'
import { messageOf, StreamError } from '../common/errors.ts'
import { continued } from '../metrics/continued.ts'
import { mergeSnapshots } from '../metrics/merge.ts'
import type { Snapshot } from '../metrics/snapshot.ts'
import type { Engine } from './engine.ts'
import type { GlobalTable } from './global-table.ts'
import type { Plan } from './plan.ts'
import { isRecoverable, retryDelayMs } from './recovery.ts'
import type { Task } from './task.ts'

export interface GenerationsOptions {
  /** Starts the engines of a plan. */
  readonly start: (plan: Plan) => Promise<readonly Engine[]>
  /** Resolves with the plan that takes the place of this one, or with none when it was stopped. */
  readonly next?: (plan: Plan, rebalances: () => number, stopped: AbortSignal) => Promise<Plan | undefined>
  /** The plan to go on with after the engines have failed, if there is one. */
  readonly after?: (error: unknown, plan: Plan) => Promise<Plan | undefined>
  readonly log: (level: 'warn', message: string) => void
}

export class Generations {
  readonly #options: GenerationsOptions
  #plan: Plan
  #engines: readonly Engine[]
  /** Of the sets before, as one. */
  #before: Snapshot | undefined
  #isChanging = false
  /** What ended it. */
  #failure: string | undefined
  readonly #stop = new AbortController()
  /** Settles when the last set has ended; rejects with what ended it. */
  readonly ended: Promise<void>

  private constructor(plan: Plan, engines: readonly Engine[], options: GenerationsOptions) {
    this.#plan = plan
    this.#engines = engines
    this.#options = options
    this.ended = this.#run().catch((error: unknown) => {
      this.#failure = messageOf(error)
      throw error
    })
    this.ended.catch(() => undefined)
  }

  static async start(plan: Plan, options: GenerationsOptions): Promise<Generations> {
    return new Generations(plan, await options.start(plan), options)
  }

  get plan(): Plan {
    return this.#plan
  }

  /** @throws StreamError INVALID_ARGUMENT when engines run in threads of their own, whose stores cannot be read from this one. */
  get tasks(): readonly Task[] {
    return this.#engines.flatMap(({ tasks }) => tasks ?? outOfReach())
  }

  /** Each engine has them all. @throws StreamError INVALID_ARGUMENT as `tasks`. */
  get globalTables(): ReadonlyMap<string, GlobalTable> {
    return this.#engines[0]?.globalTables ?? outOfReach()
  }

  snapshot(): Snapshot {
    const now = mergeSnapshots(this.#engines.map((engine) => engine.snapshot()))
    const whole = this.#before === undefined ? now : continued(now, this.#before)
    if (this.#failure !== undefined) {
      return { ...whole, state: 'failed', errors: { ...whole.errors, last: this.#failure } }
    }
    return this.#isChanging ? { ...whole, state: 'rebalancing' } : whole
  }

  stop(): void {
    this.#stop.abort()
    stopAll(this.#engines)
  }

  async #run(): Promise<void> {
    for (;;) {
      const ended = endOfAll(this.#engines)
      let plan = await this.#nextPlan(ended)
      this.#isChanging = plan !== undefined
      try {
        if (plan !== undefined) stopAll(this.#engines)
        try {
          await ended
        } catch (error) {
          plan = await this.#options.after?.(error, this.#plan)
          if (plan === undefined) throw error
          this.#isChanging = true
        }
        if (plan === undefined || this.#stop.signal.aborted) return
        await this.#change(plan)
      } finally {
        this.#isChanging = false
      }
    }
  }

  /** None when the engines have ended. @throws what no plan could be made for; the engines have stopped then. */
  async #nextPlan(ended: Promise<void>): Promise<Plan | undefined> {
    const { next } = this.#options
    if (next === undefined) return undefined
    const over = new AbortController()
    const stopped = AbortSignal.any([this.#stop.signal, over.signal])
    const rebalances = () => this.#engines.reduce((sum, engine) => sum + engine.snapshot().commits.rebalances, 0)
    const settled = ended.then(
      () => undefined,
      () => undefined,
    )
    try {
      return await Promise.race([settled, next(this.#plan, rebalances, stopped)])
    } catch (error) {
      stopAll(this.#engines)
      await ended
      throw error
    } finally {
      over.abort()
    }
  }

  async #change(plan: Plan): Promise<void> {
    let engines: readonly Engine[] | undefined
    for (let attempt = 1; engines === undefined; attempt++) {
      try {
        engines = await this.#options.start(plan)
      } catch (error) {
        if (this.#stop.signal.aborted) return
        if (!isRecoverable(error)) throw error
        this.#options.log('warn', `engines did not start: ${messageOf(error)}`)
        await setTimeout(retryDelayMs(attempt), undefined, { signal: this.#stop.signal }).catch(() => undefined)
      }
    }
    this.#before = this.snapshot()
    this.#plan = plan
    this.#engines = engines
    if (this.#stop.signal.aborted) stopAll(this.#engines)
  }
}

function outOfReach(): never {
  throw new StreamError('INVALID_ARGUMENT', 'the engines run in threads of their own, and keep their stores there', {
    hint: 'Start the application with its engine in this thread to read its stores.',
  })
}

function stopAll(engines: readonly Engine[]): void {
  for (const engine of engines) engine.stop()
}

/** One engine's failure stops the others: their tasks would wait for its partitions for ever. */
async function endOfAll(engines: readonly Engine[]): Promise<void> {
  const results = await Promise.allSettled(
    engines.map((engine) =>
      engine.ended.catch((error: unknown) => {
        stopAll(engines)
        throw error
      }),
    ),
  )
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
