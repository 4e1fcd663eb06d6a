/** How steeply something grows: the exponent of a power law, by least squares on the logarithms of both sides. */

export interface Fit {
  readonly exponent: number
  /** Of the exponent; Infinity for two points, through which a line always goes. */
  readonly standardError: number
}

export interface Pair {
  /** Above 0, as y. */
  readonly x: number
  readonly y: number
}

/** @throws RangeError for points that do not lie at two places of x at least. */
export function powerLaw(pairs: readonly Pair[]): Fit {
  const logs = pairs.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }))
  const mean = { x: average(logs.map(({ x }) => x)), y: average(logs.map(({ y }) => y)) }
  const spread = logs.reduce((sum, { x }) => sum + (x - mean.x) ** 2, 0)
  if (!(spread > 0)) throw new RangeError('a line needs points at two places')
  const exponent = logs.reduce((sum, { x, y }) => sum + (x - mean.x) * (y - mean.y), 0) / spread
  const residual = logs.reduce((sum, { x, y }) => sum + (y - mean.y - exponent * (x - mean.x)) ** 2, 0)
  const freedom = pairs.length - 2
  return { exponent, standardError: freedom > 0 ? Math.sqrt(residual / freedom / spread) : Number.POSITIVE_INFINITY }
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
