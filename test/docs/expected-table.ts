/** The table of the demo, computed a second time without streamctl. */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The list as it lies in the npm package, in plain loops: no stream, no window, no code of the topology. */
export function expectedTable(): string {
  const file = join(dirname(fileURLToPath(import.meta.resolve('vega-datasets'))), '../data/earthquakes.json')
  const { features } = JSON.parse(readFileSync(file, 'utf8')) as {
    features: { properties: { mag: number | null; place: string; time: number; type: string } }[]
  }
  const regions = new Map<string, { quakes: number; hours: Set<number>; sum: number; strongest: number }>()
  for (const { mag, place, time, type } of features.map(({ properties }) => properties)) {
    if (type !== 'earthquake' || mag === null) continue
    let region = place.split(', ').at(-1) as string
    if (region === 'CA') region = 'California'
    if (region === 'NV') region = 'Nevada'
    if (region === 'MX') region = 'Mexico'
    const row = regions.get(region) ?? { quakes: 0, hours: new Set(), sum: 0, strongest: -10 }
    regions.set(region, row)
    row.quakes += 1
    row.hours.add(Math.floor(time / 3_600_000))
    row.sum += mag
    if (mag > row.strongest) row.strongest = mag
  }
  const sorted = [...regions].sort(([a, { quakes: x }], [b, { quakes: y }]) => y - x || (a < b ? -1 : 1))
  const rows = [['REGION', 'EARTHQUAKES', 'HOURS', 'AVERAGE', 'STRONGEST']]
  for (const [name, { quakes, hours, sum, strongest }] of sorted.slice(0, 12)) {
    rows.push([name, `${quakes}`, `${hours.size}`, (sum / quakes).toFixed(2), strongest.toFixed(1)])
  }
  const width = Math.max(...rows.map((row) => (row[0] as string).length))
  let text = ''
  for (const [name, ...cells] of rows) {
    text += `${(name as string).padEnd(width)}${cells.map((cell) => cell.padStart(11)).join('')}\n`
  }
  let quakes = 0
  let windows = 0
  for (const [, row] of regions) {
    quakes += row.quakes
    windows += row.hours.size
  }
  return `${text}${quakes} earthquakes in ${regions.size} regions, ${windows} windows of an hour\n`
}
