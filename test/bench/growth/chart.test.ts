import { expect, test } from 'vitest'
import { type Chart, chart } from '../../../bench/growth/chart.ts'

const point = (x: number, y: number, proportional = y) => ({ x, label: `${x} keys`, y, proportional })
const of = (points: ReturnType<typeof point>[], rest: Partial<Chart> = {}): string =>
  chart({ title: 'keys', x: 'keys in the store', y: 'µs', series: [{ name: 'ours', points }], ...rest })

/** Where the circles lie, from left to right. */
function circles(svg: string): readonly { readonly x: number; readonly y: number }[] {
  return [...svg.matchAll(/<circle cx="([^"]+)" cy="([^"]+)"/g)].map(([, x, y]) => ({ x: Number(x), y: Number(y) }))
}

function texts(svg: string): readonly string[] {
  return [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, content]) => content as string)
}

test('the same numbers give the same file', () => {
  expect(of([point(10, 7.1, 6), point(1000, 9.4, 8)])).toMatchSnapshot()
})

test('both axes are logarithmic: a power law lies on a straight line', () => {
  const [a, b, c] = circles(of([1, 10, 100].map((x) => point(x, 3 * x ** 0.5)))) as [Place, Place, Place]
  expect(b.x - a.x).toBeCloseTo(c.x - b.x, 0)
  expect(a.y - b.y).toBeCloseTo(b.y - c.y, 0)
  expect(a.y).toBeGreaterThan(b.y)
})

type Place = ReturnType<typeof circles>[number]

test('lines are 1, 2 and 5 times powers of ten around the values, over a decade at least', () => {
  const ticks = (svg: string) => [...svg.matchAll(/text-anchor="end">([\d.,]+)</g)].map(([, tick]) => tick)
  expect(ticks(of([point(1, 7), point(2, 7.2)]))).toEqual(['2', '5', '10', '20'])
  expect(ticks(of([point(1, 3), point(2, 180)]))).toEqual(['2', '5', '10', '20', '50', '100', '200'])
  expect(ticks(of([point(1, 0.4), point(2, 9000)]))).toEqual(['0.1', '1', '10', '100', '1,000', '10,000'])
})

test('everything lies within the picture, also a single value and one that is in proportion far away', () => {
  for (const points of [[point(5, 0.002)], [point(1, 7, 7), point(1e7, 90_000, 8)], [point(1, 5), point(2, 5)]]) {
    const svg = of(points)
    expect(svg).not.toContain('NaN')
    expect(svg).not.toContain('Infinity')
    for (const { x, y } of circles(svg)) {
      expect(x).toBeGreaterThanOrEqual(64)
      expect(x).toBeLessThanOrEqual(688)
      expect(y).toBeGreaterThanOrEqual(64)
      expect(y).toBeLessThanOrEqual(336)
    }
  }
})

test('title, axes, series, points and values are labelled, and a place of two series once', () => {
  const points = [point(10, 7.13), point(1000, 1234)]
  const svg = of(points, {
    series: [
      { name: 'embedded', points },
      { name: 'Kafka', points },
    ],
  })
  const said = texts(svg)
  expect(said).toEqual(expect.arrayContaining(['keys', 'keys in the store', 'µs', 'embedded', 'Kafka', '7.1', '1,230']))
  expect(said.filter((text) => text === '10 keys')).toHaveLength(1)
})

test('text is escaped', () => {
  expect(of([point(1, 1)], { title: 'a < b & "c"' })).toContain('>a &lt; b &amp; &quot;c&quot;<')
})

test('it is one well-formed element with no background and nothing black or white, which one of the two themes would hide', () => {
  const svg = of([point(1, 1), point(2, 3)])
  const open: string[] = []
  for (const [, end, name, empty] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (end) expect(open.pop()).toBe(name)
    else if (!empty) open.push(name as string)
  }
  expect(open).toEqual([])
  expect(svg).not.toContain('<rect')
  for (const [, colour] of svg.matchAll(/(?:fill|stroke)="(#[0-9a-f]+)"/g)) {
    expect(contrast(colour as string, '#ffffff')).toBeGreaterThan(3)
    expect(contrast(colour as string, '#0d1117')).toBeGreaterThan(3)
  }
})

/** As WCAG has it; 3 is what graphics need. */
function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((one, other) => one - other) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
