/** Any error as one paragraph: what happened, where, how to fix it; a stack only when asked for. */

import { isAbsolute, relative, sep } from 'node:path'
import { type ErrorCode, type ErrorLocation, messageOf, StreamError } from '../common/errors.ts'
import { escapeJson, escapeText } from './escape.ts'
import { exitCodeOf, exitCodes } from './exit-codes.ts'
import { toJson } from './json-values.ts'

/** An error in the form in which both outputs show it. */
export interface ErrorReport {
  readonly code: ErrorCode | 'USAGE'
  readonly exit: number
  readonly message: string
  readonly hint: string
  readonly where: ErrorLocation
  /** Messages of what caused it, nearest first, those already told left out. */
  readonly cause: readonly string[]
}

const bugHint = 'This looks like a bug in streamctl: run the command again with --debug and report what it prints.'

/** A wrong command line; the hint names the way out. */
export class UsageError extends Error {
  readonly hint: string

  constructor(message: string, hint: string) {
    super(message)
    this.name = 'UsageError'
    this.hint = hint
  }
}

/**
 * By name: the user's topology may have been built by another copy of the library.
 */
function isStreamError(thrown: unknown): thrown is StreamError {
  return thrown instanceof StreamError || (thrown instanceof Error && thrown.name === 'StreamError' && 'code' in thrown)
}

function causes(thrown: unknown, told: string): string[] {
  const found: string[] = []
  let cause = thrown instanceof Error ? thrown.cause : undefined
  for (let depth = 0; cause !== undefined && depth < 5; depth++) {
    const message = messageOf(cause)
    if (message !== '' && !told.includes(message) && !found.some((earlier) => earlier.includes(message))) {
      found.push(message)
    }
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return found
}

export function reportOf(thrown: unknown): ErrorReport {
  if (thrown instanceof UsageError) {
    return { code: 'USAGE', exit: exitCodes.usage, message: thrown.message, hint: thrown.hint, where: {}, cause: [] }
  }
  if (isStreamError(thrown)) {
    return {
      code: thrown.code,
      exit: exitCodeOf(thrown.code) ?? exitCodes.failure,
      message: thrown.message,
      hint: thrown.hint ?? hints[thrown.code] ?? '',
      where: thrown.where,
      cause: causes(thrown, thrown.message),
    }
  }
  const system = systemError(thrown)
  if (system !== undefined) return system
  const message = messageOf(thrown)
  return {
    code: 'INTERNAL',
    exit: exitCodes.failure,
    message: `something unexpected happened: ${message}`,
    hint: bugHint,
    where: {},
    cause: causes(thrown, message),
  }
}

/** What to do where the error itself does not say. */
const hints: Partial<Readonly<Record<ErrorCode, string>>> = {
  PROCESSING: 'Mend the function, or let it take such records; nothing past this record is committed.',
  DESERIALIZATION:
    'Mend the serde or the writer of the topic, or send such records to a dead-letter topic (onDeserializationError); nothing past this record is committed.',
  SERIALIZATION: 'Compare the value with the serde of the topic; nothing past this record is committed.',
  PRODUCTION: 'Compare the record with the limits of the topic; nothing past its cause is committed.',
  UNREACHABLE: 'Check the address and that the broker runs, then start again: what is committed is kept.',
  UNAUTHORIZED: 'Check the credentials and the rights of the user.',
  LOCKED: 'Wait until the other process has ended, or give this one a directory of its own.',
  INTERNAL: bugHint,
}

const systemMessages: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOENT: ['no such file', 'Check the path; it is taken from the directory you are in.'],
  EISDIR: ['it is a directory', 'Name a file.'],
  EACCES: ['permission denied', 'Check the rights of the file and its directory.'],
  EPERM: ['operation not permitted', 'Check the rights of the file and its directory.'],
  ENOTDIR: ['a part of the path is not a directory', 'Check the path.'],
  ENOSPC: ['no space left on the device', 'Free some space and start again; nothing committed is lost.'],
  EROFS: ['the file system is read-only', 'Choose another directory.'],
}

/** Files that cannot be opened are the user's to mend, not bugs. */
function systemError(thrown: unknown): ErrorReport | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown) || typeof thrown.code !== 'string') return undefined
  const known = systemMessages[thrown.code]
  if (known === undefined) return undefined
  const path = 'path' in thrown && typeof thrown.path === 'string' ? `${thrown.path}: ` : ''
  const usage = thrown.code !== 'ENOSPC'
  return {
    code: 'INVALID_ARGUMENT',
    exit: usage ? exitCodes.usage : exitCodes.failure,
    message: `${path}${known[0]}`,
    hint: known[1],
    where: {},
    cause: [],
  }
}

/** `topologies/a.ts:12:3, processor by-word, lines-0 at offset 7` */
export function placeOf(where: ErrorLocation, cwd = ''): string {
  const parts: string[] = []
  if (where.file !== undefined) {
    const column = where.column === undefined ? '' : `:${where.column}`
    const file = nearPath(where.file, cwd)
    parts.push(where.line === undefined ? file : `${file}:${where.line}${column}`)
  }
  if (where.node !== undefined) parts.push(`processor ${where.node}`)
  if (where.topic !== undefined) {
    const partition = where.partition === undefined ? '' : `-${where.partition}`
    parts.push(`${where.topic}${partition}${where.offset === undefined ? '' : ` at offset ${where.offset}`}`)
  }
  if (where.task !== undefined) parts.push(`task ${where.task}`)
  return parts.join(', ')
}

function nearPath(file: string, cwd: string): string {
  const near = cwd === '' || !isAbsolute(file) ? file : relative(cwd, file)
  return near === '' || near.startsWith('..') ? file : near
}

/** Paths below `cwd` in a text, as the user would type them; only those that begin a word, so that no longer path is cut. */
function nearPaths(text: string, cwd: string): string {
  if (cwd.length < 2) return text
  const below = cwd.endsWith(sep) ? cwd : cwd + sep
  return text
    .split(/(?<=^|[\s'"(])/)
    .map((word) => (word.startsWith(below) ? word.slice(below.length) : word))
    .join('')
}

function sentence(text: string): string {
  const flat = text.replace(/\s*\n\s*/g, ' ').trim()
  return flat === '' || /[.!?:]$/.test(flat) ? flat : `${flat}.`
}

/** One paragraph without line ends. */
export function errorText(report: ErrorReport, cwd = ''): string {
  const place = placeOf(report.where, cwd)
  const message = nearPaths(report.message, cwd)
  const parts = [
    `streamctl: ${sentence(message)}`,
    place === '' || message.includes(place) ? '' : sentence(`Where: ${place}`),
    report.cause.length === 0 ? '' : sentence(`Cause: ${report.cause.join('; ')}`),
    sentence(report.hint),
  ]
  return escapeText(parts.filter((part) => part !== '').join(' '))
}

/** One line of JSON; offsets are strings, as everywhere. */
export function errorJson(report: ErrorReport): string {
  const { offset, ...rest } = report.where
  const where = offset === undefined ? rest : { ...rest, offset: String(offset) }
  return escapeJson(
    toJson({
      v: 1,
      kind: 'error',
      code: report.code,
      exit: report.exit,
      message: report.message,
      hint: report.hint,
      ...(Object.keys(where).length === 0 ? {} : { where }),
      cause: report.cause,
    }),
  )
}

/** The stack and the stacks of its causes, for --debug. */
export function stackOf(thrown: unknown): string {
  const stacks: string[] = []
  for (
    let at: unknown = thrown;
    at !== undefined && stacks.length < 6;
    at = at instanceof Error ? at.cause : undefined
  ) {
    stacks.push(at instanceof Error ? (at.stack ?? at.message) : String(at))
  }
  return stacks.join('\ncaused by ').split('\n').map(escapeText).join('\n')
}
