/** How a terminal can be drawn on: with colour or without, in Unicode or ASCII; what a colour says, a word or sign says too. */

import type { AppState, TaskState } from '../../metrics/snapshot.ts'

export interface Look {
  readonly colour: boolean
  readonly unicode: boolean
}

export type Tone = 'plain' | 'dim' | 'strong' | 'good' | 'info' | 'warn' | 'bad'

/** NO_COLOR (no-color.org), TERM=dumb, and the locale's character set; Windows' terminals have no locale and know Unicode. */
export function lookOf(env: Readonly<Record<string, string | undefined>>, platform: string): Look {
  const dumb = env.TERM === 'dumb'
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || ''
  return {
    colour: !dumb && !env.NO_COLOR,
    unicode: !dumb && (platform === 'win32' || /utf-?8/i.test(locale)),
  }
}

interface StateLook {
  readonly sign: string
  readonly ascii: string
  readonly tone: Tone
}

const states: Readonly<Record<AppState | TaskState, StateLook>> = {
  starting: { sign: '◌', ascii: '.', tone: 'info' },
  rebalancing: { sign: '⇄', ascii: '%', tone: 'warn' },
  restoring: { sign: '↻', ascii: '^', tone: 'warn' },
  running: { sign: '●', ascii: '*', tone: 'good' },
  recovering: { sign: '▲', ascii: '!', tone: 'warn' },
  draining: { sign: '▽', ascii: 'v', tone: 'info' },
  stopped: { sign: '■', ascii: '-', tone: 'plain' },
  failed: { sign: '✗', ascii: 'X', tone: 'bad' },
  created: { sign: '◌', ascii: '.', tone: 'info' },
  suspended: { sign: '‖', ascii: '=', tone: 'warn' },
  closed: { sign: '■', ascii: '-', tone: 'plain' },
}

export function stateText(state: AppState | TaskState, look: Look): string {
  return `${look.unicode ? states[state].sign : states[state].ascii} ${state.toUpperCase()}`
}

export function stateTone(state: AppState | TaskState): Tone {
  return states[state].tone
}
