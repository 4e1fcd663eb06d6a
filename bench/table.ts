/** The results as lines of text. */

import type { SideResult, WorkloadResult } from './result.ts'
import type { SideName } from './sides/side.ts'

const titles: Readonly<Record<SideName, string>> = {
  ours: 'streamctl',
  kafkaStreams: 'Kafka Streams',
  kafkajs: 'kafkajs loop',
  franzGo: 'franz-go loop',
}

export function table(workloads: readonly WorkloadResult[]): string {
  return workloads.map((workload) => `${lines(workload).join('\n')}\n`).join('\n')
}

function lines(workload: WorkloadResult): readonly string[] {
  const { name, summary, inProcess, speedup, cpuRatio, rssRatio, ofFranzGo } = workload
  const sides = (Object.keys(titles) as SideName[]).flatMap((side) => {
    const result = workload[side]
    return result === undefined ? [] : [`  ${titles[side].padEnd(14)} ${sideLine(result)}`]
  })
  const against = [
    speedup !== undefined && `${speedup} times the throughput of Kafka Streams`,
    cpuRatio !== undefined && `${cpuRatio} of its CPU`,
    rssRatio !== undefined && `${rssRatio} of its memory`,
    ofFranzGo !== undefined && `${ofFranzGo} of the throughput of franz-go`,
  ].filter((part) => part !== false)
  return [
    `${name}: ${summary}`,
    ...sides,
    ...(against.length > 0 ? [`  ours: ${against.join(', ')}`] : []),
    `  without a broker: floor ${inProcess.floor} CPU s per million, engine ${inProcess.engineOnDisk} (${inProcess.ratioToFloor} times)`,
  ]
}

function sideLine(result: SideResult): string {
  const { recordsPerSecond, cpuSecondsPerMillion, rssMiB, startToFirstOutputMs, spread, latency, restore } = result
  const { min, max } = spread.recordsPerSecond
  const parts = [
    `${number(recordsPerSecond)} records/s (${number(min)} to ${number(max)})`,
    `${cpuSecondsPerMillion} CPU s per million`,
    `${rssMiB} MiB`,
    `first output ${startToFirstOutputMs} ms`,
    latency !== undefined && `p50 ${latency.p50Ms} p99 ${latency.p99Ms} ms`,
    restore !== undefined && `restore ${number(restore.recordsPerSecond)}/s`,
  ]
  return parts.filter((part) => part !== false).join('   ')
}

function number(value: number): string {
  return value.toLocaleString('en')
}
