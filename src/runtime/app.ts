/** A running topology: planned, its state directory locked, its engines started, and all of it taken apart in order. */

import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { StreamError } from '../common/errors.ts'
import { systemClock } from '../common/time.ts'
import { mergeSnapshots } from '../metrics/merge.ts'
import { openStateDirectory, type StateDirectory } from '../state/directory.ts'
import type { Topology } from '../topology/node.ts'
import type { AppOptions, StreamsApp } from './app-options.ts'
import { caughtUp } from './caught-up.ts'
import { type Engine, type EngineParts, startEngine } from './engine.ts'
import { makePlan } from './plan.ts'
import { processId } from './process-id.ts'
import { openSerdes } from './serdes.ts'

const caughtUpLookMs = 100

/**
 * Runs a topology against a broker. Resolves when the plan stands, internal topics exist and the group is being joined;
 * the broker stays the caller's to close, after `ended`.
 * @throws StreamError TOPIC_MISSING, NOT_COPARTITIONED, LOCKED, UNREACHABLE, UNAUTHORIZED, INVALID_ARGUMENT.
 */
export async function startApp(topology: Topology, options: AppOptions): Promise<StreamsApp> {
  const { broker } = options
  const appId = options.appId ?? topology.name
  const plan = await makePlan(topology, appId, broker)
  await openSerdes(topology)
  const directory = await stateDirectory(options, appId)
  try {
    const parts: EngineParts = {
      plan,
      broker,
      settings: await settingsOf(options, directory),
      clock: options.clock ?? systemClock,
      log: options.log ?? (() => undefined),
    }
    const engines = await (options.startEngines ?? startHere)(parts)
    const ended = endOfAll(engines).finally(() => directory?.close())
    ended.catch(() => undefined)
    return {
      ended,
      snapshot: () => mergeSnapshots(engines.map((engine) => engine.snapshot())),
      caughtUp: () => caughtUp(plan, { broker, groupId: appId, pause: () => pauseWhile(ended) }),
      stop: () => {
        for (const engine of engines) engine.stop()
        return ended
      },
    }
  } catch (error) {
    await directory?.close()
    throw error
  }
}

async function startHere(parts: EngineParts): Promise<readonly Engine[]> {
  return [await startEngine(parts)]
}

/** @throws what the app failed with; INTERNAL when it was stopped: it will not catch up any more. */
async function pauseWhile(ended: Promise<void>): Promise<void> {
  const pause = new AbortController()
  const stopped = ended.then(() => {
    throw new StreamError('INTERNAL', 'the application was stopped before it had caught up')
  })
  try {
    await Promise.race([setTimeout(caughtUpLookMs, undefined, { signal: pause.signal }), stopped])
  } finally {
    pause.abort()
  }
}

/** One engine's failure stops the others: their tasks would wait for its partitions for ever. */
async function endOfAll(engines: readonly Engine[]): Promise<void> {
  const results = await Promise.allSettled(
    engines.map((engine) =>
      engine.ended.catch((error: unknown) => {
        for (const other of engines) other.stop()
        throw error
      }),
    ),
  )
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

function stateDirectory(options: AppOptions, appId: string): Promise<StateDirectory> | null {
  if (options.stateDir === null) return null
  return openStateDirectory({ stateDir: options.stateDir ?? '.streamctl/state', appId })
}

async function settingsOf(options: AppOptions, directory: StateDirectory | null): Promise<EngineParts['settings']> {
  const identity = directory === null ? randomUUID() : await processId(directory.path)
  const commitIntervalMs = options.commitIntervalMs ?? 100
  return {
    identity,
    engines: 1,
    statePath: directory?.path ?? null,
    commitIntervalMs,
    maxUncommittedBytes: options.maxUncommittedBytes ?? 64 << 20,
    stateMemoryBytes: options.stateMemoryBytes ?? 256 << 20,
    flushIntervalMs: options.flushIntervalMs ?? 1000,
    from: options.from ?? 'earliest',
    instanceId: options.instanceId ?? identity,
    sessionTimeoutMs: options.sessionTimeoutMs ?? null,
    transactionTimeoutMs: transactionTimeout(commitIntervalMs, options.transactionTimeoutMs),
  }
}

/** Kafka Streams' default under exactly-once; also what is left for the commit itself. */
const leastTransactionMs = 10_000
/** A broker refuses more by default (transaction.max.timeout.ms). */
const mostTransactionMs = 900_000

/** A transaction may open right after a commit, so its timeout must outlast the interval; else the broker ends each one. */
function transactionTimeout(commitIntervalMs: number, given: number | undefined): number {
  const needed = leastTransactionMs + (commitIntervalMs > 1000 ? 2 * commitIntervalMs : 0)
  const timeout = given ?? needed
  if (timeout <= commitIntervalMs || timeout > mostTransactionMs) {
    throw new StreamError(
      'INVALID_ARGUMENT',
      `a commit interval of ${commitIntervalMs} ms does not fit a transaction timeout of ${timeout} ms`,
      {
        hint: `The timeout must outlast the interval, and a broker allows at most ${mostTransactionMs} ms. Commit more often.`,
      },
    )
  }
  return timeout
}
