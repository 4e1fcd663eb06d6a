/** `streamctl run` as a process of its own, as a user starts it. */

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))

export interface RunProcess {
  readonly pid: number
  /** What it has said on stderr so far. */
  log(): string
  /** Resolves when the log matches; rejects when the process ends before. */
  said(pattern: RegExp): Promise<void>
  kill(signal: NodeJS.Signals): void
  /** Exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
}

/** @param env beside that of this process. */
export function startRun(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunProcess {
  const child: ChildProcess = spawn(process.execPath, [main, 'run', ...args, '--no-tui'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env, NO_COLOR: '1' },
  })
  let log = ''
  const listening = new Set<() => void>()
  child.stderr?.on('data', (chunk) => {
    log += chunk
    for (const look of listening) look()
  })
  return {
    pid: child.pid as number,
    log: () => log,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(log)) return
          listening.delete(look)
          resolve()
        }
        listening.add(look)
        child.once('close', (code) => reject(new Error(`ended with ${code} before it said ${pattern}:\n${log}`)))
        look()
      }),
    kill: (signal) => void child.kill(signal),
    ended: new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve(code ?? (signal as NodeJS.Signals)))
    }),
  }
}

/** Waits for its end, which must be of this status or by this signal; otherwise throws with what it said. */
export async function endsWith(run: RunProcess, wanted: number | NodeJS.Signals): Promise<void> {
  const ended = await run.ended
  if (ended !== wanted) throw new Error(`ended with ${ended} instead of ${wanted}:\n${run.log()}`)
}
