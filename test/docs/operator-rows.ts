/** The tables of docs/operators.md. */

import { page } from './blocks.ts'

export const operatorsPath = 'docs/operators.md'

export interface OperatorRow {
  /** The `## ` heading above it: a class, or a value such as `Windows`. */
  readonly section: string
  readonly methods: readonly string[]
  readonly cells: readonly string[]
  /** From 1. */
  readonly line: number
}

export function operatorRows(): readonly OperatorRow[] {
  let section = ''
  return page(operatorsPath)
    .split('\n')
    .flatMap((text, index) => {
      if (text.startsWith('## ')) section = text.slice(3)
      if (!text.startsWith('| `')) return []
      // A pipe within a cell is written with a backslash.
      const cells = text.split(/(?<!\\)\|/).slice(1, -1)
      const methods = [...(cells[0] as string).matchAll(/`(\w+)`/g)].map(([, method]) => method as string)
      return [{ section, methods, cells: cells.map((cell) => cell.trim()), line: index + 1 }]
    })
}
