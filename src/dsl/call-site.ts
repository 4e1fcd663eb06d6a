/** Where the user's code called the facade: the first stack frame that is not ours. */

import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SourceLocation } from '../topology/node.ts'

const ownFolder = dirname(fileURLToPath(import.meta.url))
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
  return typeof stack === 'string' ? firstOutside(stack, ownFolder) : undefined
}

/** The first frame of a stack whose file is not directly in the folder; frames of Node itself do not count. */
export function firstOutside(stack: string, folder: string): SourceLocation | undefined {
  for (const line of stack.split('\n')) {
    const match = frame.exec(line.trimEnd())
    if (match === null) continue
    const at = match[1] as string
    if (at.startsWith('node:')) continue
    const file = at.startsWith('file:') ? fileURLToPath(at.replace(/[?#].*$/, '')) : at
    if (dirname(file) !== folder) return { file, line: Number(match[2]) }
  }
  return undefined
}
