/** Medians with their spread, percentiles, and numbers rounded for people. */

/** A metric over several runs. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** @throws RangeError for no values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = sort(values)
  const middle = sorted.length >> 1
  const upper = sorted[middle]
  if (upper === undefined) throw new RangeError('no values')
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
  return { median: rounded(median), min: rounded(sorted[0] as number), max: rounded(sorted.at(-1) as number) }
}

/** Nearest rank. NaN for no values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = sort(values)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** Whole numbers from 100 on, two places below. */
export function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 100) / 100
}

function sort(values: readonly number[]): readonly number[] {
  return [...values].sort((a, b) => a - b)
}
