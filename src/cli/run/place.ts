/** Where a run has its state and its engines, which follows from its broker. */

import { resolve } from 'node:path'
import type { AppOptions } from '../../runtime/app-options.ts'
import type { BrokerChoice } from '../brokers.ts'
import { UsageError } from '../errors.ts'
import type { Io } from '../io.ts'
import { inThreads } from '../threads.ts'
import type { RunOptions } from './options.ts'

/**
 * State belongs to its broker: rows from one would be wrong on another.
 * @returns null where it is kept in memory. @throws UsageError for a directory that would outlive its broker.
 */
export function stateDirOf({ stateDir }: RunOptions, choice: BrokerChoice, { cwd }: Io): string | null {
  if (choice.kind === 'kafka') return resolve(cwd, stateDir ?? '.streamctl/state')
  if (choice.dir !== null) return stateDir === undefined ? resolve(choice.dir, 'state') : resolve(cwd, stateDir)
  if (stateDir === undefined) return null
  throw new UsageError(
    '--state-dir keeps what the broker in memory forgets',
    'Leave --state-dir out, or keep the broker too: --broker embedded.',
  )
}

/**
 * On Kafka the engines have threads of their own, so that a busy one delays neither the screen nor another's heartbeats. The
 * embedded broker lives in this thread, and so does what runs on it: undefined. @throws UsageError for more of them there.
 */
export function enginesOf(
  file: string,
  { workers = 1 }: RunOptions,
  choice: BrokerChoice,
  { cwd }: Io,
): AppOptions['startEngines'] {
  if (choice.kind === 'kafka') return inThreads({ workers, file: resolve(cwd, file), bootstrap: choice.bootstrap })
  if (workers === 1) return undefined
  throw new UsageError(
    `--workers ${workers} needs Kafka`,
    'The embedded broker runs one worker; give --broker host:9092.',
  )
}
