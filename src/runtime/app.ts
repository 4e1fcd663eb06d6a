/** A running topology: planned, its state directory locked, its engines started, and all of it taken apart in order. */

import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { StreamError } from '../common/errors.ts'
import { systemClock } from '../common/time.ts'
import { openStateDirectory, type StateDirectory } from '../state/directory.ts'
import type { Topology } from '../topology/node.ts'
import { matching, patternsOf } from '../topology/patterns.ts'
import type { AppOptions, StreamsApp } from './app-options.ts'
import { caughtUp } from './caught-up.ts'
import { type Engine, type EngineParts, startEngine } from './engine.ts'
import { Generations } from './generations.ts'
import { makePlan, type Plan } from './plan.ts'
import { processId } from './process-id.ts'
import { storeLookup } from './queries.ts'
import { openSerdes } from './serdes.ts'
import { StateCleanup } from './state-cleanup.ts'
import { nextPlan, planWithout } from './topic-watch.ts'

const caughtUpLookMs = 100

/**
 * Runs a topology against a broker. Resolves when the plan stands, internal topics exist and the group is being joined;
 * the broker stays the caller's to close, after `ended`.
 * @throws StreamError TOPIC_MISSING, NOT_COPARTITIONED, LOCKED, UNREACHABLE, UNAUTHORIZED, INVALID_ARGUMENT.
 */
export async function startApp(topology: Topology, options: AppOptions): Promise<StreamsApp> {
  const { broker, metadataMaxAgeMs: maxAgeMs = 60_000 } = options
  const appId = options.appId ?? topology.name
  const log = options.log ?? (() => undefined)
  const cleanupDelayMs = cleanupDelayOf(options)
  const plan = await makePlan(topology, appId, broker, options.topicConfigs)
  await openSerdes(topology)
  const directory = await stateDirectory(options, appId)
  try {
    const settings = await settingsOf(options, directory)
    const clock = options.clock ?? systemClock
    const startEngines = options.startEngines ?? startHere
    const first = new Set(plan.externalSources)
    warnOfNoTopics(topology, plan, log)
    const generations = await Generations.start(plan, {
      start: (plan) => {
        const come = plan.externalSources.filter((topic) => !first.has(topic))
        return startEngines({ plan, broker, settings: { ...settings, come }, clock, log })
      },
      ...(patternsOf(topology).length > 0 && {
        next: (plan, rebalances, stopped) => nextPlan(plan, { topology, broker, maxAgeMs, rebalances, log, stopped }),
        after: (error, plan) => planWithout(error, plan, { topology, broker, log }),
      }),
      log,
    })
    const open = (): ReadonlySet<string> => {
      const { tasks, standbys } = generations.snapshot()
      return new Set([...tasks, ...standbys].map(({ id }) => id))
    }
    const cleanup =
      directory === null
        ? undefined
        : new StateCleanup({ path: directory.path, delayMs: cleanupDelayMs, open, clock, log })
    const ended = generations.ended.finally(async () => {
      await cleanup?.stop()
      await directory?.close()
    })
    ended.catch(() => undefined)
    return {
      ended,
      snapshot: () => generations.snapshot(),
      store: storeLookup(generations),
      caughtUp: () => caughtUp(generations.plan, { broker, groupId: appId, pause: () => pauseWhile(ended) }),
      stop: () => {
        generations.stop()
        return ended
      },
    }
  } catch (error) {
    await directory?.close()
    throw error
  }
}

/** One engine, in this thread. */
export async function startHere(parts: EngineParts): Promise<readonly Engine[]> {
  return [await startEngine(parts)]
}

function warnOfNoTopics(topology: Topology, { appId, externalSources }: Plan, log: EngineParts['log']): void {
  for (const pattern of patternsOf(topology)) {
    if (matching([pattern], appId, externalSources).length > 0) continue
    log('warn', `no topic matches ${pattern.name} yet: nothing is read by it until there is one`)
  }
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

function stateDirectory(options: AppOptions, appId: string): Promise<StateDirectory> | null {
  if (options.stateDir === null) return null
  return openStateDirectory({ stateDir: options.stateDir ?? '.streamctl/state', appId })
}

async function settingsOf(
  options: AppOptions,
  directory: StateDirectory | null,
): Promise<Omit<EngineParts['settings'], 'come'>> {
  const identity = directory === null ? randomUUID() : await processId(directory.path)
  const commitIntervalMs = options.commitIntervalMs ?? 100
  return {
    identity,
    statePath: directory?.path ?? null,
    commitIntervalMs,
    maxUncommittedBytes: options.maxUncommittedBytes ?? 64 << 20,
    stateMemoryBytes: options.stateMemoryBytes ?? 256 << 20,
    flushIntervalMs: options.flushIntervalMs ?? 1000,
    from: options.from ?? 'earliest',
    instanceId: options.instanceId ?? identity,
    process: identity,
    standbys: standbysOf(options),
    sessionTimeoutMs: options.sessionTimeoutMs ?? null,
    transactionTimeoutMs: transactionTimeout(commitIntervalMs, options.transactionTimeoutMs),
    applicationServer: null,
  }
}

function cleanupDelayOf({ stateCleanupDelayMs: delayMs = 600_000 }: AppOptions): number {
  if (Number.isSafeInteger(delayMs) && delayMs > 0) return delayMs
  throw new StreamError('INVALID_ARGUMENT', `stateCleanupDelayMs: ${delayMs} is not a whole number of ms above 0`, {
    hint: 'Give the time after which the local state of a task that is no longer here is removed: 600000 for ten minutes.',
  })
}

function standbysOf({ standbys = 0 }: AppOptions): number {
  if (Number.isSafeInteger(standbys) && standbys >= 0) return standbys
  throw new StreamError('INVALID_ARGUMENT', `standbys: ${standbys} is not a whole number of copies`, {
    hint: "Give the number of copies of each task's state on other processes: 0 for none, 1 to outlive one process.",
  })
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
