/** The programs that work on a point, each in a process of its own: what goes in as arguments, what comes out as one line of JSON. */

import { fileURLToPath } from 'node:url'
import { execute } from '../sides/execute.ts'
import { stopWanted } from '../sides/report.ts'
import type { Point } from './axis.ts'
import { type PointSpec, pointOf } from './spec.ts'

/** Numbers of the first record and of the one behind the last. */
export interface Range {
  readonly from: number
  readonly to: number
}

const programs = {
  fill: fileURLToPath(new URL('fill.ts', import.meta.url)),
  run: fileURLToPath(new URL('run.ts', import.meta.url)),
  check: fileURLToPath(new URL('check.ts', import.meta.url)),
}

/** Runs a program to its end. */
export async function inChild<T>(program: keyof typeof programs, spec: PointSpec, range: Range): Promise<T> {
  const args = [...process.execArgv, programs[program], JSON.stringify(spec), JSON.stringify(range)]
  return JSON.parse(await execute(process.execPath, args)) as T
}

/** The other end of `inChild`. It does not outlive the process that started it, whose end closes its stdin. */
export async function asChild(work: (spec: PointSpec, point: Point, range: Range) => Promise<object>): Promise<void> {
  stopWanted().then(
    () => process.exit(1),
    () => undefined,
  )
  const [spec = '', range = ''] = process.argv.slice(2)
  const read = JSON.parse(spec) as PointSpec
  const result = await work(read, pointOf(read), JSON.parse(range) as Range)
  process.stdout.write(`${JSON.stringify(result)}\n`)
  process.stdin.destroy()
}
