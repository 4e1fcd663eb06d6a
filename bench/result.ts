/** What a session gives: the JSON that `--json` prints, and that a baseline is. */

import type { InProcess } from './in-process/measurement.ts'
import type { Latency } from './measure/latency.ts'
import type { Restore } from './measure/restore.ts'
import { rounded, type Spread, spreadOf } from './measure/statistics.ts'
import type { Throughput } from './measure/throughput.ts'
import type { SideName } from './sides/side.ts'

/** Medians over the runs; `spread` has the least and the greatest of each. */
export interface SideResult extends Throughput {
  readonly runs: number
  readonly spread: Readonly<Record<keyof Throughput, Spread>>
  /** cpuSecondsPerMillion / that of the floor in the same session; ours only. */
  readonly ratioToFloor?: number
  readonly latency?: Latency
  readonly restore?: Restore
}

export type SideResults = { readonly [Name in SideName]?: SideResult }

export interface WorkloadResult extends SideResults {
  readonly name: string
  readonly summary: string
  /** CPU seconds of the same work by hand, in one loop without broker and state. */
  readonly floorCpuSecondsPerMillion: number
  readonly inProcess: InProcess
  /** Ours over Kafka Streams': throughput, CPU, memory. */
  readonly speedup?: number
  readonly cpuRatio?: number
  readonly rssRatio?: number
  /** Our throughput over that of the loop in Go. */
  readonly ofFranzGo?: number
}

export interface SessionResult {
  readonly settings: Readonly<Record<string, unknown>>
  readonly workloads: readonly WorkloadResult[]
}

export function sideResult(runs: readonly Throughput[], floor: number | undefined): SideResult {
  const metrics = Object.keys(runs[0] as Throughput) as (keyof Throughput)[]
  const each = <T>(of: (metric: keyof Throughput) => T) =>
    Object.fromEntries(metrics.map((metric) => [metric, of(metric)])) as Record<keyof Throughput, T>
  const spread = each((metric) => spreadOf(runs.map((run) => run[metric])))
  const medians = each((metric) => spread[metric].median)
  return {
    ...medians,
    runs: runs.length,
    spread,
    ...(floor !== undefined && { ratioToFloor: rounded(medians.cpuSecondsPerMillion / floor) }),
  }
}

/** Every number of it for people; there is nothing to gain from the tenth digit. */
export function roundedAll<T extends object>(numbers: T): T {
  const entries = Object.entries(numbers).map(([key, value]) => [
    key,
    typeof value === 'number' ? rounded(value) : value,
  ])
  return Object.fromEntries(entries) as T
}

export function ratios({ ours, kafkaStreams, franzGo }: SideResults) {
  const over = (peer: SideResult | undefined, metric: keyof Throughput) =>
    ours === undefined || peer === undefined ? undefined : rounded(ours[metric] / peer[metric])
  return Object.fromEntries(
    Object.entries({
      speedup: over(kafkaStreams, 'recordsPerSecond'),
      cpuRatio: over(kafkaStreams, 'cpuSecondsPerMillion'),
      rssRatio: over(kafkaStreams, 'rssMiB'),
      ofFranzGo: over(franzGo, 'recordsPerSecond'),
    }).filter(([, ratio]) => ratio !== undefined),
  ) as Partial<Record<'speedup' | 'cpuRatio' | 'rssRatio' | 'ofFranzGo', number>>
}
