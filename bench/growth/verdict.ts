/**
 * Whether an axis grows as it should: the cost of a unit of work is to stay what it is, from the first point to the last. Twice
 * the cheapest is where that has ended: over two decades it is the exponent 1.15, and no noise of a shared machine.
 */

import { powerLaw } from './fit.ts'
import type { AxisResult, PointResult } from './result.ts'

/** Cost per unit of work at the last point, by that at the cheapest. */
const mostRatio = 2
/** Exponent of cost by work, two standard errors taken off. */
const mostExponent = 1.15

export interface Verdict {
  /** Cost per record ~ quantity^this. */
  readonly costExponent: number
  /** Work per record ~ quantity^this. */
  readonly workExponent: number
  /** Cost ~ work^this, were all work like that from the first point to the last: 1 is in proportion. */
  readonly exponent: number
  /** Of the exponents of cost; null for two points. */
  readonly standardError: number | null
  /** Cost per unit of work at the last point / at the cheapest. */
  readonly lastToCheapest: number
  /** A line for people. */
  readonly says: string
  /** What is worse than allowed, a line each. */
  readonly failures: readonly string[]
}

/** @param points from small to large; a single one shows no growth, and passes but for its memory. */
export function verdictOf(
  { quantity, unit }: Pick<AxisResult, 'quantity' | 'unit'>,
  points: readonly PointResult[],
): Verdict {
  const memory = points
    .filter(({ rssMiB, rssBoundMiB }) => rssMiB > rssBoundMiB)
    .map(({ label, rssMiB, rssBoundMiB }) => `peak memory at ${label} is ${rssMiB} MiB, above ${rssBoundMiB}`)
  if (points.length < 2) {
    return {
      ...{ costExponent: 0, workExponent: 0, exponent: 1, standardError: null, lastToCheapest: 1 },
      says: 'one point shows no growth',
      failures: memory,
    }
  }
  const over = (y: (point: PointResult) => number) => powerLaw(points.map((point) => ({ x: point.value, y: y(point) })))
  const cost = over(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion)
  const work = over(({ work, records }) => work / records)
  const unitCost = over(({ cpuMicrosecondsPerUnit }) => cpuMicrosecondsPerUnit)
  const costs = points.map(({ cpuMicrosecondsPerUnit }) => cpuMicrosecondsPerUnit)
  const ratio = (costs.at(-1) as number) / Math.min(...costs)
  const exponent = 1 + unitCost.exponent
  const failures = [
    ratio > mostRatio &&
      `the cost per ${unit} at ${points.at(-1)?.label} is ${places(ratio)} times the lowest, above ${mostRatio}`,
    exponent - 2 * unitCost.standardError > mostExponent &&
      `cost grows as work^${places(exponent)}, above ${mostExponent}`,
  ].filter((line) => line !== false)
  // Work that is the number of the axis times the records can be named for itself.
  const grows =
    Math.abs(work.exponent - 1) < 0.01
      ? `grows as work^${places(exponent)}`
      : `a record's cost grows as (${quantity})^${places(cost.exponent)}, its work as ^${places(work.exponent)}`
  return {
    costExponent: places(cost.exponent),
    workExponent: places(work.exponent),
    exponent: places(exponent),
    standardError: Number.isFinite(unitCost.standardError) ? places(unitCost.standardError) : null,
    lastToCheapest: places(ratio),
    says: `${grows}; the cost per ${unit} at the last point is ${places(ratio)} times the lowest`,
    failures: [...failures, ...memory],
  }
}

function places(value: number): number {
  return Math.round(value * 100) / 100
}
