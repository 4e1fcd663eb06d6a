/**
 * `npm run bench`: runs the workloads on a real Kafka and prints records/s, CPU seconds per million records and peak RSS.
 * Starts a broker of its own unless STREAMCTL_TEST_BROKER names one.
 *
 *   --only NAME     one workload          --records N   records of input (default 2000000)
 *   --runs N        runs each (default 3; the median counts)          --json   one JSON document on stdout
 */

import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { connectKafka } from '../src/broker/kafka/broker.ts'
import { startKafka } from '../tools/kafka/kafka.ts'
import { createTopics, type Measurement, measure, writeInput } from './measure.ts'
import { workloads } from './workloads.ts'

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    records: { type: 'string', default: '2000000' },
    runs: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
})
const records = wholeNumber('--records', flags.records)
const runs = wholeNumber('--runs', flags.runs)
const chosen = [...workloads.values()].filter(({ name }) => flags.only === undefined || name === flags.only)
if (chosen.length === 0) fail(`there is no workload ${flags.only}; there are: ${[...workloads.keys()].join(', ')}`)

const given = process.env.STREAMCTL_TEST_BROKER
const kafka = given === undefined ? await startKafka() : undefined
const bootstrap = given ?? (kafka?.bootstrap as string)
const broker = await connectKafka({ bootstrap })
try {
  const results = []
  for (const workload of chosen) {
    say(`${workload.name}: ${workload.summary}; writing ${records} records`)
    await createTopics(broker, workload)
    await writeInput(broker, workload, records)
    const measured: Measurement[] = []
    for (let run = 1; run <= runs; run++) {
      const result = await measure(broker, workload, records)
      measured.push(result)
      say(`  run ${run}: ${describe(result)}`)
    }
    results.push({ name: workload.name, runs: measured, ours: medianOf(measured) })
  }
  const settings = {
    records,
    commitIntervalMs: 100,
    exactlyOnce: true,
    node: process.version,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
  }
  if (flags.json) process.stdout.write(`${JSON.stringify({ settings, workloads: results })}\n`)
  else for (const { name, ours } of results) process.stdout.write(`${name.padEnd(12)} ${describe(ours)}\n`)
} finally {
  await broker.close()
  await kafka?.stop()
}

/** The run with the median throughput. */
function medianOf(measured: readonly Measurement[]): Measurement {
  const sorted = [...measured].sort((a, b) => a.recordsPerSecond - b.recordsPerSecond)
  return sorted[Math.floor(sorted.length / 2)] as Measurement
}

function describe({ recordsPerSecond, cpuSecondsPerMillion, rssMiB, commits }: Measurement): string {
  return `${recordsPerSecond.toLocaleString('en')} records/s   ${cpuSecondsPerMillion} CPU s per million   ${rssMiB} MiB peak RSS   ${commits} commits`
}

function wholeNumber(flag: string, text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1) fail(`${flag} takes a whole number above 0, not ${text}`)
  return number
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

function fail(message: string): never {
  say(message)
  process.exit(2)
}
