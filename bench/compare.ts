/**
 * This session against a baseline, by ratio to the floor: both are measured on the same machine in the same minutes, so a slow
 * machine or a busy one is slow for both. A record path that looks worse is measured again before it counts.
 */

import { type InProcess, leastOf } from './in-process/measurement.ts'
import { roundedAll, type SessionResult, type WorkloadResult } from './result.ts'

/** How much worse a ratio may be. */
const allowed = 1.1
/** Measurements of a record path that looks worse, beside the first. */
const repeats = 2

/** What `regressions` is to judge: noise that one measurement has and three have not is gone from it. */
export async function confirmed(
  now: readonly WorkloadResult[],
  baseline: SessionResult,
  measure: (workload: string) => Promise<InProcess>,
): Promise<readonly WorkloadResult[]> {
  const result: WorkloadResult[] = []
  for (let workload of now) {
    const before = baselineOf(workload, baseline)?.inProcess.ratioToFloor
    for (let left = repeats; left > 0 && isWorse(workload.inProcess.ratioToFloor, before); left--) {
      const inProcess = roundedAll(leastOf(workload.inProcess, await measure(workload.name)))
      workload = { ...workload, inProcess, floorCpuSecondsPerMillion: inProcess.floor }
    }
    result.push(workload)
  }
  return result
}

/** A workload that only one of them has is no regression. @returns a line per regression. */
export function regressions(now: readonly WorkloadResult[], baseline: SessionResult): readonly string[] {
  return now.flatMap((workload) => {
    const before = baselineOf(workload, baseline)
    if (before === undefined) return []
    return [
      regression(`${workload.name}, record path`, workload.inProcess.ratioToFloor, before.inProcess.ratioToFloor),
      regression(`${workload.name}, on Kafka`, workload.ours?.ratioToFloor, before.ours?.ratioToFloor),
    ].filter((line) => line !== undefined)
  })
}

function regression(what: string, now: number | undefined, before: number | undefined): string | undefined {
  if (now === undefined || before === undefined || !isWorse(now, before)) return undefined
  const percent = Math.round((now / before - 1) * 100)
  return `${what}: ${now} times the floor, the baseline has ${before} (+${percent} %)`
}

function isWorse(now: number, before: number | undefined): boolean {
  return before !== undefined && now > before * allowed
}

function baselineOf({ name }: WorkloadResult, { workloads }: SessionResult): WorkloadResult | undefined {
  return workloads.find((workload) => workload.name === name)
}
