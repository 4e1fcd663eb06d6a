/**
 * The process that is measured: runs one workload until it has caught up, then prints what it used, as one line of JSON.
 * Usage: node bench/engine.ts <bootstrap> <workload> <app id>. Settings are those of `streamctl run`.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectKafka } from '../src/broker/kafka/broker.ts'
import { startApp } from '../src/runtime/app.ts'
import { workloads } from './workloads.ts'

const [bootstrap, name, appId] = process.argv.slice(2) as [string, string, string]
const workload = workloads.get(name)
if (workload === undefined) throw new Error(`no workload ${name}`)

const stateDir = await mkdtemp(join(tmpdir(), 'streamctl-bench-'))
const broker = await connectKafka({ bootstrap })
try {
  const app = await startApp(workload.topology, { broker, appId, stateDir })
  await app.caughtUp()
  const { commits } = app.snapshot()
  await app.stop()
  const { user, system } = process.cpuUsage()
  const usage = {
    cpuSeconds: (user + system) / 1e6,
    rssMiB: process.resourceUsage().maxRSS / 1024,
    commits: commits.count,
  }
  process.stdout.write(`${JSON.stringify(usage)}\n`)
} finally {
  await broker.close()
  await rm(stateDir, { recursive: true, force: true })
}
