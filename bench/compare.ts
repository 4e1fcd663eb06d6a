/**
 * This session against a baseline, by ratio to the floor: both are measured on the same machine in the same minutes, so a slow
 * machine or a busy one is slow for both.
 */

import type { SessionResult, WorkloadResult } from './result.ts'

/** How much worse a ratio may be. */
const allowed = 1.1

/** A workload that only one side has is no regression. @returns a line per regression. */
export function regressions(now: readonly WorkloadResult[], baseline: SessionResult): readonly string[] {
  return now.flatMap((workload) => {
    const before = baseline.workloads.find(({ name }) => name === workload.name)
    if (before === undefined) return []
    return [
      regression(`${workload.name}, record path`, workload.inProcess.ratioToFloor, before.inProcess.ratioToFloor),
      regression(`${workload.name}, on Kafka`, workload.ours?.ratioToFloor, before.ours?.ratioToFloor),
    ].filter((line) => line !== undefined)
  })
}

function regression(what: string, now: number | undefined, before: number | undefined): string | undefined {
  if (now === undefined || before === undefined || now <= before * allowed) return undefined
  const percent = Math.round((now / before - 1) * 100)
  return `${what}: ${now} times the floor, the baseline has ${before} (+${percent} %)`
}
