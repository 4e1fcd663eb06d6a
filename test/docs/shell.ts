/** Runs what a page tells its reader to type, word for word, in a folder of its own; `npx streamctl` is the one of this checkout. */

import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { compileCache } from '../support/compile-cache.ts'
import { root } from './blocks.ts'

export interface Shown {
  readonly exit: number | NodeJS.Signals
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  /** stderr so far. */
  log(): string
  readonly ended: Promise<Shown>
}

export interface Shell {
  readonly dir: string
  /** Adds a command to the path. */
  command(name: string, script: string): void
  file(name: string, text: string): void
  start(script: string, env?: Readonly<Record<string, string>>): Started
  run(script: string, env?: Readonly<Record<string, string>>): Promise<Shown>
  remove(): void
}

/** A shell in a new folder. Its `streamctl` runs from the sources, so that no build can be stale. */
export function shell(): Shell {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'streamctl-docs-')))
  const bin = join(dir, '.bin')
  mkdirSync(bin)
  const command = (name: string, script: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  command('streamctl', `exec "${process.execPath}" "${join(root, 'src/cli/main.ts')}" "$@"`)
  command('npx', 'exec "$@"')
  // A clone's npx finds Node 24 under this name.
  command('node', `exec "${process.execPath}" "$@"`)
  const start: Shell['start'] = (script, env = {}) => {
    const child = spawn('sh', ['-euc', script], {
      cwd: dir,
      env: { PATH: `${bin}${delimiter}${process.env.PATH}`, HOME: dir, ...compileCache(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => {
      said.stdout += chunk
    })
    child.stderr.on('data', (chunk: Buffer) => {
      said.stderr += chunk
    })
    const ended = new Promise<Shown>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ exit: code ?? (signal as NodeJS.Signals), ...said }))
    })
    return { child, log: () => said.stderr, ended }
  }
  return {
    dir,
    command,
    file: (name, text) => writeFileSync(join(dir, name), text),
    start,
    run: (script, env) => start(script, env).ended,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}
