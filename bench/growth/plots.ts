/** A chart for each axis, with a line for each broker it was measured on. */

import { type Chart, chart, type Series } from './chart.ts'
import type { AxisResult } from './result.ts'

const brokers: Readonly<Record<AxisResult['broker'], string>> = { embedded: 'embedded broker', kafka: 'Kafka' }

/** @returns the text of an SVG file by the name of its axis. */
export function plots(results: readonly AxisResult[]): ReadonlyMap<string, string> {
  const names = [...new Set(results.map(({ name }) => name))]
  return new Map(names.map((name) => [name, chart(chartOf(results.filter((result) => result.name === name)))]))
}

function chartOf(results: readonly AxisResult[]): Chart {
  const { name, summary, quantity } = results[0] as AxisResult
  return {
    title: `${name}: ${summary}`,
    x: quantity,
    // CPU seconds per million records are the same number.
    y: 'CPU µs per record',
    series: results.map(seriesOf),
  }
}

function seriesOf({ broker, points }: AxisResult): Series {
  const lowest = Math.min(...points.map(({ cpuMicrosecondsPerUnit }) => cpuMicrosecondsPerUnit))
  return {
    name: brokers[broker],
    points: points.map(({ value, label, cpuSecondsPerMillion, work, records }) => ({
      x: value,
      label,
      y: cpuSecondsPerMillion,
      proportional: (lowest * work) / records,
    })),
  }
}
