/**
 * A chart on two logarithmic axes, as the text of an SVG file: a straight line is a power law, and its slope the exponent.
 * The same numbers give the same text. An image does not know whether the page around it is light or dark, so it has no
 * background, and its colours stand out from both.
 */

export interface ChartPoint {
  /** Above 0, as y and proportional. */
  readonly x: number
  /** Of x, for people. */
  readonly label: string
  readonly y: number
  /** What y would be if it were in proportion: drawn thin, to compare. */
  readonly proportional: number
}

export interface Series {
  readonly name: string
  /** From left to right, one at least. */
  readonly points: readonly ChartPoint[]
}

export interface Chart {
  readonly title: string
  readonly x: string
  readonly y: string
  /** One at least, and no more than there are colours. */
  readonly series: readonly Series[]
}

const width = 720
const height = 400
const frame = { left: 64, right: width - 32, top: 64, bottom: height - 64 }
const ink = '#757d87'
const colours = ['#2f81f7', '#d2691e', '#2da44e']
const font = '-apple-system, "Segoe UI", Helvetica, Arial, sans-serif'
/** Beyond so many lines only whole powers of ten are drawn. */
const mostLines = 10

export function chart({ title, x, y, series }: Chart): string {
  const points = series.flatMap(({ points }) => points)
  const ticks = ticksOver(points.flatMap(({ y, proportional }) => [y, proportional]))
  const place = {
    x: scale(extent(points.map(({ x }) => x)), frame.left + 24, frame.right - 24),
    y: scale([ticks[0] as number, ticks.at(-1) as number], frame.bottom, frame.top),
  }
  const labels = new Map(points.map(({ x, label }) => [x, label]))
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}" font-family='${font}' font-size="12" fill="${ink}">`,
    text(frame.left, 22, title, 'font-size="15" font-weight="600"'),
    ...series.map(({ name }, number) => legend(name, number)),
    text(frame.right, 44, 'thin: in proportion to the work', 'text-anchor="end"'),
    ...ticks.flatMap((tick) => [
      line(frame.left, place.y(tick), frame.right, place.y(tick), `stroke="${ink}" stroke-opacity="0.3"`),
      text(frame.left - 8, place.y(tick) + 4, short(tick), 'text-anchor="end"'),
    ]),
    ...[...labels].flatMap(([x, label]) => [
      line(place.x(x), frame.bottom, place.x(x), frame.bottom + 5, `stroke="${ink}"`),
      text(place.x(x), frame.bottom + 20, label, 'text-anchor="middle"'),
    ]),
    line(frame.left, frame.bottom, frame.right, frame.bottom, `stroke="${ink}"`),
    text((frame.left + frame.right) / 2, height - 16, x, 'text-anchor="middle"'),
    text(0, 0, y, `text-anchor="middle" transform="translate(16 ${(frame.top + frame.bottom) / 2}) rotate(-90)"`),
    ...series.flatMap(({ points }, number) => drawn(points, colourOf(number), place)),
    '</svg>',
  ]
  return `${lines.join('\n')}\n`
}

interface Place {
  readonly x: (value: number) => number
  readonly y: (value: number) => number
}

function drawn(points: readonly ChartPoint[], colour: string, place: Place): readonly string[] {
  const path = (y: (point: ChartPoint) => number, style: string) => {
    const steps = points.map((point, i) => `${i === 0 ? 'M' : 'L'}${at(place.x(point.x))} ${at(place.y(y(point)))}`)
    return `<path d="${steps.join(' ')}" fill="none" stroke="${colour}" ${style}/>`
  }
  return [
    path(({ proportional }) => proportional, 'stroke-width="1" stroke-dasharray="4 4"'),
    path(({ y }) => y, 'stroke-width="2"'),
    ...points.flatMap(({ x, y }) => [
      `<circle cx="${at(place.x(x))}" cy="${at(place.y(y))}" r="4" fill="${colour}"/>`,
      text(place.x(x), place.y(y) - 10, short(y), `text-anchor="middle" fill="${colour}"`),
    ]),
  ]
}

function legend(name: string, number: number): string {
  const x = frame.left + number * 140
  const swatch = line(x, 40, x + 20, 40, `stroke="${colourOf(number)}" stroke-width="2"`)
  return `${swatch}${text(x + 26, 44, name, '')}`
}

/** 1, 2 and 5 times powers of ten around the values, over a decade at least, so that small differences look small. */
function ticksOver(values: readonly number[]): readonly number[] {
  const [least, greatest] = extent(values)
  const steps = [1, 2, 5]
  const tick = (number: number) => (steps[((number % 3) + 3) % 3] as number) * 10 ** Math.floor(number / 3)
  let first = Math.floor(Math.log10(least)) * 3
  while (tick(first + 1) <= least) first++
  let last = first + 1
  while (tick(last) < greatest) last++
  for (let above = true; last - first < 3; above = !above) {
    if (above) last++
    else first--
  }
  const all = Array.from({ length: last - first + 1 }, (_, number) => first + number)
  if (all.length <= mostLines) return all.map(tick)
  const decades = { first: Math.floor(first / 3), last: Math.ceil(last / 3) }
  return Array.from({ length: decades.last - decades.first + 1 }, (_, number) => 10 ** (decades.first + number))
}

/** Logarithmic; a single value lies in the middle. */
function scale([least, greatest]: readonly [number, number], from: number, to: number): (value: number) => number {
  const span = Math.log(greatest / least)
  return (value) => (span === 0 ? (from + to) / 2 : from + ((to - from) * Math.log(value / least)) / span)
}

function extent(values: readonly number[]): readonly [number, number] {
  return [Math.min(...values), Math.max(...values)]
}

function colourOf(number: number): string {
  return colours[number] as string
}

function line(x1: number, y1: number, x2: number, y2: number, style: string): string {
  return `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" ${style}/>`
}

function text(x: number, y: number, content: string, style: string): string {
  return `<text x="${at(x)}" y="${at(y)}" ${style}>${escaped(content)}</text>`
}

/** A tenth of a pixel is enough, and keeps the last digits of a logarithm out of the file. */
function at(position: number): string {
  return String(Math.round(position * 10) / 10)
}

function short(value: number): string {
  return Number(value.toPrecision(value < 100 ? 2 : 3)).toLocaleString('en', { maximumFractionDigits: 6 })
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
