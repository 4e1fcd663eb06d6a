/** What the topology's own code says through `console` while the screen is up: kept, and said when the screen is gone. */

import { format } from 'node:util'

const methods = ['log', 'info', 'warn', 'error', 'debug'] as const
const kept = 200

/** @returns what gives the console back and says the last lines through it. */
export function holdConsole(target: Pick<Console, (typeof methods)[number]>): () => void {
  const originals = methods.map((method) => ({ method, write: target[method] }))
  const lines: { readonly write: (text: string) => void; readonly text: string }[] = []
  let passed = 0
  for (const { method, write } of originals) {
    target[method] = (...data: unknown[]): void => {
      lines.push({ write: write.bind(target), text: format(...data) })
      if (lines.length <= kept) return
      lines.shift()
      passed++
    }
  }
  return () => {
    for (const { method, write } of originals) target[method] = write
    if (passed > 0) target.error(`(${passed} earlier lines of the topology's own output are not kept)`)
    for (const { write, text } of lines) write(text)
    lines.length = 0
  }
}
