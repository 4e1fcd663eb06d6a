import { expect, test } from 'vitest'
import { plots } from '../../../bench/growth/plots.ts'
import type { AxisResult } from '../../../bench/growth/result.ts'
import { verdictOf } from '../../../bench/growth/verdict.ts'
import { measured } from './points.ts'

function result(name: string, broker: AxisResult['broker']): AxisResult {
  const axis = { name, summary: 'a count per key', quantity: name, unit: 'record' }
  const points = [measured(1, 8), measured(10, 8, 2), measured(100, 16, 2)]
  return { ...axis, broker, points, verdict: verdictOf(axis, points) }
}

test('an axis is one file, with a line for each broker', () => {
  const drawn = plots([result('keys', 'embedded'), result('partitions', 'embedded'), result('keys', 'kafka')])
  expect([...drawn.keys()]).toEqual(['keys', 'partitions'])
  expect(drawn.get('keys')).toContain('>embedded broker<')
  expect(drawn.get('keys')).toContain('>Kafka<')
  expect(drawn.get('partitions')).not.toContain('>Kafka<')
})

test('the thin line is the work at its lowest cost: it touches the thick one there, and is nowhere above it', () => {
  const svg = plots([result('keys', 'embedded')]).get('keys') as string
  const [thin, thick] = [...svg.matchAll(/<path d="([^"]+)"/g)].map(([, d]) =>
    (d as string)
      .split(/[ML]/)
      .slice(1)
      .map((place) => Number(place.split(' ')[1])),
  ) as [number[], number[]]
  // Down is up in a picture. 4 and 8 µs of work are 4, 8 and 8 at the lowest cost.
  expect(thin.map((y, i) => Math.sign(y - (thick[i] as number)))).toEqual([1, 0, 1])
})
