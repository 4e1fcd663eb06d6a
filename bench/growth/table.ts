/** Growth as lines of text. */

import type { AxisResult, PointResult } from './result.ts'

export function growthTable(axes: readonly AxisResult[]): string {
  return axes
    .map(({ name, broker, summary, unit, points, verdict }) => {
      const lines = [
        `${name}, ${broker}: ${summary}`,
        ...points.map((point) => `  ${pointLine(point)}   ${point.cpuMicrosecondsPerUnit} µs per ${unit}`),
        `  ${verdict.says}`,
        ...verdict.failures.map((failure) => `  too much: ${failure}`),
      ]
      return `${lines.join('\n')}\n`
    })
    .join('\n')
}

export function pointLine({ label, cpuSecondsPerMillion, recordsPerSecond, rssMiB }: PointResult): string {
  const rate = `${recordsPerSecond.toLocaleString('en')} records/s`
  return `${label.padEnd(12)} ${`${cpuSecondsPerMillion} CPU s per million`.padEnd(26)} ${rate.padEnd(18)} ${rssMiB} MiB`
}
