/**
 * `npm run bench`: the workloads on a real Kafka. Throughput, CPU and memory of our engine, and with `--peers` of Kafka
 * Streams, a kafkajs loop and a franz-go loop, in turns on the same broker and input. Every run's output is checked.
 * Starts a broker of its own unless STREAMCTL_TEST_BROKER names one. See README.md beside this file.
 *
 *   --only NAME       one workload: stateless, windowed, session, rekey, table-join, stream-join,
 *                   foreign-key
 *   --records N       records of input (default 2000000)
 *   --runs N          runs of each side (default 3); medians count
 *   --peers           all sides; --sides ours,kafkaStreams,kafkajs,franzGo picks some
 *   --threads N       worker threads of each side (default 1)
 *   --latency         also end-to-end latency at 10,000 records/s: 20 s for each side and workload, after 10 s of warm-up
 *   --restore         also restore: rekey's state of the last run deleted and read again, for the durable sides
 *   --in-process      no broker: only the record path and its floor; under a minute
 *   --compare FILE    exit status 1 when a ratio to the floor is more than 10 % above that in FILE, a document of --json
 *   --profile DIR     where our engine's time goes, as DIR/<workload>-kafka.txt; with --in-process its memory too, as
 *                     DIR/<workload>.txt, and nothing else is measured
 *   --json            one JSON document on stdout (`npm run -s bench -- --json`)
 *   --growth          instead: how cost grows with keys, partitions, windows and so on, on the embedded broker; exit status 1
 *                     when one grows faster than its work. --axes keys,chain picks some, --kafka measures on Kafka too,
 *                     --plots DIR draws DIR/<axis>.svg, --records N (default 500000) shortens it
 *
 * `npm run bench operators`: nanoseconds and bytes per record of each operator instead; exit status 1 when one costs more where
 * more state lies in its window.
 *
 *   --only a,b        some of them
 *   --records N       records of a round (default 500000)
 *   --json            as above
 */

import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectKafka } from '../src/broker/kafka/broker.ts'
import { startKafka } from '../tools/kafka/kafka.ts'
import { confirmed, regressions } from './compare.ts'
import { FlagError, type Flags, readFlags } from './flags.ts'
import { growth } from './growth/growth.ts'
import { measureInProcess } from './in-process/start.ts'
import { operators, readOperatorFlags } from './operators/operators.ts'
import { profileOnKafka } from './profile/on-kafka.ts'
import { profileWithoutBroker } from './profile/without-broker.ts'
import { roundedAll, type SessionResult, type WorkloadResult } from './result.ts'
import { runWorkload } from './session.ts'
import { load, peerSettings, settingsOf } from './settings.ts'
import { franzGo } from './sides/franz-go.ts'
import { kafkaStreams } from './sides/kafka-streams.ts'
import { kafkajs } from './sides/kafkajs.ts'
import { ours } from './sides/ours.ts'
import type { Side, SideName } from './sides/side.ts'
import { table } from './table.ts'

/** Below, a JVM has hardly warmed up. */
const warmUpRecords = 2_000_000
const tooShort = `note: with fewer than ${warmUpRecords.toLocaleString('en')} records Kafka Streams is measured warming up; its ratios say nothing`

const latency = { recordsPerSecond: 10_000, seconds: 20, warmUpSeconds: 10 }

async function main(flags: Flags): Promise<number> {
  if (flags.growth !== undefined) return (await growth(flags.growth, say)) ? 0 : 1
  if (flags.inProcess && flags.profile !== undefined) {
    for (const { name } of flags.kinds) say(await profileWithoutBroker(flags.profile, name))
    return 0
  }
  const baseline =
    flags.compare === undefined ? undefined : (JSON.parse(await readFile(flags.compare, 'utf8')) as SessionResult)
  const loadBefore = load()
  const session = flags.inProcess ? await inProcess(flags) : await onKafka(flags)
  const workloads =
    baseline === undefined ? session.workloads : await confirmed(session.workloads, baseline, measureInProcess)
  const settings = { ...session.settings, loadBefore, loadAfter: load() }
  process.stdout.write(flags.json ? `${JSON.stringify({ settings, workloads })}\n` : table(workloads))
  if (baseline === undefined) return 0
  const worse = regressions(workloads, baseline)
  for (const line of worse) say(`regression: ${line}`)
  if (worse.length === 0) say(`no regression against ${flags.compare}`)
  return worse.length === 0 ? 0 : 1
}

async function inProcess(flags: Flags): Promise<SessionResult> {
  const workloads: WorkloadResult[] = []
  for (const { name, summary } of flags.kinds) {
    const inProcess = roundedAll(await measureInProcess(name))
    workloads.push({ name, summary, floorCpuSecondsPerMillion: inProcess.floor, inProcess })
  }
  return { settings: settingsOf(flags, [ours()]), workloads }
}

async function onKafka(flags: Flags): Promise<SessionResult> {
  const buildDir = await mkdtemp(join(tmpdir(), 'streamctl-peers-'))
  const given = process.env.STREAMCTL_TEST_BROKER
  // A changelog of old event times would be deleted by its retention before it can be restored.
  const kafka =
    given === undefined ? await startKafka({ config: { 'log.retention.check.interval.ms': 86_400_000 } }) : undefined
  const bootstrap = given ?? (kafka?.bootstrap as string)
  const broker = await connectKafka({ bootstrap })
  try {
    const { records, runs, threads, restore, profile } = flags
    const profiles = profile === undefined ? undefined : join(buildDir, 'profiles')
    const sides = await build(flags.sides, buildDir, profiles)
    const workloads: WorkloadResult[] = []
    if (flags.sides.includes('kafkaStreams') && records < warmUpRecords) say(tooShort)
    for (const kind of flags.kinds) {
      const options = { records, runs, restore, latency: flags.latency ? latency : undefined, say }
      const result = await runWorkload({ broker, bootstrap, threads }, kind, sides, options)
      workloads.push(result)
      if (profile === undefined || profiles === undefined || result.ours === undefined) continue
      const measured = { engine: result.ours.cpuSecondsPerMillion, floor: result.inProcess.floor }
      say(await profileOnKafka(profile, { workload: kind.name, profiles, records: records * runs, measured }))
    }
    return { settings: { ...settingsOf(flags, sides), ...(await peerSettings(sides)) }, workloads }
  } finally {
    await broker.close()
    await kafka?.stop()
    await rm(buildDir, { recursive: true, force: true })
  }
}

async function build(names: readonly SideName[], buildDir: string, profiles?: string): Promise<readonly Side[]> {
  const sides: Side[] = []
  for (const name of names) {
    const dir = join(buildDir, name)
    await mkdir(dir)
    if (name === 'ours') sides.push(ours(profiles))
    if (name === 'kafkaStreams') sides.push(await kafkaStreams(dir))
    if (name === 'kafkajs') sides.push(kafkajs())
    if (name === 'franzGo') sides.push(await franzGo(dir))
  }
  return sides
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

try {
  const [first, ...rest] = process.argv.slice(2)
  process.exitCode =
    first === 'operators' ? await operators(readOperatorFlags(rest), say) : await main(readFlags(process.argv.slice(2)))
} catch (error) {
  const misused = error instanceof FlagError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true
  say(misused ? (error as Error).message : String((error as Error).stack))
  process.exitCode = misused ? 2 : 1
}
