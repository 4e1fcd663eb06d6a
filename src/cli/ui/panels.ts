/** The three lists of the screen as tables: processors, tasks, stores. Rates are records per second. */

import { bytes, compact, span, whole } from './format.ts'
import { minute } from './history.ts'
import { type Line, piece } from './line.ts'
import { type Look, stateText, stateTone } from './look.ts'
import type { ProcessorView, RestoreView, StoreView, TaskView, View } from './model.ts'
import { percent, progressBar, sparkline } from './sparkline.ts'
import type { Cell, Row, Table } from './table.ts'

/** No progress for as long is worth a warning, ms. */
const stalled = 30_000

export function processorsTable(view: View, look: Look): Table {
  return {
    columns: [
      { title: 'PROCESSORS', align: 'left', rank: 0, min: 20, flexible: true },
      { title: 'KIND', align: 'left', rank: 3, min: 12 },
      { title: 'TOPIC, STORE', align: 'left', rank: 2, min: 12, flexible: true },
      { title: 'REC/S', align: 'right', rank: 0, min: 6 },
      { title: 'RECORDS', align: 'right', rank: 1, min: 11 },
    ],
    rows: view.subTopologies.flatMap(({ id, processors }): Row[] => [
      { heading: [piece(` sub-topology ${id}`, 'info')] },
      ...processors.map((processor): Row => ({ cells: processorCells(processor, look) })),
    ]),
  }
}

function processorCells(processor: ProcessorView, look: Look): readonly Cell[] {
  const { name, kind, detail, rails, rate, records } = processor
  const inlet = records === null
  return [
    { text: `  ${branches(rails, look)}${name}`, tone: inlet ? 'dim' : 'plain' },
    { text: kind, tone: 'dim' },
    { text: detail, tone: 'dim' },
    { text: inlet ? '' : rateText(rate) },
    { text: inlet ? '' : whole(records) },
  ]
}

function branches(rails: readonly boolean[], look: Look): string {
  const [through, fork, end] = look.unicode ? ['│ ', '├ ', '└ '] : ['| ', '|-', '`-']
  return rails
    .map((goesOn, level) => (level < rails.length - 1 ? (goesOn ? through : '  ') : goesOn ? fork : end))
    .join('')
}

export function tasksTable(view: View, look: Look): Table {
  return {
    columns: [
      { title: 'TASKS', align: 'left', rank: 0, min: 5 },
      { title: 'STATE', align: 'left', rank: 0, min: 11 },
      { title: 'INPUT', align: 'left', rank: 0, min: 12, flexible: true },
      { title: 'POSITION', align: 'right', rank: 1, min: 10 },
      { title: 'COMMITTED', align: 'right', rank: 4, min: 10 },
      { title: 'END', align: 'right', rank: 3, min: 10 },
      { title: 'LAG', align: 'right', rank: 0, min: 6 },
      { title: 'REC/S', align: 'right', rank: 0, min: 6 },
      { title: 'LAST MINUTE', align: 'right', rank: 2, min: 11, stretch: 30 },
    ],
    rows: view.tasks.flatMap((task) => taskRows(task, look)),
  }
}

function taskRows(task: TaskView, look: Look): readonly Row[] {
  const lead = (first: boolean): Cell[] => [
    { text: first ? task.id : '' },
    { text: first ? stateText(task.state, look) : '', tone: stateTone(task.state) },
  ]
  if (task.restores.length > 0) {
    return task.restores.map((restore, index) => ({
      cells: lead(index === 0),
      tail: (width) => restoreLine(restore, width, look),
    }))
  }
  if (task.inputs.length === 0) return [{ cells: lead(true) }]
  return task.inputs.map((input, index): Row => {
    const first = index === 0
    return {
      cells: [
        ...lead(first),
        { text: input.topic, end: `-${input.partition}` },
        { text: whole(input.position) },
        { text: input.committed === null ? '-' : whole(input.committed), tone: 'dim' },
        { text: whole(input.stableEnd), tone: 'dim' },
        { text: whole(input.lag), tone: input.lag > 0 ? 'strong' : 'plain' },
        { text: first ? rateText(task.rate) : '' },
        { draw: (width) => (first ? sparkline(task.series, width, minute, look.unicode) : '') },
      ],
    }
  })
}

/** `counts ███████░░░░  61%  1.4M/2.3M  74.1k/s  eta 19s` */
function restoreLine(restore: RestoreView, width: number, look: Look): Line {
  const { store, done, total, rate, etaMs, stalledMs } = restore
  const figures = [percent(done, total).padStart(4), `${compact(done)}/${compact(total)}`]
  const still = stalledMs >= stalled
  if (rate !== null && !still) figures.push(`${compact(rate)}/s`)
  if (etaMs !== null && !still) figures.push(`eta ${span(etaMs)}`)
  if (still) figures.push(`${look.unicode ? '▲' : '!'} no progress for ${span(stalledMs)}`)
  const text = figures.join('  ')
  const bar = Math.max(4, Math.min(24, width - store.length - text.length - 2))
  return [
    piece(`${store} `),
    piece(progressBar(done, total, bar, look.unicode), 'info'),
    piece(` ${text}`, still ? 'warn' : 'plain'),
  ]
}

export function storesTable(view: View, look: Look): Table {
  return {
    columns: [
      { title: 'STORES', align: 'left', rank: 0, min: 12, flexible: true },
      { title: 'KIND', align: 'left', rank: 2, min: 9 },
      { title: 'TASKS', align: 'right', rank: 0, min: 5 },
      { title: 'ROWS CACHED', align: 'right', rank: 0, min: 11 },
      { title: 'DISK', align: 'right', rank: 3, min: 6 },
      { title: 'RESTORE', align: 'left', rank: 1, min: 28 },
    ],
    rows: view.stores.map((store) => ({
      cells: [
        { text: store.name },
        { text: store.kind, tone: 'dim' },
        { text: whole(store.tasks) },
        { text: whole(store.cachedRows) },
        { text: bytes(store.diskBytes) },
        restoreCell(store, look),
      ],
    })),
  }
}

function restoreCell(store: StoreView, look: Look): Cell {
  const { restored, restoreTotal, restoring, etaMs } = store
  if (!restoring) return { text: store.tasks === 0 ? '-' : 'complete', tone: 'dim' }
  const eta = etaMs === null ? '' : `  eta ${span(etaMs)}`
  const bar = progressBar(restored, restoreTotal, 12, look.unicode)
  return { text: `${bar} ${percent(restored, restoreTotal).padStart(4)}${eta}`, tone: 'warn' }
}

export function rateText(rate: number | null): string {
  return rate === null ? '-' : compact(rate)
}
