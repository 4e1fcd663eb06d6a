/** One workload, all sides, on one broker: the input is written once, then the sides take turns, A-B-A-B. */

import { randomUUID } from 'node:crypto'
import { accountRecord } from './accounts.ts'
import { measureInProcess } from './in-process/start.ts'
import { type Latency, type LatencyOptions, measureLatency } from './measure/latency.ts'
import { measureRestore, type Restore } from './measure/restore.ts'
import { type Bench, type Inputs, withRun } from './measure/run.ts'
import { measureThroughput, type Throughput } from './measure/throughput.ts'
import { createInput, deleteTopics, fill } from './measure/topics.ts'
import { accountCount } from './payments.ts'
import { ratios, roundedAll, type SideResults, sideResult, type WorkloadResult } from './result.ts'
import type { Side, SideName } from './sides/side.ts'
import type { WorkloadKind } from './workload.ts'

export interface SessionOptions {
  readonly records: number
  readonly runs: number
  /** Undefined leaves latency out. */
  readonly latency: LatencyOptions | undefined
  /** Whether durable sides are started again without their state after the last run, where the workload restores. */
  readonly restore: boolean
  readonly say: (line: string) => void
}

export async function runWorkload(
  bench: Bench,
  kind: WorkloadKind,
  all: readonly Side[],
  options: SessionOptions,
): Promise<WorkloadResult> {
  const sides = all.filter(({ name }) => kind.sides?.includes(name) ?? true)
  const { records, runs, say } = options
  const { bootstrap } = bench
  say(`${kind.name}: ${kind.summary}`)
  const inProcess = roundedAll(await measureInProcess(kind.name))
  say(`  floor ${inProcess.floor} CPU s per million, engine in process ${inProcess.engineOnDisk}`)

  const inputs = await writeInputs(bench, kind, records)
  const throughputs = new Map<SideName, Throughput[]>(sides.map(({ name }) => [name, []]))
  const restores = new Map<SideName, Restore>()
  for (let number = 1; number <= runs; number++) {
    for (const side of sides) {
      await withRun(bench, side, kind, inputs, async (run) => {
        const throughput = await measureThroughput(bench, run, records)
        throughputs.get(side.name)?.push(throughput)
        say(`  run ${number} ${side.name.padEnd(12)} ${describe(throughput)}`)
        if (!options.restore || !kind.restores || !side.durable || number < runs) return
        const restore = roundedAll(await measureRestore(bench, run))
        restores.set(side.name, restore)
        say(`  restore ${side.name.padEnd(10)} ${restore.recordsPerSecond} records/s of ${restore.changelogRecords}`)
      })
    }
  }
  await deleteTopics(bootstrap, [inputs.input])
  const latencies = await measureLatencies(bench, kind, sides, inputs.table, options)
  await deleteTopics(bootstrap, [inputs.table])

  const results = Object.fromEntries(
    sides.map(({ name }) => {
      const floor = name === 'ours' ? inProcess.floor : undefined
      const latency = latencies.get(name)
      const restore = restores.get(name)
      const result = sideResult(throughputs.get(name) as Throughput[], floor)
      return [name, { ...result, ...(latency && { latency }), ...(restore && { restore }) }]
    }),
  ) as SideResults
  return {
    name: kind.name,
    summary: kind.summary,
    ...results,
    ...ratios(results),
    floorCpuSecondsPerMillion: inProcess.floor,
    inProcess,
  }
}

async function measureLatencies(
  bench: Bench,
  kind: WorkloadKind,
  sides: readonly Side[],
  table: string,
  { latency, say }: SessionOptions,
): Promise<ReadonlyMap<SideName, Latency>> {
  const measured = new Map<SideName, Latency>()
  if (latency === undefined) return measured
  for (const side of sides) {
    const input = `bench-paced-${randomUUID()}`
    await createInput(bench.broker, input)
    await withRun(bench, side, kind, { input, table }, async (run) => {
      const result = roundedAll(await measureLatency(bench, run, latency))
      measured.set(side.name, result)
      say(`  latency ${side.name.padEnd(10)} p50 ${result.p50Ms} ms   p99 ${result.p99Ms} ms`)
    })
    await deleteTopics(bench.bootstrap, [input])
  }
  return measured
}

async function writeInputs({ broker }: Bench, { record }: WorkloadKind, records: number): Promise<Inputs> {
  const id = randomUUID()
  const inputs = { input: `bench-payments-${id}`, table: `bench-accounts-${id}` }
  await createInput(broker, inputs.input)
  await createInput(broker, inputs.table)
  await fill(broker, inputs.table, accountCount, accountRecord)
  await fill(broker, inputs.input, records, record)
  return inputs
}

function describe(run: Throughput): string {
  const { recordsPerSecond, cpuSecondsPerMillion, rssMiB, outputRecords } = roundedAll(run)
  return `${recordsPerSecond.toLocaleString('en')} records/s   ${cpuSecondsPerMillion} CPU s per million   ${rssMiB} MiB peak RSS   ${outputRecords} records out`
}
