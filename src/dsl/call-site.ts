/** Where the user's code called the facade: the first stack frame that is not ours. */

import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SourceLocation } from '../topology/node.ts'

const here = dirname(fileURLToPath(import.meta.url))
const ownFolders = [here, join(here, 'facade')]
const frame = /(?:\(|at (?:async )?)((?:file:\/\/)?[^()]+?):(\d+):\d+\)?$/
/** The facade is at most this deep when it asks. */
const depth = 12

/** The file (a path) and line of the call into the facade; undefined where the engine shows no usable stack. */
export function callSite(): SourceLocation | undefined {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = depth
  const holder: { stack?: unknown } = {}
  Error.captureStackTrace(holder, callSite)
  const stack = holder.stack
  Error.stackTraceLimit = limit
  return typeof stack === 'string' ? firstOutside(stack, ownFolders) : undefined
}

/** The first frame of a stack whose file is not directly in one of the folders; frames of Node itself do not count. */
export function firstOutside(stack: string, folders: readonly string[]): SourceLocation | undefined {
  for (const line of stack.split('\n')) {
    const match = frame.exec(line.trimEnd())
    if (match === null) continue
    const at = match[1] as string
    if (at.startsWith('node:')) continue
    const file = at.startsWith('file:') ? fileURLToPath(at.replace(/[?#].*$/, '')) : at
    if (!folders.includes(dirname(file))) return { file, line: Number(match[2]) }
  }
  return undefined
}
