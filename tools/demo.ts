/**
 * `npm run demo`: a week of real earthquakes through topologies/earthquakes.ts on the embedded broker, slow enough to
 * watch, then what came out as a table. What the table says is what the topology wrote, nothing is computed beside it.
 */

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quakeRecords } from '../topologies/data/earthquakes.ts'
import type { RegionHour } from '../topologies/earthquakes.ts'

/** About 9 seconds for the whole week. */
const recordsPerSecond = 200
const shownRegions = 12

interface Result {
  readonly key: { readonly key: string; readonly start: number }
  readonly value: RegionHour
}

interface Region {
  readonly name: string
  readonly hours: number
  readonly quakes: number
  readonly average: number
  readonly strongest: number
}

const dir = mkdtempSync(join(tmpdir(), 'streamctl-demo-'))
process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
const input = join(dir, 'earthquakes.ndjson')
const output = join(dir, 'results.ndjson')
const lines = quakeRecords().map((record) => `${JSON.stringify(record)}\n`)
writeFileSync(input, lines.join(''))

const root = join(import.meta.dirname, '..')
const code = await streamctl([
  ...['run', join(root, 'topologies/earthquakes.ts'), '--broker', 'embedded:memory', '--partitions', '3'],
  ...['--in', `earthquakes=${input}`, '--rate', String(recordsPerSecond)],
  ...['--out', `earthquakes-per-region-and-hour=${output}`, '--until', 'caught-up'],
])
if (code === 0) process.stdout.write(table(regions(lastOfEach(readFileSync(output, 'utf8')))))
else process.exitCode = code

/** The command of this checkout: `npm run` has it on the path. */
function streamctl(args: readonly string[]): Promise<number> {
  const child = spawn('streamctl', args, { stdio: 'inherit', shell: process.platform === 'win32' })
  // Ctrl-C goes to both; the child decides what it means.
  process.on('SIGINT', () => undefined)
  return new Promise((resolve) => {
    child.once('error', (error) => {
      process.stderr.write(`demo: ${error.message}. Run it as: npm run demo\n`)
      resolve(1)
    })
    child.once('close', (code) => resolve(code ?? 1))
  })
}

/** A window's row is written again with each earthquake in it: the last one counts. */
function lastOfEach(ndjson: string): readonly Result[] {
  const last = new Map<string, Result>()
  for (const line of ndjson.split('\n')) {
    if (line === '') continue
    const result = JSON.parse(line) as Result
    last.set(`${result.key.start} ${result.key.key}`, result)
  }
  return [...last.values()]
}

function regions(results: readonly Result[]): readonly Region[] {
  return [...Map.groupBy(results, ({ key }) => key.key)]
    .map(([name, hours]) => {
      const quakes = hours.reduce((sum, { value }) => sum + value.count, 0)
      const magnitudes = hours.reduce((sum, { value }) => sum + value.sum, 0)
      const strongest = Math.max(...hours.map(({ value }) => value.strongest))
      return { name, hours: hours.length, quakes, average: magnitudes / quakes, strongest }
    })
    .sort((a, b) => b.quakes - a.quakes || (a.name < b.name ? -1 : 1))
}

function table(all: readonly Region[]): string {
  const rows = [
    ['REGION', 'EARTHQUAKES', 'HOURS', 'AVERAGE', 'STRONGEST'],
    ...all
      .slice(0, shownRegions)
      .map(({ name, quakes, hours, average, strongest }) => [
        name,
        String(quakes),
        String(hours),
        average.toFixed(2),
        strongest.toFixed(1),
      ]),
  ]
  const width = Math.max(...rows.map(([name]) => name?.length ?? 0))
  const text = rows.map(([name = '', ...cells]) =>
    [name.padEnd(width), ...cells.map((cell) => cell.padStart(11))].join(''),
  )
  const quakes = all.reduce((sum, region) => sum + region.quakes, 0)
  const hours = all.reduce((sum, region) => sum + region.hours, 0)
  return `${text.join('\n')}\n${quakes} earthquakes in ${all.length} regions, ${hours} windows of an hour\n`
}
