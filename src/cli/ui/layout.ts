/** The whole screen as lines: never more than the terminal has rows, never wider than its columns. */

import { footerLine, headerLine, healthLines, helpLines, type Mode, tinyLine, totalsLine } from './bars.ts'
import { blank, fitted, type Line, piece } from './line.ts'
import type { Look } from './look.ts'
import type { View } from './model.ts'
import { processorsTable, storesTable, tasksTable } from './panels.ts'
import { lay, type Table } from './table.ts'

export type Panel = 'processors' | 'tasks' | 'stores'
export const panels: readonly Panel[] = ['processors', 'tasks', 'stores']

export interface Scroll {
  readonly focus: Panel
  /** First row shown. */
  readonly top: Readonly<Record<Panel, number>>
  readonly help: boolean
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

export interface Frame {
  readonly lines: readonly Line[]
  /** How far down each list can scroll, and how many of its rows are to be seen. */
  readonly reach: Readonly<Record<Panel, { readonly last: number; readonly page: number }>>
}

const smallest: Size = { columns: 60, rows: 15 }
const nowhere = { last: 0, page: 0 }
const unreachable: Frame['reach'] = { processors: nowhere, tasks: nowhere, stores: nowhere }

export function layOut(view: View, scroll: Scroll, mode: Mode, size: Size, look: Look): Frame {
  const { columns, rows } = size
  if (columns < smallest.columns || rows < smallest.rows) {
    return { lines: rows < 1 ? [] : [tinyLine(view, mode, columns, look)], reach: unreachable }
  }
  const above = [headerLine(view, mode, columns, look), totalsLine(view, columns, look)]
  const health = healthLines(view, rows >= 24 ? 3 : 1, columns, look)
  const tables: Record<Panel, Table> = {
    processors: processorsTable(view, look),
    tasks: tasksTable(view, look),
    stores: storesTable(view, look),
  }
  const free = rows - above.length - health.length - 1
  const wanted = panels.reduce((sum, panel) => sum + heightOf(panel, tables[panel]), 0)
  // Rules only where no row of a list gives way to them, above the health first.
  const rules = Math.max(0, Math.min(3, free - wanted))
  const rule = (from: number): readonly Line[] =>
    rules >= from ? [[piece((look.unicode ? '─' : '-').repeat(columns), 'dim')]] : []
  const room = free - rules
  const { lines, reach } = scroll.help
    ? { lines: helpLines(columns, look), reach: unreachable }
    : lists(tables, scroll, columns, room, look)
  const body = [...lines, ...Array<Line>(Math.max(0, room - lines.length)).fill(blank)]
  const below = [...rule(1), ...health, ...rule(3), footerLine(mode, columns, look)]
  const frame = [...above, ...rule(2), ...body, ...below].slice(0, rows)
  return { lines: frame.map((line) => fitted(line, columns, look)), reach }
}

/** Rows with the title; lists without any are left out, only tasks say that there are none. */
function heightOf(panel: Panel, table: Table): number {
  const rows = table.rows.length
  return rows > 0 ? rows + 1 : panel === 'tasks' ? 2 : 0
}

function lists(tables: Readonly<Record<Panel, Table>>, scroll: Scroll, width: number, room: number, look: Look): Frame {
  const shown = panels.filter((panel) => heightOf(panel, tables[panel]) > 0)
  const counts = shown.map((panel) => heightOf(panel, tables[panel]) - 1)
  const heights = share(counts, room - shown.length, shown.indexOf(scroll.focus), shown.indexOf('tasks'))
  let air = room - shown.length - heights.reduce((sum, height) => sum + height, 0)
  const lines: Line[] = []
  const reach = { ...unreachable }
  shown.forEach((panel, index) => {
    const table = tables[panel]
    const height = heights[index] ?? 0
    const last = Math.max(0, table.rows.length - height)
    const top = Math.min(scroll.top[panel], last)
    reach[panel] = { last, page: height }
    const part = last === 0 ? '' : ` ${top + 1}-${top + height}/${table.rows.length}`
    const laid = lay(part === '' ? table : titled(table, part), width, look)
    if (index > 0 && air > 0) {
      lines.push(blank)
      air--
    }
    const scrolls = panel === scroll.focus && last > 0
    lines.push(fitted(scrolls ? mark(laid.title, look) : laid.title, width, look))
    lines.push(...table.rows.slice(top, top + height).map((row) => laid.line(row)))
    if (table.rows.length === 0) lines.push([piece(' none assigned here yet', 'dim')])
  })
  return { lines, reach }
}

/** Which rows are to be seen, beside the list's name. */
function titled(table: Table, part: string): Table {
  const [first, ...others] = table.columns
  return first === undefined ? table : { ...table, columns: [{ ...first, title: first.title + part }, ...others] }
}

/** The list that the keys move. */
function mark(title: Line, look: Look): Line {
  return [piece(look.unicode ? '›' : '>', 'strong'), ...title.slice(1)]
}

/** Rows for each list: two for everyone, the rest to the chosen one, to the tasks, and in order. */
export function share(counts: readonly number[], room: number, ...first: readonly number[]): readonly number[] {
  const given = counts.map(() => 0)
  let left = Math.max(0, room)
  const give = (index: number, upTo: number): void => {
    const more = Math.min(left, Math.max(0, Math.min(upTo, counts[index] ?? 0) - (given[index] ?? 0)))
    given[index] = (given[index] ?? 0) + more
    left -= more
  }
  for (let i = 0; i < counts.length; i++) give(i, 2)
  // Nobody takes so much that the others could not show a handful.
  const handful = Math.floor(room / counts.length)
  for (let i = 0; i < counts.length; i++) give(i, handful)
  for (const index of first) if (index >= 0) give(index, Number.MAX_SAFE_INTEGER)
  for (let i = 0; i < counts.length; i++) give(i, Number.MAX_SAFE_INTEGER)
  return given
}
