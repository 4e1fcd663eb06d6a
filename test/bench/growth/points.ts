/** Points as measured, from what a test cares about. */

import type { PointResult } from '../../../bench/growth/result.ts'

/** @param workPerRecord 1 where work does not grow along the axis. */
export function measured(value: number, microsecondsPerRecord: number, workPerRecord = 1): PointResult {
  const records = 1000
  return {
    value,
    label: String(value),
    records,
    work: records * workPerRecord,
    cpuSecondsPerMillion: microsecondsPerRecord,
    cpuMicrosecondsPerUnit: microsecondsPerRecord / workPerRecord,
    recordsPerSecond: 100_000,
    rssMiB: 300,
    rssBoundMiB: 1024,
    outputRecords: records,
  }
}
