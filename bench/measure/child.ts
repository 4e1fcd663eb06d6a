/** A side's process: its events as they come, its end when asked for. It does not outlive this process, whose end closes its stdin. */

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Command } from '../sides/side.ts'

export interface Usage {
  readonly cpuSeconds: number
  /** Peak resident memory. */
  readonly rssMiB: number
}

export interface Child {
  /** ms since the epoch. */
  readonly startedAt: number
  /** When it said so, ms since the epoch; undefined when it never did. */
  readonly at: (event: 'restoring' | 'running') => number | undefined
  readonly running: Promise<void>
  /** Rejects when the process ends before it was asked to. */
  readonly failed: Promise<never>
  /** Asks for the end and waits for it. */
  readonly stop: () => Promise<Usage>
  /** For when something else went wrong. */
  readonly kill: () => void
}

const keptLines = 20

export function startChild({ file, args, env }: Command): Child {
  const startedAt = Date.now()
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  const times = new Map<string, number>()
  const complaints: string[] = []
  let usage: Usage | undefined
  let stopping = false
  const running = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<Usage>()
  const failed = Promise.withResolvers<never>()

  createInterface(child.stdout).on('line', (line) => {
    const said = JSON.parse(line) as { event: string; at: number } & Usage
    if (said.event === 'ended') usage = { cpuSeconds: said.cpuSeconds, rssMiB: said.rssMiB }
    else if (!times.has(said.event)) times.set(said.event, said.at)
    if (said.event === 'running') running.resolve()
  })
  createInterface(child.stderr).on('line', (line) => {
    complaints.push(line)
    if (complaints.length > keptLines) complaints.shift()
  })
  child.stdin.on('error', () => undefined)
  child.once('error', (error) => fail(error))
  child.once('close', (status, signal) => {
    if (status === 0 && stopping && usage !== undefined) ended.resolve(usage)
    else fail(new Error(`${file} ended with ${signal ?? status}:\n${complaints.join('\n')}`))
  })
  function fail(error: Error): void {
    for (const waiting of [running, ended, failed]) waiting.reject(error)
  }
  for (const { promise } of [running, ended, failed]) promise.catch(() => undefined)

  return {
    startedAt,
    at: (event) => times.get(event),
    running: running.promise,
    failed: failed.promise,
    stop: () => {
      stopping = true
      child.stdin.end()
      return ended.promise
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
