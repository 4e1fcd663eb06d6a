/** Which point a process works on, and where: given as JSON, because functions do not cross processes. */

import { axes } from './axes.ts'
import type { GrowthTopics, Point } from './axis.ts'

export interface PointSpec extends GrowthTopics {
  readonly axis: string
  /** Of the point on its axis. */
  readonly index: number
  /** As given to the axis. */
  readonly records: number
  /** Kafka; null for the embedded broker. */
  readonly bootstrap: string | null
  readonly app: string
  /** The embedded broker's. */
  readonly brokerDir: string
  readonly stateDir: string
}

/** @throws Error when there is no such point. */
export function pointOf({ axis, index, records }: Pick<PointSpec, 'axis' | 'index' | 'records'>): Point {
  const point = axes.get(axis)?.points(records)[index]
  if (point === undefined) throw new Error(`there is no point ${index} on the axis ${axis}`)
  return point
}
