/** The plain kafkajs loop of `peers/kafkajs`. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { argumentsOf, type Side } from './side.ts'

const program = fileURLToPath(new URL('../peers/kafkajs/main.ts', import.meta.url))

export function kafkajs(): Side {
  const manifest = createRequire(import.meta.url).resolve('kafkajs/package.json')
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  return {
    name: 'kafkajs',
    version,
    durable: false,
    command: (spec) => ({ file: process.execPath, args: [program, ...argumentsOf(spec)] }),
  }
}
