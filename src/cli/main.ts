#!/usr/bin/env node
/** The program `streamctl`: streams, signals and the exit code; nothing is imported before Node's version is known to do. */

import type { StreamError } from '../common/errors.ts'
import type { Io } from './io.ts'
import type { Uncaught } from './user-failure.ts'

const needed = [22, 18] as const
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  process.stderr.write(
    `streamctl: Node ${process.versions.node} is too old: ${needed.join('.')} or newer is needed. ` +
      'Install a newer Node, or run it inside a checkout with npx, which brings its own.\n',
  )
  process.exitCode = 2
} else {
  await main(process.argv.slice(2))
}

async function main(args: readonly string[]): Promise<void> {
  const { LineWriter } = await import('./io.ts')
  const { errorJson, errorText, reportOf, stackOf } = await import('./errors.ts')
  const { runProgram } = await import('./program.ts')
  const { userFailure } = await import('./user-failure.ts')
  const debug = args.includes('--debug')
  const json = args.includes('--json')
  const uncaught = new Set<(failure: StreamError) => void>()

  const io: Io = {
    stdin: process.stdin,
    out: new LineWriter(process.stdout),
    outIsTerminal: process.stdout.isTTY,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    onSignal(listener) {
      process.on('SIGINT', listener)
      process.on('SIGTERM', listener)
      return () => {
        process.off('SIGINT', listener)
        process.off('SIGTERM', listener)
      }
    },
    onUncaught(listener) {
      uncaught.add(listener)
      return () => uncaught.delete(listener)
    },
    exit: (code) => process.exit(code),
  }
  // Nobody is left to read it: no reason to fail.
  process.stderr.on('error', () => undefined)

  const fail = (thrown: unknown): number => {
    const report = reportOf(thrown)
    process.stderr.write(`${json ? errorJson(report) : errorText(report, io.cwd)}\n`)
    if (debug) process.stderr.write(`${stackOf(thrown)}\n`)
    return report.exit
  }
  // Of what Node and libraries warn, only what concerns the user is passed on.
  process.removeAllListeners('warning')
  process.on('warning', (warning) => {
    if (debug) process.stderr.write(`${warning.stack ?? warning.message}\n`)
  })
  const crash = (thrown: unknown, how: Uncaught): void => {
    const failure = userFailure(thrown, how)
    if (failure === undefined || uncaught.size === 0) process.exit(fail(failure ?? thrown))
    for (const listener of uncaught) listener(failure)
  }
  process.on('uncaughtException', (thrown) => crash(thrown, 'uncaughtException'))
  process.on('unhandledRejection', (thrown) => crash(thrown, 'unhandledRejection'))

  let exit: number
  try {
    exit = await runProgram(args, await version(), io)
  } catch (thrown) {
    exit = fail(thrown)
  }
  // A timer or socket that the user's module left open must not keep the process.
  process.stdout.write('', () => process.exit(exit))
}

async function version(): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  return String((JSON.parse(text) as { version: unknown }).version)
}
