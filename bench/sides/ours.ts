/** Our engine, with the settings of `streamctl run`. STREAMCTL_BENCH_PROFILE names a directory for CPU profiles. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { argumentsOf, type Side } from './side.ts'

const program = fileURLToPath(new URL('../engine.ts', import.meta.url))

export function ours(): Side {
  const profile = process.env.STREAMCTL_BENCH_PROFILE
  const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return {
    name: 'ours',
    version,
    durable: true,
    command: (spec) => ({ file: process.execPath, args: [...flags, program, ...argumentsOf(spec)] }),
  }
}
