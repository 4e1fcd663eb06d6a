/** One run over an input that is there already: how fast, at what cost, and checked for losses and doubles. */

import { caughtUp } from './caught-up.ts'
import type { Usage } from './child.ts'
import { checkedOutput } from './output.ts'
import type { Bench, Prepared } from './run.ts'

export interface Throughput {
  /** Input records / (last minus first append time of the output, by the broker's clock). */
  readonly recordsPerSecond: number
  /** Of the whole process, start and end included, by input records. */
  readonly cpuSecondsPerMillion: number
  /** Peak resident memory of the process. */
  readonly rssMiB: number
  /** From the start of the process to the first append of output. */
  readonly startToFirstOutputMs: number
  readonly outputRecords: number
}

export async function measureThroughput(bench: Bench, run: Prepared, records: number): Promise<Throughput> {
  const { spec, kind } = run
  const { input, output } = spec
  const child = run.start()
  const awaited = { group: spec.app, input, output, repartitions: kind.repartitions }
  await Promise.race([caughtUp(bench.broker, awaited), child.failed])
  const usage: Usage = await child.stop()
  const written = await checkedOutput(bench.broker, output, kind.make(spec).shows, records)
  return {
    recordsPerSecond: records / ((written.lastAt - written.firstAt) / 1000),
    cpuSecondsPerMillion: (usage.cpuSeconds / records) * 1e6,
    rssMiB: usage.rssMiB,
    startToFirstOutputMs: written.firstAt - child.startedAt,
    outputRecords: written.records,
  }
}
