/** What `run` is asked for, what of it cannot be, and what it makes of the application's own options. */

import type { AppOptions } from '../../runtime/app-options.ts'
import { UsageError } from '../errors.ts'
import type { TopicConfig, TopicFile } from '../options.ts'
import type { Address } from '../queries/address.ts'

export interface RunOptions {
  readonly broker?: string | undefined
  readonly appId?: string | undefined
  readonly in?: readonly TopicFile[] | undefined
  readonly out?: readonly TopicFile[] | undefined
  /** Records a second of each --in file. */
  readonly rate?: number | undefined
  readonly until?: 'caught-up' | undefined
  /** ms. */
  readonly timeout?: number | undefined
  /** ms. */
  readonly commitInterval?: number | undefined
  /** MiB. */
  readonly stateMemory?: number | undefined
  /** ms. */
  readonly stateCleanupDelay?: number | undefined
  /** Copies of each task's state. */
  readonly standbys?: number | undefined
  readonly stateDir?: string | undefined
  readonly from?: 'earliest' | 'latest' | undefined
  /** ms. */
  readonly metadataMaxAge?: number | undefined
  readonly partitions?: number | undefined
  /** Of internal topics that are created. */
  readonly topicConfig?: readonly TopicConfig[] | undefined
  readonly instanceId?: string | undefined
  /** ms. */
  readonly sessionTimeout?: number | undefined
  /** Engine threads. */
  readonly workers?: number | undefined
  /** Where queries over HTTP are answered. */
  readonly queries?: Address | undefined
  /** Runs what the lock says needs a reset. */
  readonly acceptTopology?: boolean | undefined
  readonly tui?: boolean | undefined
  readonly json?: boolean | undefined
}

/** @throws UsageError for options that cannot be together. */
export function checkCombination(options: RunOptions): void {
  const { in: inputs = [], out: outputs = [] } = options
  if (inputs.filter((input) => input.file === '-').length > 1) {
    throw new UsageError('stdin is bound to two topics', 'Bind it to one: --in topic=-.')
  }
  for (const [flag, files] of [
    ['--in', inputs],
    ['--out', outputs],
  ] as const) {
    const twice = repeated(files.map(({ topic }) => topic))
    if (twice !== undefined) throw new UsageError(`${flag} names the topic ${twice} twice`, 'Name each topic once.')
  }
  const twice = repeated((options.topicConfig ?? []).map(({ name }) => name))
  if (twice !== undefined) throw new UsageError(`--topic-config gives ${twice} twice`, 'Give each config once.')
  if (options.json === true && outputs.some((output) => output.file === '-')) {
    throw new UsageError(
      '--json and --out topic=- both write to stdout',
      'Write the results to a file, or leave --json out.',
    )
  }
  if (options.rate !== undefined && inputs.length === 0) {
    throw new UsageError('--rate says how fast --in is fed, which is not given', 'Add --in topic=file.')
  }
  if (options.timeout !== undefined && options.until === undefined) {
    throw new UsageError('--timeout says how long to wait for --until, which is not given', 'Add --until caught-up.')
  }
}

function repeated(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index)
}

/** What is handed on to the application as it is; what is not given is left to its defaults. */
export function appOptions({
  commitInterval,
  stateMemory,
  stateCleanupDelay,
  standbys,
  instanceId,
  sessionTimeout,
  from,
  metadataMaxAge,
  topicConfig,
}: RunOptions): Partial<AppOptions> {
  return {
    ...(commitInterval === undefined ? {} : { commitIntervalMs: commitInterval }),
    ...(stateMemory === undefined ? {} : { stateMemoryBytes: stateMemory * 1024 * 1024 }),
    ...(stateCleanupDelay === undefined ? {} : { stateCleanupDelayMs: stateCleanupDelay }),
    ...(standbys === undefined ? {} : { standbys }),
    ...(instanceId === undefined ? {} : { instanceId }),
    ...(sessionTimeout === undefined ? {} : { sessionTimeoutMs: sessionTimeout }),
    ...(from === undefined ? {} : { from }),
    ...(metadataMaxAge === undefined ? {} : { metadataMaxAgeMs: metadataMaxAge }),
    ...(topicConfig && { topicConfigs: Object.fromEntries(topicConfig.map(({ name, value }) => [name, value])) }),
  }
}
