/** Series of numbers as bars of one line's height; a bar once drawn keeps its samples while newer ones come in. */

import { clip, pad } from './format.ts'

/** The newest values of a series, oldest first. */
export interface Series {
  readonly values: readonly number[]
  /** How many values there have been in all: places of bars are counted from the first. */
  readonly end: number
}

const ramps = { unicode: '▁▂▃▄▅▆▇█', ascii: '_.-:=+*#' }

/** `width` columns, newest at the right; places without a sample stay blank, zero is the lowest bar and nothing else is. */
export function sparkline(series: Series, width: number, capacity: number, unicode: boolean): string {
  if (width <= 0) return ''
  const bars = averages(series, Math.max(1, Math.ceil(capacity / width)))
  const shown = bars.slice(-width)
  const top = Math.max(...shown, 0)
  const ramp = unicode ? ramps.unicode : ramps.ascii
  const drawn = shown.map((value) => {
    if (value <= 0) return ramp[0]
    return ramp[Math.max(1, Math.min(ramp.length - 1, Math.ceil((value / top) * (ramp.length - 1))))]
  })
  return pad(drawn.join(''), width, 'right')
}

function averages(series: Series, size: number): readonly number[] {
  const first = series.end - series.values.length
  const bars: number[] = []
  let sum = 0
  let count = 0
  series.values.forEach((value, index) => {
    sum += value
    count++
    const last = index === series.values.length - 1
    if (!last && (first + index + 1) % size !== 0) return
    bars.push(sum / count)
    sum = 0
    count = 0
  })
  return bars
}

/** `███████░░░`: full only when nothing is left to do. */
export function progressBar(done: number, total: number, width: number, unicode: boolean): string {
  const share = total <= 0 ? 1 : Math.max(0, Math.min(1, done / total))
  const full = Math.floor(share * width)
  const [on, off] = unicode ? ['█', '░'] : ['#', '.']
  return clip(on.repeat(full) + off.repeat(width - full), width, unicode)
}

/** Percent, rounded down: 100% means done. */
export function percent(done: number, total: number): string {
  return `${total <= 0 ? 100 : Math.floor(Math.max(0, Math.min(1, done / total)) * 100)}%`
}
