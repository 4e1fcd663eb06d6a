/** Engines in threads of their own: the main thread keeps the screen and the signals, and nothing of a record passes through it. */

import { Worker } from 'node:worker_threads'
import { StreamError } from '../common/errors.ts'
import type { AppState, Snapshot } from '../metrics/snapshot.ts'
import type { Engine, EngineParts, Log } from '../runtime/engine.ts'
import { externalTopics } from '../topology/external-topics.ts'
import type { Answer, Ask } from './queries/answer.ts'
import { errorFrom, type FromThread, type ThreadStart, type ToThread } from './thread-messages.ts'
import { userFailure } from './user-failure.ts'

/**
 * MiB of short-lived objects before they are collected: three times V8's semi-space. Its own default grows to 96, which costs
 * memory and buys no speed, since next to nothing of a record outlives its batch.
 */
const youngGenerationMiB = 32

/** This file's own kind: source in a checkout, JavaScript when installed. */
const entry = new URL(import.meta.url.endsWith('.ts') ? './engine-thread.ts' : './engine-thread.js', import.meta.url)

export interface ThreadOptions {
  readonly workers: number
  /** Topology file, absolute. */
  readonly file: string
  readonly bootstrap: readonly string[]
}

/**
 * Starts the engines of an application, each in a thread with its own connections, transaction and tasks.
 * @returns for `AppOptions.startEngines`.
 */
export function inThreads({ workers, file, bootstrap }: ThreadOptions) {
  return async ({ plan, settings, log }: EngineParts): Promise<readonly Engine[]> => {
    const { read, written, global } = externalTopics(plan.topology)
    const external = new Map(
      [...read, ...written, ...global].map((topic) => [topic, plan.partitions.get(topic) as number]),
    )
    const starts = Array.from({ length: workers }, (_, number): ThreadStart => {
      const identity = `${settings.identity}-${number}`
      const own = { identity, instanceId: `${settings.instanceId}-${number}` }
      return { file, appId: plan.appId, bootstrap, external, settings: { ...settings, ...own } }
    })
    const threads = starts.map((start) => new EngineThread(start, log))
    try {
      await Promise.all(threads.map((thread) => thread.started))
    } catch (error) {
      for (const thread of threads) thread.stop()
      await Promise.allSettled(threads.map((thread) => thread.ended))
      throw error
    }
    return threads
  }
}

class EngineThread implements Engine {
  readonly #thread: Worker
  #snapshot: Snapshot | undefined
  readonly tasks = undefined
  readonly globalTables = undefined
  /** Queries under way, by number. */
  readonly #asked = new Map<number, PromiseWithResolvers<Answer>>()
  #queries = 0
  #hasEnded = false
  /** Resolves at the first snapshot; rejects when the engine ends before. */
  readonly started: Promise<void>
  readonly ended: Promise<void>

  constructor(start: ThreadStart, log: Log) {
    this.#thread = new Worker(entry, {
      workerData: start,
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMiB },
    })
    let ended: { readonly error: unknown } | undefined
    let running: () => void = () => undefined
    const hasStarted = new Promise<void>((resolve) => {
      running = resolve
    })
    this.#thread.on('message', (message: FromThread) => {
      if (message.kind === 'log') log(message.level, message.message)
      else if (message.kind === 'snapshot') {
        this.#snapshot = message.snapshot
        running()
      } else if (message.kind === 'answer') {
        const asked = this.#asked.get(message.query)
        this.#asked.delete(message.query)
        if ('error' in message) asked?.reject(errorFrom(message.error))
        else asked?.resolve(message.answer)
      } else {
        ended = { error: message.error === null ? null : errorFrom(message.error) }
        // Whatever still waits in there waits for nothing.
        void this.#thread.terminate()
      }
    })
    this.ended = new Promise((resolve, reject) => {
      this.#thread.once('error', (cause) => {
        // What it did not catch itself: before it listened, or while it ended.
        const died = () => new StreamError('INTERNAL', `an engine thread died: ${cause.message}`, { cause })
        ended ??= { error: userFailure(cause, 'uncaughtException') ?? died() }
      })
      this.#thread.once('exit', (code) => {
        ended ??= { error: new StreamError('INTERNAL', `an engine thread ended by itself with ${code}`) }
        for (const { reject } of this.#asked.values()) reject(gone())
        this.#asked.clear()
        this.#hasEnded = true
        if (ended.error === null) resolve()
        else reject(ended.error)
      })
    })
    this.ended.catch(() => undefined)
    this.started = Promise.race([hasStarted, this.ended])
  }

  get state(): AppState {
    return this.snapshot().state
  }

  snapshot(): Snapshot {
    return this.#snapshot as Snapshot
  }

  /** @throws StreamError as a query of its stores, REBALANCE when it has ended. */
  readonly ask: Ask = (question) => {
    if (this.#hasEnded) return Promise.reject(gone())
    const asked = Promise.withResolvers<Answer>()
    const query = this.#queries++
    this.#asked.set(query, asked)
    const message: ToThread = { kind: 'ask', query, question }
    this.#thread.postMessage(message)
    return asked.promise
  }

  stop(): void {
    const message: ToThread = { kind: 'stop' }
    this.#thread.postMessage(message)
  }
}

function gone(): StreamError {
  return new StreamError('REBALANCE', 'the engine that was asked has ended', {
    hint: 'Ask again when the application is running.',
  })
}
