/** The report on a workload's record path without a broker: how far from the floor, where the time goes, what allocates. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execute } from '../sides/execute.ts'
import { noInlining } from './allocations.ts'
import type { Allocations, Cpu } from './record-path.ts'
import { allocationTables, cpuTables, distance, page } from './report.ts'

const program = fileURLToPath(new URL('record-path.ts', import.meta.url))

/** Writes <workload>.txt. @returns its name. */
export async function profileWithoutBroker(dir: string, workload: string): Promise<string> {
  const cpu = JSON.parse(await execute(process.execPath, [program, 'cpu', workload])) as Cpu
  const allocations = JSON.parse(
    await execute(process.execPath, [...noInlining, program, 'allocations', workload]),
  ) as Allocations
  const { engine, engineMainThread, floor, records } = cpu
  const perMillion = {
    engine: (engine / records) * 1e6,
    mainThread: (engineMainThread / records) * 1e6,
    floor: (floor / records) * 1e6,
  }
  const file = join(dir, `${workload}.txt`)
  await mkdir(dir, { recursive: true })
  await writeFile(
    file,
    page([
      [`${workload}: the record path without a broker`],
      ['All threads, without a profiler, the least of several rounds:', ...distance(perMillion)],
      ['CPU: self time of the main thread'],
      ...cpuTables(cpu, perMillion.mainThread * 1000),
      ["Allocation: bytes on V8's heap, garbage included; no function inlined, which costs some but tells them apart"],
      ...allocationTables(allocations.costs, allocations.records),
    ]),
  )
  return file
}
