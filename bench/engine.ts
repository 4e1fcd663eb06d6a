/**
 * Our side as a process: runs one workload until its stdin ends, and says on stdout when it restores, when it runs, and
 * at last what it used. Its workers run in threads of their own, as those of `streamctl run`.
 */

import { fileURLToPath } from 'node:url'
import { connectKafka } from '../src/broker/kafka/broker.ts'
import { inThreads } from '../src/cli/threads.ts'
import { startApp } from '../src/runtime/app.ts'
import { readArguments } from './sides/arguments.ts'
import { report, reportEnd, stopWanted } from './sides/report.ts'
import { workloads } from './workloads.ts'

/** ms between two looks at the state, so how exactly a restore is timed. */
const lookMs = 5

const spec = readArguments(process.argv.slice(2))
const workload = workloads.get(spec.workload)?.make(spec)
if (workload === undefined) throw new Error(`no workload ${spec.workload}`)
process.env.STREAMCTL_BENCH_RUN = JSON.stringify(process.argv.slice(2))

const file = fileURLToPath(new URL('topology.ts', import.meta.url))
const broker = await connectKafka({ bootstrap: spec.bootstrap })
try {
  const app = await startApp(workload.topology, {
    broker,
    appId: spec.app,
    stateDir: spec.state,
    startEngines: inThreads({ workers: spec.threads, file, bootstrap: spec.bootstrap.split(',') }),
  })
  let said: string | undefined
  const looking = setInterval(() => {
    const { state } = app.snapshot()
    if (state === 'restoring' && said === undefined) report('restoring')
    if (state === 'running') {
      report('running')
      clearInterval(looking)
    }
    said = state === 'restoring' ? state : said
  }, lookMs)
  await Promise.race([stopWanted(), app.ended])
  clearInterval(looking)
  await app.stop()
} finally {
  await broker.close()
}
reportEnd()
