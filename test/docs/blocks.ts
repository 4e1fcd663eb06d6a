/** Code blocks of a Markdown page and what the comment line before each says of it: `<!-- run: embedded -->`, `<!-- file: a.ts -->`, `<!-- output -->`. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

export interface Block {
  /** What stands before the colon of the comment; '' without a comment. */
  readonly role: string
  readonly name: string
  readonly language: string
  readonly text: string
  /** Of the opening fence, from 1. */
  readonly line: number
}

export function page(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

export function blocks(markdown: string): readonly Block[] {
  const found: Block[] = []
  const lines = markdown.split('\n')
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\w*)$/.exec(lines[i] as string)
    if (fence === null) continue
    const [, role = '', name = ''] = /^<!-- (\w+)(?:: (\S+))? -->$/.exec(lines[i - 1] ?? '') ?? []
    const end = lines.indexOf('```', i + 1)
    if (end < 0) throw new Error(`the block of line ${i + 1} does not end`)
    const text = lines.slice(i + 1, end).join('\n')
    found.push({ role, name, language: fence[1] as string, text: `${text}\n`, line: i + 1 })
    i = end
  }
  return found
}

/** The one block of a role and name. */
export function theBlock(all: readonly Block[], role: string, name: string): Block {
  const found = all.filter((block) => block.role === role && block.name === name)
  if (found.length !== 1) throw new Error(`${found.length} blocks are <!-- ${role}: ${name} -->`)
  return found[0] as Block
}

/** What the page shows as the output of a block: the block after it, if that is one. */
export function outputOf(all: readonly Block[], block: Block): string | undefined {
  const next = all[all.indexOf(block) + 1]
  return next?.role === 'output' ? next.text : undefined
}
