// Earthquakes counted per region and hour of event time, with their average and strongest magnitude.
import { defineTopology, json, string, topic, Windows, windowed } from 'streamctl'

/** What the U.S. Geological Survey says of one event; the record's timestamp is when it happened. */
export interface Quake {
  readonly mag: number | null
  readonly place: string
  /** `earthquake`, `explosion`, `quarry blast`. */
  readonly type: string
}

export interface RegionHour {
  readonly count: number
  /** Of the magnitudes. */
  readonly sum: number
  readonly average: number
  readonly strongest: number
}

export const earthquakes = topic('earthquakes', { key: string, value: json<Quake>() })
export const perRegionAndHour = topic('earthquakes-per-region-and-hour', {
  key: windowed(string, '1h'),
  value: json<RegionHour>(),
})

/** The list has some states twice: spelt out and as postal codes. */
const spelledOut: Readonly<Record<string, string>> = { CA: 'California', NV: 'Nevada', MX: 'Mexico' }

/** `4km W of Castaic, CA` is in California; a place without a comma is a region itself. */
export function regionOf(place: string): string {
  const region = place.slice(place.lastIndexOf(', ') + 1).trim()
  return spelledOut[region] ?? region
}

export default defineTopology('earthquakes', (b) => {
  b.stream(earthquakes)
    .filter('measured', (quake) => quake.type === 'earthquake' && quake.mag !== null)
    .groupBy('by-region', (quake) => regionOf(quake.place), { key: string })
    // The list read as history: one partition's week may be over before the first day of another is read.
    .windowedBy(Windows.tumbling('1h', { grace: '8d' }))
    .aggregate('region-hours', {
      init: () => ({ count: 0, sum: 0, average: 0, strongest: -10 }),
      add: ({ count, sum, strongest }, { mag }) => {
        const total = sum + (mag ?? 0)
        return {
          count: count + 1,
          sum: total,
          average: total / (count + 1),
          strongest: Math.max(strongest, mag ?? strongest),
        }
      },
      serde: json,
    })
    .toStream()
    .to(perRegionAndHour)
})
