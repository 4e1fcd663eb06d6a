/**
 * The record path without a broker, looked into: one line of JSON. In a process of its own, in which the rounds before
 * have warmed up what is looked at.
 * Usage: node bench/profile/record-path.ts cpu <workload>
 *        node <noInlining> bench/profile/record-path.ts allocations <workload>
 */

import { cpuSeconds } from '../in-process/engine-path.ts'
import { type Rounds, roundsOf } from '../in-process/rounds.ts'
import { allocationCosts } from './allocations.ts'
import type { Cost } from './cost.ts'
import { type CpuCosts, cpuCosts, cpuProfile } from './cpu.ts'

/** What the report of a workload without a broker is made of. */
export interface Cpu extends CpuCosts {
  readonly records: number
  /** CPU seconds of a round without the profiler, the least of several. */
  readonly floor: number
  readonly engine: number
  readonly engineMainThread: number
}

export interface Allocations {
  readonly costs: readonly Cost[]
  readonly records: number
}

const records = 100_000
/** Without the profiler, after one to warm up. */
const measuredRounds = 5
const profiledRounds = 4
/** Before allocations are looked at: code that is not optimized yet allocates more. */
const unmeasuredRounds = 2

async function cpu({ floor, onDisk }: Rounds): Promise<Cpu> {
  floor()
  await onDisk(cpuSeconds)
  const floors: number[] = []
  const engines: number[] = []
  const mainThreads: number[] = []
  for (let round = 0; round < measuredRounds; round++) {
    floors.push(floor())
    const { all, mainThread } = await onDisk(threadSeconds)
    engines.push(all)
    mainThreads.push(mainThread)
  }
  const profiles = []
  for (let round = 0; round < profiledRounds; round++) profiles.push(await onDisk(cpuProfile))
  return {
    ...cpuCosts(profiles),
    records,
    floor: Math.min(...floors),
    engine: Math.min(...engines),
    engineMainThread: Math.min(...mainThreads),
  }
}

/** LevelDB writes, and V8 collects garbage and compiles, in threads beside the main one. */
async function threadSeconds(run: () => Promise<void>): Promise<{ readonly all: number; readonly mainThread: number }> {
  const started = process.threadCpuUsage()
  const all = await cpuSeconds(run)
  const { user, system } = process.threadCpuUsage(started)
  return { all, mainThread: (user + system) / 1e6 }
}

async function allocations({ onDisk }: Rounds): Promise<Allocations> {
  for (let round = 0; round < unmeasuredRounds; round++) await onDisk(cpuSeconds)
  return { costs: await onDisk(allocationCosts), records }
}

const [what, name = ''] = process.argv.slice(2)
const rounds = roundsOf(name, records)
process.stdout.write(JSON.stringify(what === 'cpu' ? await cpu(rounds) : await allocations(rounds)))
