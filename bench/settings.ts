/** Under which circumstances a session was measured: machine, versions, and the settings that bear on the numbers. */

import { cpus, loadavg, totalmem } from 'node:os'
import type { Flags } from './flags.ts'
import { accountCount } from './payments.ts'
import { execute } from './sides/execute.ts'
import { javaHeap } from './sides/kafka-streams.ts'
import type { Side } from './sides/side.ts'
import { partitions } from './workload.ts'

export function settingsOf({ records, runs, threads }: Flags, sides: readonly Side[]) {
  return {
    records,
    runs,
    threads,
    partitions,
    keys: accountCount,
    commitIntervalMs: 100,
    exactlyOnce: true,
    versions: Object.fromEntries(sides.map(({ name, version }) => [name, version])),
    machine: machine(),
  }
}

/** What only a comparison needs to say. */
export async function peerSettings(sides: readonly Side[]) {
  const has = (name: string) => sides.some((side) => side.name === name)
  return {
    ...(has('kafkaStreams') && {
      java: firstLine(await execute('java', ['-version'])),
      javaHeap,
      kafkaStreamsCacheMiB: 10,
    }),
    ...(has('kafkajs') && { kafkajsCommits: 'each fetched batch' }),
    ...(has('franzGo') && { go: firstLine(await execute('go', ['version'])), goMaxProcs: 'threads' }),
  }
}

export function load(): readonly number[] {
  return loadavg().map((value) => Math.round(value * 100) / 100)
}

export function machine() {
  return {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}
