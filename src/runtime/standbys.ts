/**
 * Copies of the state of tasks that other processes run: each follows its changelogs up to what is committed there, and never further, so that its
 * checkpoint is one that a task can go on from. They are followed beside the worker's loop, from `follow` to `pause`; between the two nobody else touches
 * their stores (Kafka Streams: StandbyTask).
 */

import { setTimeout } from 'node:timers/promises'
import type { Broker, Fetcher } from '../broker/port.ts'
import { messageOf } from '../common/errors.ts'
import { partitionName } from '../common/record.ts'
import type { StandbySnapshot } from '../metrics/snapshot.ts'
import {
  applyGathered,
  changelogsOf,
  extentsOf,
  fetchOn,
  type Gathering,
  gather,
  gathering,
  isFull,
  overtakenOf,
  startOver,
  usableCheckpoint,
} from './gathering.ts'
import { isRecoverable, retryDelayMs } from './recovery.ts'
import type { TaskId } from './task-id.ts'
import type { TaskStores } from './task-stores.ts'

/** A task's state without the task. */
export interface Standby {
  readonly id: TaskId
  readonly name: string
  readonly stores: TaskStores
}

export interface StandbysOptions {
  readonly broker: Broker
  /** ms that rows are gathered for, so that a key that changes often is written once. */
  readonly applyIntervalMs: number
  readonly log: (level: 'info' | 'warn', message: string) => void
  /** Told what ended a `follow` that was not paused. */
  readonly onFailure: (error: unknown) => void
}

interface Following extends Gathering {
  /** Last stable offset as last heard of. */
  stableEnd: number
  /** When its rows were last applied, on the clock of `performance.now()`. */
  appliedAt: number
}

/** Longest wait for records, in ms. */
const maxPollMs = 100
/** Fetched and not applied, for all together. */
const gatheredBytes = 16 << 20

export class Standbys {
  readonly #options: StandbysOptions
  #fetcher: Fetcher | undefined
  #standbys: readonly Standby[] = []
  readonly #following = new Map<string, Following>()
  #pausing = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #failures = 0

  constructor(options: StandbysOptions) {
    this.#options = options
  }

  /** Follows these, in the place of others, until `pause`. Nothing may be followed yet. */
  follow(standbys: readonly Standby[]): void {
    this.#standbys = standbys
    this.#following.clear()
    if (standbys.length === 0) return
    this.#pausing = new AbortController()
    this.#running = this.#follow(this.#pausing.signal).catch(this.#options.onFailure)
  }

  /** Resolves when all that was fetched is in the stores, and nothing more comes. */
  async pause(): Promise<void> {
    this.#pausing.abort()
    this.#fetcher?.wake()
    await this.#running
  }

  /** Pauses for good. The stores stay open. */
  async close(): Promise<void> {
    await this.pause()
    await this.#fetcher?.close()
  }

  snapshot(): readonly StandbySnapshot[] {
    return this.#standbys.map((standby) => ({
      id: standby.name,
      lag: [...this.#following.values()]
        .filter(({ task }) => task === standby)
        .reduce((lag, { stableEnd, position }) => lag + Math.max(0, stableEnd - position), 0),
    }))
  }

  async #follow(paused: AbortSignal): Promise<void> {
    const { broker } = this.#options
    this.#fetcher ??= broker.fetcher({ isolation: 'committed' })
    const fetcher = this.#fetcher
    let isBegun = false
    while (!paused.aborted) {
      await this.#patiently(paused, async () => {
        if (!isBegun) await this.#begin()
        isBegun = true
        await this.#turn(fetcher, paused)
      })
    }
    fetcher.assign([])
    for (const following of this.#following.values()) await this.#apply(following)
  }

  async #begin(): Promise<void> {
    const { broker, log } = this.#options
    // What of a topic of the user's was processed is known to the one that runs the task.
    const changelogs = changelogsOf(this.#standbys).filter(({ kind }) => kind === 'own')
    for (const extent of await extentsOf(broker, changelogs, 'stable')) {
      const { changelog, logStart, end } = extent
      const { task, store, topic, partition } = changelog
      const checkpoint = await usableCheckpoint(extent, (why) =>
        log('warn', `${store} of standby ${task.name}: ${why}: following from its start`),
      )
      const position = checkpoint ?? logStart
      const following = { ...changelog, ...gathering(), position, stableEnd: end, appliedAt: performance.now() }
      this.#following.set(partitionName(topic, partition), following)
    }
    this.#assign()
  }

  async #turn(fetcher: Fetcher, paused: AbortSignal): Promise<void> {
    for (const { topic, partition, records, position, stableEnd } of await fetcher.poll(maxPollMs)) {
      const following = this.#following.get(partitionName(topic, partition))
      if (following === undefined) continue
      gather(following, records)
      following.position = position
      following.stableEnd = stableEnd
    }
    this.#failures = 0
    const now = performance.now()
    for (const following of this.#following.values()) {
      const isDue = now - following.appliedAt >= this.#options.applyIntervalMs
      const share = gatheredBytes / this.#following.size
      if (!paused.aborted && (isDue || isFull(following, share))) await this.#apply(following)
    }
  }

  async #apply(following: Following): Promise<void> {
    const { task, store, position } = following
    following.appliedAt = performance.now()
    if (task.stores.checkpointOf(store) === position) return
    await applyGathered(following)
    await task.stores.trim(store)
  }

  /** What may pass is tried again; where offsets are gone that were not read, the store starts over from what is left. */
  async #patiently(paused: AbortSignal, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const overtaken = overtakenOf(error, this.#following)
      if (overtaken === undefined && !isRecoverable(error)) throw error
      this.#failures++
      this.#options.log('warn', `${messageOf(error)}; standbys are followed on`)
      if (overtaken !== undefined) await this.#patiently(paused, () => startOver(this.#options.broker, overtaken))
      else await setTimeout(retryDelayMs(this.#failures), undefined, { signal: paused }).catch(() => undefined)
      // A fetcher goes on where an earlier assignment stood.
      this.#assign()
    }
  }

  #assign(): void {
    if (this.#fetcher !== undefined) fetchOn(this.#fetcher, this.#following.values())
  }
}
