/** One line of the screen as pieces of text with a tone; `fitted` makes it no wider than asked. */

import stringWidth from 'string-width'
import { clip } from './format.ts'
import type { Look, Tone } from './look.ts'

export interface Piece {
  readonly text: string
  readonly tone: Tone
}

export type Line = readonly Piece[]

export const blank: Line = []

export function piece(text: string, tone: Tone = 'plain'): Piece {
  return { text, tone }
}

export function widthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + stringWidth(text), 0)
}

export function fitted(line: Line, width: number, look: Look): Line {
  if (widthOf(line) <= width) return line
  const kept: Piece[] = []
  let left = width
  for (const { text, tone } of line) {
    const needed = stringWidth(text)
    if (needed > left) {
      kept.push({ text: clip(text, left, look.unicode), tone })
      break
    }
    kept.push({ text, tone })
    left -= needed
  }
  return kept
}

/** `left` and, at the right edge, `right`; where both do not fit the left one is cut. */
export function spread(left: Line, right: Line, width: number, look: Look): Line {
  const room = width - widthOf(right)
  if (room < 2) return fitted(left, width, look)
  const start = fitted(left, room - 1, look)
  return [...start, piece(' '.repeat(room - widthOf(start))), ...right]
}

/** Groups side by side, two columns apart; the last ones are left out where they do not fit. */
export function joined(groups: readonly Line[], width: number): Line {
  const line: Piece[] = []
  let used = 0
  for (const group of groups) {
    const gap = line.length === 0 ? 1 : 2
    const needed = widthOf(group)
    if (needed === 0) continue
    if (used + gap + needed > width) break
    line.push(piece(' '.repeat(gap)), ...group)
    used += gap + needed
  }
  return line
}
