/** Numbers, times and text as cells: every result's width on the terminal is what `stringWidth` says of it. */

import stringWidth from 'string-width'

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

export function whole(count: number): string {
  return grouped.format(count)
}

/** At most five characters: `0`, `7.5`, `999`, `1.2k`, `12.3M`. */
export function compact(count: number): string {
  if (count > 0 && count < 0.05) return '<0.1'
  let value = count
  let unit = 0
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  const digits = Number.isInteger(value) || Math.abs(value) >= 99.95 || (unit === 0 && value >= 9.95) ? 0 : 1
  return `${value.toFixed(digits)}${units[unit]}`
}

const units = ['', 'k', 'M', 'G', 'T', 'P'] as const

/** `420 ms` below a second, else `1.3 s`. */
export function millis(ms: number): string {
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** `7s`, `3m12s`, `2h05m`, `3d04h`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const two = (n: number): string => String(n).padStart(2, '0')
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours}h${two(minutes % 60)}m`
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`
}

/** UTC, so that two people who watch the same app read the same time. */
export function clock(at: number): string {
  return `${new Date(at).toISOString().slice(11, 19)} Z`
}

/** `1.2 GB`, or `-` where nobody knows. */
export function bytes(count: number | null): string {
  return count === null ? '-' : `${compact(count)}B`
}

/** What fits into `width` columns; a cut shows as an ellipsis. */
export function clip(text: string, width: number, unicode: boolean): string {
  if (width <= 0) return ''
  if (stringWidth(text) <= width) return text
  const mark = unicode ? '…' : '~'
  let kept = ''
  let used = 1
  for (const { segment } of graphemes.segment(text)) {
    used += stringWidth(segment)
    if (used > width) break
    kept += segment
  }
  return kept + mark
}

/** Exactly `width` columns. */
export function pad(text: string, width: number, align: 'left' | 'right'): string {
  const gap = ' '.repeat(Math.max(0, width - stringWidth(text)))
  return align === 'left' ? text + gap : gap + text
}

/** Lines of at most `width` columns, broken at spaces where possible; what does not fit into `lines` is cut with an ellipsis. */
export function wrap(text: string, width: number, lines: number, unicode: boolean): readonly string[] {
  const result: string[] = []
  let rest = text
  while (rest !== '' && result.length < lines - 1 && stringWidth(rest) > width) {
    let head = ''
    let used = 0
    for (const { segment } of graphemes.segment(rest)) {
      used += stringWidth(segment)
      if (used > width) break
      head += segment
    }
    const space = head.lastIndexOf(' ')
    if (space > width / 2) head = head.slice(0, space)
    if (head === '') break
    result.push(head)
    rest = rest.slice(head.length).trimStart()
  }
  if (rest !== '') result.push(clip(rest, width, unicode))
  return result
}
