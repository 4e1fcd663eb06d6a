/** What growth gives: the numbers of each point, the judgement of each axis. */

import type { Axis, Point } from './axis.ts'
import type { Run } from './run.ts'
import type { Verdict } from './verdict.ts'

export interface PointResult {
  readonly value: number
  readonly label: string
  /** Those measured. */
  readonly records: number
  /** Units of work of these records. */
  readonly work: number
  readonly cpuSecondsPerMillion: number
  /** CPU time by work. */
  readonly cpuMicrosecondsPerUnit: number
  readonly recordsPerSecond: number
  /** Peak resident memory of the process. */
  readonly rssMiB: number
  readonly rssBoundMiB: number
  /** Of the whole run, with what was loaded before. */
  readonly outputRecords: number
}

export interface AxisResult extends Pick<Axis, 'name' | 'summary' | 'quantity' | 'unit'> {
  readonly broker: 'embedded' | 'kafka'
  readonly points: readonly PointResult[]
  readonly verdict: Verdict
}

export function pointResult(axis: Axis, point: Point, run: Run, outputRecords: number): PointResult {
  const { records, cpuSeconds, seconds, rssMiB } = run
  const work = (point.work / point.records) * records
  return {
    value: point.value,
    label: point.label,
    records,
    work: digits(work),
    cpuSecondsPerMillion: digits((cpuSeconds / records) * 1e6),
    cpuMicrosecondsPerUnit: digits((cpuSeconds / work) * 1e6),
    recordsPerSecond: Math.round(records / seconds),
    rssMiB: Math.round(rssMiB),
    rssBoundMiB: axis.rssBoundMiB(point),
    outputRecords,
  }
}

/** Of two measurements of a point the one that cost less: what else the machine does only adds. */
export function lesser(a: PointResult, b: PointResult): PointResult {
  return b.cpuMicrosecondsPerUnit < a.cpuMicrosecondsPerUnit ? b : a
}

/** A unit of work may take a thousandth of what a record takes, so digits count and not places. */
function digits(value: number): number {
  return Number(value.toPrecision(4))
}
