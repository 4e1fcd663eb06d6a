/** A side of the comparison: a program that runs a workload as a process of its own, told what to do by its arguments. */

import type { WorkloadTopics } from '../workload.ts'

export interface RunSpec extends WorkloadTopics {
  readonly bootstrap: string
  readonly workload: string
  /** Consumer group and prefix of internal topics. */
  readonly app: string
  readonly state: string
  readonly threads: number
}

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface Side {
  readonly name: SideName
  readonly version: string
  /** Keeps its state over a restart, by a changelog: what can be restored. */
  readonly durable: boolean
  readonly command: (spec: RunSpec) => Command
}

/** As the sides are called in the JSON. */
export type SideName = 'ours' | 'kafkaStreams' | 'kafkajs' | 'franzGo'

/** `key=value`, which every language reads without a library. */
export function argumentsOf(spec: RunSpec): readonly string[] {
  return Object.entries(spec).map(([key, value]) => `${key}=${value}`)
}
