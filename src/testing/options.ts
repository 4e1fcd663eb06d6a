/** What a test driver is given, and what of it cannot be. */

import { StreamError } from '../common/errors.ts'

export interface TestDriverOptions {
  /** Topics that are there from the start, for patterns to match; others are there when they are first sent to. Default none. */
  readonly topics?: readonly string[]
  /** Partitions of every topic the topology reads and writes, or of some by their names, the others having one. Default 1. */
  readonly partitions?: number | Readonly<Record<string, number>>
  /** Where the clock starts, ms since the epoch. Default 0. */
  readonly startMs?: number
  /** Default: the topology's name. */
  readonly appId?: string
  /**
   * `each-send`: what a send brings about is committed when it resolves, and records cross repartition topics at once. `manual`: only `commit`
   * commits, as it would happen at some time in an application: until then nothing can be read, records of repartition topics are processed
   * only by the next transaction, and a `crash` undoes all of it; inputs are waited for as `maxTaskIdle` says. Default `each-send`.
   */
  readonly commit?: 'each-send' | 'manual'
  /**
   * A directory in which tasks keep their state in LevelDB, as those of an application do: it outlives a crash, and lags behind the commits. Default:
   * state is in memory, and a crash loses it, so that it comes from the changelogs whole.
   */
  readonly stateDir?: string
}

/** @throws StreamError INVALID_ARGUMENT for a start that is no time, or a `commit` that there is none of. */
export function checkOptions({ startMs, commit }: TestDriverOptions): void {
  if (startMs !== undefined) requireMs(startMs, 'startMs', 'Give whole milliseconds since the epoch.')
  if (commit === undefined || commit === 'each-send' || commit === 'manual') return
  throw new StreamError('INVALID_ARGUMENT', `commit is ${JSON.stringify(commit)}`, {
    hint: "Give 'each-send', the default, or 'manual'.",
  })
}

/** @throws StreamError INVALID_ARGUMENT for a time by which a clock cannot go on. */
export function checkAdvance(ms: number): void {
  requireMs(ms, 'advanceWallClock', 'Give whole milliseconds, 0 or more: the clock never goes back.')
}

/** What is thrown when it is used after `close`. */
export function closed(): StreamError {
  return new StreamError('INVALID_ARGUMENT', 'the test driver is closed', {
    hint: 'Await what the test sends before it calls close, and make a driver for each test with createTestDriver.',
  })
}

function requireMs(ms: unknown, what: string, hint: string): void {
  if (Number.isSafeInteger(ms) && (ms as number) >= 0) return
  const given = typeof ms === 'number' ? String(ms) : (JSON.stringify(ms) ?? typeof ms)
  throw new StreamError('INVALID_ARGUMENT', `${what}: ${given} is no time in ms`, { hint })
}
