/** Reports of where time and memory go, kept as files. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execute } from '../sides/execute.ts'
import { noInlining } from './allocations.ts'
import type { Allocations, Cpu } from './record-path.ts'
import { page, percent, tables } from './report.ts'

const program = fileURLToPath(new URL('record-path.ts', import.meta.url))

/** Writes <workload>.txt for the record path without a broker. @returns its name. */
export async function keepRecordPath(dir: string, workload: string): Promise<string> {
  const cpu = JSON.parse(await execute(process.execPath, [program, 'cpu', workload])) as Cpu
  const allocated = await execute(process.execPath, [...noInlining, program, 'allocations', workload])
  const file = join(dir, `${workload}.txt`)
  await mkdir(dir, { recursive: true })
  await writeFile(file, recordPathPage(workload, cpu, JSON.parse(allocated) as Allocations))
  return file
}

function recordPathPage(workload: string, cpu: Cpu, allocations: Allocations): string {
  const { floor, engine, records, idle, costs, profiledRecords } = cpu
  const line = (what: string, seconds: number) =>
    `${what.padEnd(9)} ${((seconds / records) * 1e6).toFixed(2).padStart(6)} ${String(Math.round((seconds / records) * 1e9)).padStart(10)}`
  const busy = costs.reduce((total, { amount }) => total + amount, 0)
  return page([
    [`${workload}: the record path without a broker`],
    [
      'least of several rounds in one process, without a profiler, all threads',
      `${''.padEnd(9)} s per million   ns/record`,
      line('engine', engine),
      line('floor', floor),
      line('distance', engine - floor),
      `engine / floor = ${(engine / floor).toFixed(2)}`,
    ],
    [`CPU: self time of the main thread, ${percent(idle, idle + busy)} of waiting/idle left out`],
    ...tables(costs, 'ns/record', (microseconds) => (microseconds / profiledRecords) * 1000),
    ["Allocation: bytes on V8's heap, garbage included; without inlining, which tells functions apart"],
    ...tables(allocations.costs, 'bytes/record', (bytes) => bytes / allocations.records),
  ])
}
