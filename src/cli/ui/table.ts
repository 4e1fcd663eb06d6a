/** Rows in columns that fit the width: columns of high rank are left out first, then the flexible ones share what remains. */

import stringWidth from 'string-width'
import { clip, pad } from './format.ts'
import { fitted, type Line, type Piece, piece } from './line.ts'
import type { Look, Tone } from './look.ts'

export interface Column {
  readonly title: string
  readonly align: 'left' | 'right'
  /** Left out earlier the higher it is; 0 always stays. */
  readonly rank: number
  /** Never narrower. */
  readonly min: number
  /** May be cut down to `min`. Otherwise it is as wide as its widest cell. */
  readonly flexible?: boolean
  /** Takes what all others leave, up to this. */
  readonly stretch?: number
}

/** `end` is the part of a text that must not be cut off, as a partition's number. */
export type Cell =
  | { readonly text: string; readonly end?: string; readonly tone?: Tone }
  | { readonly draw: (width: number) => string }

export type Row =
  | { readonly cells: readonly Cell[] }
  /** Its first cells, then one text over all columns that follow. */
  | { readonly cells: readonly Cell[]; readonly tail: (width: number) => Line }
  | { readonly heading: Line }

export interface Table {
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
}

export interface LaidTable {
  readonly title: Line
  readonly line: (row: Row) => Line
}

const gap = 2
const margin = 1

/** Widths come from all rows, shown or not, so that scrolling moves nothing sideways. */
export function lay(table: Table, width: number, look: Look): LaidTable {
  const room = width - margin
  const natural = table.columns.map((column, index) => {
    const cells = table.rows.map((row) => ('cells' in row ? cellWidth(row.cells[index]) : 0))
    return Math.max(column.min, stringWidth(column.title), ...cells)
  })
  const floor = (index: number): number => {
    const column = table.columns[index]
    if (column === undefined) return 0
    return column.flexible === true ? Math.max(column.min, stringWidth(column.title)) : (natural[index] ?? 0)
  }
  let shown = table.columns.map((_, index) => index)
  const needed = (): number => shown.reduce((sum, index) => sum + floor(index) + gap, -gap)
  while (needed() > room) {
    const worst = Math.max(...shown.map((index) => table.columns[index]?.rank ?? 0))
    if (worst === 0) break
    shown = shown.filter((index) => (table.columns[index]?.rank ?? 0) < worst)
  }
  let spare = Math.max(0, room - needed())
  const widths = new Map<number, number>()
  for (const index of shown) {
    const more = Math.min(spare, Math.max(0, (natural[index] ?? 0) - floor(index)))
    widths.set(index, floor(index) + more)
    spare -= more
  }
  for (const index of shown) {
    const now = widths.get(index) ?? 0
    const more = Math.min(spare, Math.max(0, (table.columns[index]?.stretch ?? 0) - now))
    widths.set(index, now + more)
    spare -= more
  }

  const cellsOf = (cells: readonly Cell[], indexes: readonly number[]): Piece[] =>
    indexes.flatMap((index, place) => {
      const cell = cells[index]
      const size = widths.get(index) ?? 0
      const text = cell === undefined ? '' : 'draw' in cell ? cell.draw(size) : cellText(cell, size, look)
      const tone = cell !== undefined && 'text' in cell ? (cell.tone ?? 'plain') : 'plain'
      const padded = pad(clip(text, size, look.unicode), size, table.columns[index]?.align ?? 'left')
      return [piece(' '.repeat(place === 0 ? margin : gap)), piece(padded, tone)]
    })

  return {
    title: cellsOf(
      table.columns.map(({ title }) => ({ text: title, tone: 'strong' })),
      shown,
    ),
    line(row) {
      if ('heading' in row) return fitted(row.heading, width, look)
      if (!('tail' in row)) return cellsOf(row.cells, shown)
      const lead = shown.filter((index) => index < row.cells.length)
      const used = lead.reduce((sum, index) => sum + (widths.get(index) ?? 0) + gap, 0)
      return [...cellsOf(row.cells, lead), piece(' '.repeat(gap)), ...fitted(row.tail(room - used), room - used, look)]
    },
  }
}

function cellText(cell: { readonly text: string; readonly end?: string }, width: number, look: Look): string {
  const { text, end = '' } = cell
  return clip(text, width - stringWidth(end), look.unicode) + end
}

function cellWidth(cell: Cell | undefined): number {
  return cell !== undefined && 'text' in cell ? stringWidth(cell.text) + stringWidth(cell.end ?? '') : 0
}
