/** What stands above and below the lists: who runs and how, totals, health, keys, and the help. */

import { clock, compact, millis, span, whole, wrap } from './format.ts'
import { minute, newest } from './history.ts'
import { blank, fitted, joined, type Line, piece, spread, widthOf } from './line.ts'
import { type Look, stateText, stateTone } from './look.ts'
import type { View } from './model.ts'
import { rateText } from './panels.ts'
import { type Series, sparkline } from './sparkline.ts'

/** What the one in front of the screen has asked for. */
export interface Mode {
  /** `stop` was asked for; the app commits and leaves. */
  readonly draining: boolean
  /** ms for which the view stands still; null when it does not. */
  readonly frozenMs: number | null
}

export function headerLine(view: View, mode: Mode, width: number, look: Look): Line {
  const leaving = mode.draining && view.state !== 'failed' && view.state !== 'stopped'
  const state = leaving ? 'draining' : view.state
  const left = [
    piece(' streamctl  ', 'dim'),
    piece(view.app, 'strong'),
    piece('  '),
    piece(`${stateText(state, look)}${leaving ? (look.unicode ? '…' : '...') : ''}`, stateTone(state)),
    piece('  eos'),
    piece(`  ${view.broker}`, 'dim'),
  ]
  const right =
    mode.frozenMs === null
      ? [piece(`up ${span(view.uptimeMs)}  ${clock(view.at)} `)]
      : [piece(`FROZEN ${span(mode.frozenMs)}`, 'warn'), piece(`  ${clock(view.at)} `)]
  return spread(left, right, width, look)
}

export function totalsLine(view: View, width: number, look: Look): Line {
  // The rest of the line is about 60 columns; both sparklines share what is left.
  const bar = Math.max(6, Math.min(30, Math.floor((width - 66) / 2)))
  const flow = (name: string, series: Series): Line => [
    piece(`${name} `, 'dim'),
    piece(`${rateText(newest(series))}/s`.padEnd(7), 'strong'),
    piece(` ${sparkline(series, bar, minute, look.unicode)}`, 'info'),
  ]
  return joined(
    [
      flow('in', view.in),
      flow('out', view.out),
      [
        piece('lag ', 'dim'),
        piece(view.lag < 10_000_000 ? whole(view.lag) : compact(view.lag), 'strong'),
        piece(trendText(view, look)),
      ],
      [piece('commit ', 'dim'), piece(millis(view.commits.lastMs))],
      [piece('tasks ', 'dim'), piece(`${view.running}/${view.tasks.length}`)],
      ...(view.standbys === 0 ? [] : [[piece('standbys ', 'dim'), piece(`${view.standbys}`)]]),
    ],
    width,
  )
}

function trendText(view: View, look: Look): string {
  if (view.lagTrend === 'steady') return ''
  if (view.lagTrend === 'falling') return look.unicode ? ' ↓' : ' v'
  return look.unicode ? ' ↑' : ' ^'
}

/** Counts of what went well and what did not; then the last error, on at most `lines` lines. */
export function healthLines(view: View, lines: number, width: number, look: Look): readonly Line[] {
  const { commits, deadLetters, dropped } = view
  const number = width < 80 ? compact : whole
  const counted = (name: string, count: number, bad: boolean): Line => [
    piece(`${name} `, 'dim'),
    piece(number(count), bad && count > 0 ? 'warn' : 'plain'),
  ]
  const total = dropped.reduce((sum, { count }) => sum + count, 0)
  const reasons = dropped.map(({ reason, count }) => `${reason} ${number(count)}`).join(', ')
  const errors = joined(
    [
      counted('commits', commits.count, false),
      counted('aborted', commits.aborted, true),
      width < 80 ? blank : counted('rebalances', commits.rebalances, false),
      counted('dead letters', deadLetters, true),
      counted('dropped', total, true),
    ],
    width,
  )
  const explained = reasons === '' ? errors : fitted([...errors, piece(`: ${reasons}`)], width - 1, look)
  const totals = joined(
    [counted('records in', view.recordsIn, false), counted('out', view.recordsOut, false)],
    width - widthOf(explained) - 1,
  )
  const first = [...explained, piece(' '), ...totals]
  if (view.lastError === null) return [first, [piece(' last error ', 'dim'), piece('none')]]
  const failed = view.state === 'failed'
  const sign = look.unicode ? (failed ? '✗' : '▲') : failed ? 'X' : '!'
  const label = ` last error ${sign} `
  const texts = wrap(view.lastError, width - label.length - 1, lines, look.unicode)
  const tone = failed ? 'bad' : 'warn'
  return [
    first,
    ...texts.map((text, index) => [
      piece(index === 0 ? label : ' '.repeat(label.length), index === 0 ? tone : 'plain'),
      piece(text, tone),
    ]),
  ]
}

export function footerLine(mode: Mode, width: number, look: Look): Line {
  if (mode.draining) {
    const words = 'draining: commits what is processed and leaves'
    const keys = 'Ctrl-C again: stop at once '
    return spread([piece(` ${words}`, 'info')], [piece(keys, 'strong')], width, look)
  }
  const arrows = look.unicode ? 'j k ↑ ↓' : 'j k'
  const keys: [string, string][] = [
    ['q', 'stop'],
    ['p', mode.frozenMs === null ? 'freeze' : 'go on'],
    ['tab', 'next list'],
    [arrows, 'scroll'],
  ]
  const left = joined(
    keys.map(([key, does]) => [piece(key, 'strong'), piece(` ${does}`, 'dim')]),
    width - 8,
  )
  return spread(left, [piece('?', 'strong'), piece(' help ', 'dim')], width, look)
}

const help: readonly (readonly [string, string])[] = [
  ['q, Ctrl-C', 'commit what is processed and leave'],
  ['Ctrl-C twice', 'leave at once: uncommitted work is redone'],
  ['p', 'freeze the view, not the app; again: go on'],
  ['tab', 'the next list gets the keys and room'],
  ['j k, arrows', 'scroll by a row'],
  ['PgUp PgDn, g G', 'scroll by a page, to the top, to the end'],
  ['?, esc', 'close this help'],
]

/** Fits into the smallest screen there is. */
export function helpLines(width: number, look: Look): readonly Line[] {
  return [
    [piece(' KEYS', 'strong')],
    ...help.map(([keys, does]) => fitted([piece(`  ${keys.padEnd(15)} `, 'strong'), piece(does)], width, look)),
  ]
}

/** All there is room for on a terminal too small for the screen. */
export function tinyLine(view: View, mode: Mode, width: number, look: Look): Line {
  const state = mode.draining && view.state !== 'failed' ? 'draining' : view.state
  const groups: Line[] = [
    [piece(stateText(state, look), stateTone(state))],
    [piece(`in ${rateText(newest(view.in))}/s`)],
    [piece(`out ${rateText(newest(view.out))}/s`)],
    [piece(`lag ${compact(view.lag)}`)],
    [piece(mode.draining ? '^C force' : 'q stop', 'dim')],
    [piece(view.app, 'dim')],
  ]
  const line = joined(groups, width)
  return widthOf(line) === 0 ? fitted(groups[0] ?? [], width, look) : line
}
