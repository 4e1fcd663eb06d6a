/** Costs of operators as lines of text. */

import type { OperatorResult, WidthResult } from './result.ts'

export function operatorTable(results: readonly OperatorResult[]): string {
  if (results.length === 0) return ''
  const rows = results.map(({ name, over, nanoseconds, bytes, own }) => {
    const numbers = [nanoseconds, bytes, ...(over === undefined ? [] : [own.nanoseconds, own.bytes])]
    return [name, ...numbers.map(number), ...(over === undefined ? ['', ''] : []), over ?? '']
  })
  return columns([['operator', 'ns/record', 'B/record', 'own ns', 'own B', 'over'], ...rows])
}

export function widthTable(results: readonly WidthResult[]): string {
  if (results.length === 0) return ''
  const rows = results.map(({ name, narrowMs, wideMs, narrow, wide, ratio, summary }) => {
    const numbers = [narrowMs, wideMs, narrow.nanoseconds, wide.nanoseconds]
    return [name, ...numbers.map(number), ratio.toFixed(2), summary]
  })
  return columns([['operator', 'narrow ms', 'wide ms', 'ns/record', 'ns/record', 'ratio', 'where'], ...rows])
}

/** Words to the left, numbers to the right. */
function columns(rows: readonly (readonly string[])[]): string {
  const last = (rows[0]?.length ?? 0) - 1
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)))
  const cell = (text: string, at: number) =>
    at === 0 || at === last ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0)
  return `${rows.map((row) => row.map(cell).join('  ').trimEnd()).join('\n')}\n`
}

function number(value: number): string {
  return value.toLocaleString('en')
}
