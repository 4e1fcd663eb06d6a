/** The user's topology file, run by Node itself (type stripping) or, where Node cannot, by jiti; it always meets this very copy of the library. */

import { stat } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { dirname, extname, join, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type ErrorLocation, messageOf, StreamError } from '../common/errors.ts'
import type { Topology } from '../topology/node.ts'
import { type Io, say } from './io.ts'
import { within } from './timer.ts'

/** dist when installed, src in a checkout: whichever this file runs from. */
const root = dirname(import.meta.dirname)
const ownEntries: Readonly<Record<string, string>> = {
  streamctl: pathToFileURL(join(root, `index${extname(import.meta.filename)}`)).href,
  'streamctl/testing': pathToFileURL(join(root, `testing${extname(import.meta.filename)}`)).href,
}
const importLimitMs = 30_000
const example = "export default defineTopology('my-app', (b) => { ... })"

let hooked = false

/** `import ... from 'streamctl'` works beside any topology file, installed there or not, and there is one copy in the process. */
function resolveOwnName(): void {
  if (hooked) return
  hooked = true
  registerHooks({
    resolve: (specifier, context, next) => next(ownEntries[specifier] ?? specifier, context),
  })
}

/** What loading needs of its surroundings: where relative paths start, and where to say how a file was run. */
type LoadIo = Pick<Io, 'cwd' | 'stderr'>

/**
 * Loads the default export of a topology file.
 * @throws StreamError INVALID_TOPOLOGY, with file, line and column where they are known.
 */
export async function loadTopology(given: string, io: LoadIo): Promise<Topology> {
  const path = resolve(io.cwd, given)
  await mustBeFile(path, given)
  resolveOwnName()
  const module = await limited(importModule(path, given, io), given)
  return topologyOf(module, given)
}

async function mustBeFile(path: string, given: string): Promise<void> {
  if (given === '' || /^[a-z][a-z0-9+.-]+:\/\//i.test(given)) {
    throw invalid(
      `${JSON.stringify(given)} is not the path of a file`,
      'Give the path of a topology file on this machine.',
    )
  }
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) {
    throw invalid(`there is no file ${given}`, 'Check the path; it is taken from the directory you are in.', {
      file: given,
    })
  }
  if (!found.isFile()) {
    throw invalid(`${given} is not a file`, `Name the topology file in it: ${join(given, 'topology.ts')}`, {
      file: given,
    })
  }
}

async function importModule(path: string, given: string, io: LoadIo): Promise<unknown> {
  let thrown: unknown
  try {
    return await import(pathToFileURL(path).href)
  } catch (error) {
    thrown = error
  }
  if (!isNodesRefusal(thrown)) throw loadError(thrown, given)
  if (codeOf(thrown) === 'ERR_INVALID_TYPESCRIPT_SYNTAX') throw loadError(thrown, given)
  const module = await importWithJiti(path).catch((second: unknown) => {
    // The place of the error is worth more than which of the two found it.
    const first = placeIn(thrown)
    throw loadError(
      first === undefined && placeIn(second) !== undefined ? second : isNodesRefusal(second) ? thrown : second,
      given,
    )
  })
  if (!isTopology(defaultOf(module)) && placeIn(thrown) !== undefined) throw loadError(thrown, given)
  say(io, `${given}: Node cannot run it by itself (${messageOf(thrown).split('\n')[0]}), so jiti compiles it`)
  return module
}

async function importWithJiti(path: string): Promise<unknown> {
  const { createJiti } = await import('jiti')
  const virtualModules: Record<string, unknown> = {}
  for (const [name, url] of Object.entries(ownEntries)) {
    virtualModules[name] = await import(url).catch(() => undefined)
  }
  return createJiti(path, { virtualModules, fsCache: false, tsconfigPaths: true }).import(path)
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
}

/** Whether the module never ran: its syntax or one of its imports is not for Node, though perhaps for jiti. */
function isNodesRefusal(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false
  if (/^(ERR_(MODULE_NOT_FOUND|UNSUPPORTED_|UNKNOWN_|INVALID_TYPESCRIPT)|MODULE_NOT_FOUND$)/.test(codeOf(thrown)))
    return true
  return thrown.name === 'SyntaxError' && frameIn(thrown) === undefined
}

/** The first line of the user's own that a stack names. */
export function frameIn(error: Error): ErrorLocation | undefined {
  for (const line of error.stack?.split('\n') ?? []) {
    const match = /^\s*at (?:.*\(|async )?((?:file:\/\/)?\/.+|[A-Za-z]:\\.+):(\d+):(\d+)\)?$/.exec(line)
    if (match === null) continue
    const file = (match[1] as string).startsWith('file://') ? fileURLToPath(match[1] as string) : (match[1] as string)
    if (file.startsWith(root + sep) || file.includes(`${sep}node_modules${sep}`)) continue
    return { file, line: Number(match[2]), column: Number(match[3]) }
  }
  return undefined
}

/** Where a module stopped: the head of a syntax error's stack, jiti's own words, or the user's line that threw. */
function placeIn(thrown: unknown): ErrorLocation | undefined {
  if (!(thrown instanceof Error)) return undefined
  const babel = /ParseError: [\s\S]*?\n\s*(.+):(\d+):(\d+)\s*$/.exec(thrown.message)
  if (babel !== null) return { file: babel[1] as string, line: Number(babel[2]), column: Number(babel[3]) + 1 }
  const head = /^(?:file:\/\/)?(\/.+|[A-Za-z]:\\.+):(\d+)\n(?:.*\n)*?( *)\^/.exec(thrown.stack ?? '')
  if (head !== null) return { file: head[1] as string, line: Number(head[2]), column: (head[3] as string).length + 1 }
  return frameIn(thrown)
}

function loadError(thrown: unknown, given: string): StreamError {
  const where = placeIn(thrown) ?? { file: given }
  if (thrown instanceof Error && thrown.name === 'StreamError' && 'code' in thrown) {
    const known = thrown as StreamError
    const details = { cause: known.cause ?? known, where: { ...where, ...known.where } }
    return new StreamError(
      known.code === 'INVALID_ARGUMENT' ? 'INVALID_TOPOLOGY' : known.code,
      known.message,
      known.hint === undefined ? details : { ...details, hint: known.hint },
    )
  }
  const code = codeOf(thrown)
  const message = messageOf(thrown).split('\n')[0] as string
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    return invalid(
      `${given} imports what is not there: ${message}`,
      'Install the package, or mend the path of the import.',
      where,
      thrown,
    )
  }
  const syntax = (thrown instanceof Error && thrown.name === 'SyntaxError') || message.startsWith('ParseError')
  if (syntax && (!(thrown instanceof Error) || frameIn(thrown) === undefined)) {
    return invalid(
      `${given} does not parse: ${message.replace(/^ParseError: /, '')}`,
      'Mend the syntax at that place.',
      where,
      thrown,
    )
  }
  return invalid(`${given} failed while it was loaded: ${message}`, 'Mend the code at that place.', where, thrown)
}

function defaultOf(module: unknown): unknown {
  return typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined
}

function isTopology(value: unknown): value is Topology {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'topology' && 'nodes' in value
}

function topologyOf(module: unknown, given: string): Topology {
  const exported = defaultOf(module)
  if (isTopology(exported)) return exported
  // CommonJS gives its exports as the default, and `exports.default` within.
  const inner = defaultOf(exported)
  if (isTopology(inner)) return inner
  if (exported === undefined) {
    throw invalid(`${given} has no default export`, `Export the topology: ${example}.`, { file: given })
  }
  const what = exported === null ? 'null' : Array.isArray(exported) ? 'an array' : `a value of type ${typeof exported}`
  throw invalid(`the default export of ${given} is ${what}, not a topology`, `Export the topology: ${example}.`, {
    file: given,
  })
}

function invalid(message: string, hint: string, where: ErrorLocation = {}, cause?: unknown): StreamError {
  return new StreamError('INVALID_TOPOLOGY', message, { hint, where, ...(cause === undefined ? {} : { cause }) })
}

function limited<T>(loading: Promise<T>, given: string): Promise<T> {
  return within(importLimitMs, loading, (seconds) =>
    invalid(`${given} was still loading after ${seconds} s`, 'Look for an await at its top level that never ends.', {
      file: given,
    }),
  )
}
