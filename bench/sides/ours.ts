/** Our engine, with the settings of `streamctl run`. */

import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { argumentsOf, type Side } from './side.ts'

const program = fileURLToPath(new URL('../engine.ts', import.meta.url))

/** Node keeps here what it made of the sources, so that a run starts as one of an installed package, which is JavaScript, does. */
const compiled = join(tmpdir(), 'streamctl-bench-compiled')

/** @param profiles a directory that gets a CPU profile of each thread of each run; undefined makes none. */
export function ours(profiles?: string): Side {
  const flags = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return {
    name: 'ours',
    version,
    durable: true,
    command: (spec) => ({
      file: process.execPath,
      args: [...flags, program, ...argumentsOf(spec)],
      env: { NODE_COMPILE_CACHE: compiled },
    }),
  }
}
