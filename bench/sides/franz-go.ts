/** The hand-written loop in Go of `peers/franz-go`, on as many cores as the others have threads. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execute } from './execute.ts'
import { argumentsOf, type Side } from './side.ts'

const sources = join(import.meta.dirname, '..', 'peers', 'franz-go')

/** @param buildDir gets the program. @throws Error when there is no Go, or its modules cannot be fetched. */
export async function franzGo(buildDir: string): Promise<Side> {
  const program = join(buildDir, 'franz-go')
  await execute('go', ['build', '-mod=readonly', '-o', program, '.'], sources)
  const pinned = /twmb\/franz-go v([\d.]+)/.exec(await readFile(join(sources, 'go.mod'), 'utf8'))
  return {
    name: 'franzGo',
    version: pinned?.[1] ?? 'unknown',
    durable: false,
    command: (spec) => ({ file: program, args: argumentsOf(spec), env: { GOMAXPROCS: String(spec.threads) } }),
  }
}
