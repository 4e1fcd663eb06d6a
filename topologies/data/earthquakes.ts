// The week of earthquakes inside the npm package vega-datasets, as lines for `run --in earthquakes=...`:
//   node topologies/data/earthquakes.ts > earthquakes.ndjson
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Quake } from '../earthquakes.ts'

interface Feature {
  readonly id: string
  readonly properties: Quake & { readonly time: number }
}

export interface QuakeRecord {
  readonly key: string
  readonly value: Quake
  /** ms since the epoch. */
  readonly timestamp: number
}

/** The events in order of time; the list has the newest first. */
export function quakeRecords(): QuakeRecord[] {
  const file = new URL('../data/earthquakes.json', import.meta.resolve('vega-datasets'))
  const { features } = JSON.parse(readFileSync(file, 'utf8')) as { features: readonly Feature[] }
  return features
    .map(({ id, properties: { mag, place, type, time } }) => ({
      key: id,
      value: { mag, place, type },
      timestamp: time,
    }))
    .sort((a, b) => a.timestamp - b.timestamp)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(
    quakeRecords()
      .map((record) => `${JSON.stringify(record)}\n`)
      .join(''),
  )
}
