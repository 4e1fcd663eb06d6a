/** One measured run: input written, engine run as a process of its own, the output's append times read from the broker. */

import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Broker } from '../src/broker/port.ts'
import { partitionOf } from '../src/common/partitioner.ts'
import { noHeaders } from '../src/common/record.ts'
import type { Workload, WorkloadTopic } from './workload.ts'

export interface Measurement {
  /** Input records / (last minus first append time of the output, by the broker's clock). */
  readonly recordsPerSecond: number
  /** Of the engine's process, start and end included. */
  readonly cpuSecondsPerMillion: number
  /** Peak resident memory of the engine's process. */
  readonly rssMiB: number
  readonly commits: number
}

/** Event times are old and a broker deletes by them, hence no retention. Output is stamped by the broker: the clock of the run. */
export async function createTopics(broker: Broker, workload: Workload): Promise<void> {
  const spec = (topic: WorkloadTopic, configs: Record<string, string>) => ({
    ...topic,
    configs: { 'retention.ms': '-1', ...configs },
  })
  await broker.createTopics([
    spec(workload.input, {}),
    spec(workload.output, { 'message.timestamp.type': 'LogAppendTime' }),
  ])
}

export async function writeInput(broker: Broker, workload: Workload, records: number): Promise<void> {
  const producer = await broker.plainProducer()
  const output = producer.output(workload.input.name)
  for (let number = 0; number < records; number++) {
    const { key, value, timestamp } = workload.record(number)
    output.append(partitionOf(key, workload.input.partitions), key, value, timestamp, noHeaders)
    if (number % 20_000 === 19_999) await producer.flush()
  }
  await producer.flush()
  await producer.close()
}

export async function measure(broker: Broker, workload: Workload, records: number): Promise<Measurement> {
  const from = await ends(broker, workload.output)
  const usage = await runEngine(broker.address, workload.name)
  const { first, last } = await appendTimes(broker, workload.output, from)
  return {
    recordsPerSecond: Math.round(records / ((last - first) / 1000)),
    cpuSecondsPerMillion: round((usage.cpuSeconds / records) * 1e6),
    rssMiB: Math.round(usage.rssMiB),
    commits: usage.commits,
  }
}

interface Usage {
  readonly cpuSeconds: number
  readonly rssMiB: number
  readonly commits: number
}

/** A fresh app id each time: the whole input is read, into empty state. */
async function runEngine(bootstrap: string, workload: string): Promise<Usage> {
  const engine = fileURLToPath(new URL('engine.ts', import.meta.url))
  const profile = process.env.STREAMCTL_BENCH_PROFILE
  const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const child = spawn(process.execPath, [...flags, engine, bootstrap, workload, `bench-${workload}-${randomUUID()}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  const status = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  )
  if (status !== 0) throw new Error(`the engine ended with status ${status}`)
  return JSON.parse(printed) as Usage
}

function ends(broker: Broker, topic: WorkloadTopic) {
  return broker.offsets(
    Array.from({ length: topic.partitions }, (_, partition) => ({ topic: topic.name, partition })),
    'end',
  )
}

/** First and last timestamp of what was appended after `from`. */
async function appendTimes(broker: Broker, topic: WorkloadTopic, from: Awaited<ReturnType<typeof ends>>) {
  const to = await ends(broker, topic)
  const fetcher = broker.fetcher({ maxPartitionBytes: 4 << 20 })
  fetcher.assign(from)
  const open = new Set(to.filter((end, i) => end.offset > (from[i]?.offset ?? 0)).map((end) => end.partition))
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  while (open.size > 0) {
    for (const { partition, records, position } of await fetcher.poll(1000)) {
      for (const { timestamp } of records) {
        if (timestamp < first) first = timestamp
        if (timestamp > last) last = timestamp
      }
      if (position >= (to.find((end) => end.partition === partition)?.offset ?? 0)) open.delete(partition)
    }
  }
  await fetcher.close()
  return { first, last }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
