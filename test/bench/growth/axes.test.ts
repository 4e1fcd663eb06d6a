import { expect, test } from 'vitest'
import { axes } from '../../../bench/growth/axes.ts'
import { fullRecords } from '../../../bench/growth/axis.ts'

const short = 1000
const points = [...axes.values()].flatMap((axis) =>
  axis.points(short).map((point, index) => ({ name: `${axis.name} at ${point.label}`, index, point })),
)

test.each([...axes.values()])('$name goes from small to large, and its work with it', (axis) => {
  for (const records of [short, fullRecords]) {
    const points = axis.points(records)
    for (const [i, point] of points.entries()) {
      expect(point.value).toBeGreaterThan(points[i - 1]?.value ?? 0)
      expect(point.work / point.records).toBeGreaterThanOrEqual(
        (points[i - 1]?.work ?? 0) / (points[i - 1]?.records ?? 1),
      )
    }
  }
})

test.each(points)(
  '$name: every input record belongs to groups that there are, and its topology can be built',
  ({ point }) => {
    const { groups, loaded, records } = point
    for (let number = 0; number < loaded + records; number++) {
      for (const group of groups.of(number)) {
        if (!(Number.isInteger(group) && group >= 0 && group < groups.count))
          expect.fail(`${number} is in group ${group}`)
      }
    }
    expect(point.topology({ input: 'input', output: 'output' }).nodes.length).toBeGreaterThan(1)
  },
)

test('what is loaded before puts each key, and each window, there once', () => {
  for (const name of ['keys', 'open-windows']) {
    for (const { groups, loaded } of axes.get(name)?.points(short) ?? []) {
      const seen = new Set(Array.from({ length: loaded }, (_, number) => groups.of(number)[0]))
      expect(seen.size).toBe(loaded)
    }
  }
})

test('records of a size have that size', () => {
  const sizes = axes.get('record-size')?.points(fullRecords) ?? []
  expect(sizes.map(({ value }) => value)).toEqual([50, 500, 5_000, 50_000, 100_000])
  for (const { value, recordOf } of sizes) expect(recordOf(123_456).value).toHaveLength(value)
})

test('so many percent of the records are on one key', () => {
  const shares = (axes.get('hot-key')?.points(10_000) ?? []).map(({ groups, records }) => {
    const counts = new Map<number, number>()
    for (let number = 0; number < records; number++) {
      const group = groups.of(number)[0] as number
      counts.set(group, (counts.get(group) ?? 0) + 1)
    }
    return Math.max(...counts.values()) / records
  })
  expect(shares.map((share) => Math.round(share * 100))).toEqual([0, 50, 90, 99])
})
