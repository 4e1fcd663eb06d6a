/** The report on our engine's process while it works on Kafka, its start and end included. */

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import type { Profiler } from 'node:inspector'
import { join } from 'node:path'
import { cpuCosts } from './cpu.ts'
import { cpuTables, type Distance, distance, page } from './report.ts'

export interface KafkaProfile {
  readonly workload: string
  /** Where Node left a profile of each thread of each run; they are taken away. */
  readonly profiles: string
  /** Of all runs. */
  readonly records: number
  readonly measured: Distance
}

/** Writes <workload>-kafka.txt. @returns its name. */
export async function profileOnKafka(dir: string, profile: KafkaProfile): Promise<string> {
  const { workload, profiles, records, measured } = profile
  const cpu = cpuCosts(await taken(profiles))
  const microseconds = cpu.costs.reduce((sum, { amount }) => sum + amount, 0)
  const file = join(dir, `${workload}-kafka.txt`)
  await mkdir(dir, { recursive: true })
  await writeFile(
    file,
    page([
      [`${workload}: the engine on Kafka`],
      ['All threads, from start to end of the process, the profiler included:', ...distance(measured)],
      ['CPU: self time of its JavaScript threads, by the clock'],
      ...cpuTables(cpu, (microseconds / records) * 1000),
    ]),
  )
  return file
}

async function taken(dir: string): Promise<readonly Profiler.Profile[]> {
  const profiles: Profiler.Profile[] = []
  for (const name of await readdir(dir)) {
    const file = join(dir, name)
    profiles.push(JSON.parse(await readFile(file, 'utf8')) as Profiler.Profile)
    await rm(file)
  }
  return profiles
}
