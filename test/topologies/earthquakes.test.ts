import { createTestDriver } from 'streamctl/testing'
import { expect, test } from 'vitest'
import { quakeRecords } from '../../topologies/data/earthquakes.ts'
import topology, { earthquakes, perRegionAndHour, type RegionHour, regionOf } from '../../topologies/earthquakes.ts'

const hour = 3_600_000

test.each([
  ['4km W of Castaic, CA', 'California'],
  ['13km ENE of Ridgecrest, California', 'California'],
  ['10km S of Tonopah, Nevada', 'Nevada'],
  ['Reykjanes Ridge', 'Reykjanes Ridge'],
  ['Off the east coast of the North Island of New Zealand', 'Off the east coast of the North Island of New Zealand'],
])('%s is in %s', (place, region) => {
  expect(regionOf(place)).toBe(region)
})

/** The same question asked of the list as it lies, without streams or windows. */
function model(): Map<string, { count: number; magnitudes: number[] }> {
  const result = new Map<string, { count: number; magnitudes: number[] }>()
  for (const { value, timestamp } of quakeRecords()) {
    if (value.type !== 'earthquake' || value.mag === null) continue
    const name = `${regionOf(value.place)}@${Math.floor(timestamp / hour) * hour}`
    const row = result.get(name) ?? { count: 0, magnitudes: [] }
    result.set(name, row)
    row.count++
    row.magnitudes.push(value.mag)
  }
  return result
}

test.each([1, 3])('the week of the Geological Survey, over %i partitions', async (partitions) => {
  const records = quakeRecords()
  expect(records.length).toBe(1707)
  const driver = await createTestDriver(topology, { partitions })
  for (const { key, value, timestamp } of records) await driver.send(earthquakes, key, value, timestamp)
  const last = new Map<string, RegionHour>()
  for (const { key, value } of driver.read(perRegionAndHour)) {
    if (key === null || value === null) throw new Error('a row without key or value')
    expect(key.end - key.start).toBe(hour)
    last.set(`${key.key}@${key.start}`, value)
  }
  await driver.close()

  const expected = model()
  expect([...last.keys()].sort()).toEqual([...expected.keys()].sort())
  expect([...expected.values()].reduce((sum, { count }) => sum + count, 0)).toBe(1679)
  for (const [name, { count, magnitudes }] of expected) {
    const row = last.get(name)
    expect(row).toMatchObject({ count, strongest: Math.max(...magnitudes) })
    expect(row?.average).toBeCloseTo(magnitudes.reduce((a, b) => a + b, 0) / count, 9)
  }
})
