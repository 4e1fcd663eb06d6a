/** The process as commands see it, on streams in memory; and the real program as a child process. */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { errorJson, errorText, reportOf } from '../../src/cli/errors.ts'
import { type Io, LineWriter } from '../../src/cli/io.ts'
import { runProgram } from '../../src/cli/program.ts'
import { compileCache } from '../support/compile-cache.ts'

export interface Result {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

export interface Call {
  readonly cwd: string
  readonly stdin?: string | Readable
  readonly env?: Readonly<Record<string, string>>
  /** Taken up by the command; the test calls what it is given to send a signal. */
  readonly onReady?: (signal: () => void) => void
  readonly onStdout?: (text: string, signal: () => void) => void
}

/** A directory of the test's own, with files in it. */
export function folder(files: Readonly<Record<string, string>> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'streamctl-cli-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  return dir
}

/** A command line in this process. */
export async function call(
  args: readonly string[],
  { cwd, stdin = '', env = {}, onReady, onStdout }: Call,
): Promise<Result> {
  const out = new PassThrough()
  const err = new PassThrough()
  const said = { stdout: '', stderr: '' }
  const listeners = new Set<() => void>()
  const signal = (): void => {
    for (const listener of listeners) listener()
  }
  let forced: number | undefined
  out.on('data', (chunk: Buffer) => {
    said.stdout += chunk.toString()
    onStdout?.(said.stdout, signal)
  })
  err.on('data', (chunk: Buffer) => {
    said.stderr += chunk.toString()
  })
  const io: Io = {
    stdin: typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin,
    out: new LineWriter(out),
    outIsTerminal: false,
    stderr: err,
    env,
    cwd,
    onSignal(listener) {
      listeners.add(listener)
      onReady?.(signal)
      return () => listeners.delete(listener)
    },
    onUncaught: () => () => undefined,
    exit(code) {
      forced = code
    },
  }
  let exit: number
  try {
    exit = await runProgram(args, '0.0.0', io)
  } catch (thrown) {
    const report = reportOf(thrown)
    err.write(`${args.includes('--json') ? errorJson(report) : errorText(report, cwd)}\n`)
    exit = report.exit
  }
  await new Promise((resolve) => setImmediate(resolve))
  return { exit: forced ?? exit, ...said }
}

/** The program's entry. */
export const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** The program itself, from its sources. */
export function program(
  args: readonly string[],
  { cwd, stdin = '', env = {} }: Call & { stdin?: string },
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], {
      cwd,
      env: { PATH: process.env.PATH ?? '', ...compileCache(), ...env },
      stdio: 'pipe',
    })
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => {
      said.stdout += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      said.stderr += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ exit: code ?? -1, ...said }))
    child.stdin.on('error', () => undefined)
    child.stdin.end(stdin)
  })
}

export function jsonLines(text: string): readonly Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

export const wordCount = `
import { defineTopology, int64, string, topic } from 'streamctl'
const lines = topic('lines', { key: string, value: string })
const counts = topic('word-counts', { key: string, value: int64 })
export default defineTopology('word-count', (b) => {
  b.stream(lines)
    .flatMapValues((line) => line.split(' '))
    .groupBy('by-word', (word) => word, { key: string, value: string })
    .count('word-counts')
    .toStream()
    .to(counts)
})
`

/** Fails on the value 2. */
export const refusesTwo = `
import { defineTopology, json, string, topic } from 'streamctl'
const numbers = topic('numbers', { key: string, value: json<number>() })
const passed = topic('passed', { key: string, value: json<number>() })
export default defineTopology('refuses-two', (b) => {
  b.stream(numbers)
    .mapValues((n) => {
      if (n === 2) throw new Error('two is \\u001b[31m not\\nwanted')
      return n
    })
    .to(passed)
})
`
