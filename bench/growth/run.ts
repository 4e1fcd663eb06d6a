/** Runs a point's topology from where it stands to the end of its input, and says what that took. */

import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { inThreads } from '../../src/cli/threads.ts'
import { startApp } from '../../src/runtime/app.ts'
import type { StreamsApp } from '../../src/runtime/app-options.ts'
import { axes } from './axes.ts'
import type { Axis } from './axis.ts'
import { withBroker } from './broker.ts'
import { asChild } from './child.ts'

export interface Run {
  /** Records that the rest is about. */
  readonly records: number
  /** User and system time of the whole process while they were processed. */
  readonly cpuSeconds: number
  readonly seconds: number
  /** Peak resident memory of the process, its start included. */
  readonly rssMiB: number
}

interface Mark {
  readonly records: number
  readonly cpuSeconds: number
  readonly at: number
}

/** ms between two looks at the state. */
const lookMs = 5
/** Share of the records that is processed before anything is measured. */
const warmUp = 0.2
/** An application that processes nothing for so long hangs. */
const patienceMs = 60_000
const file = fileURLToPath(new URL('topology.ts', import.meta.url))

await asChild((spec, point, { from, to }) =>
  withBroker(spec, async (broker): Promise<Run> => {
    const { onlyOnKafka } = axes.get(spec.axis) as Axis
    process.env.STREAMCTL_GROWTH_POINT = JSON.stringify(spec)
    const begun: Mark = { records: 0, cpuSeconds: 0, at: performance.now() }
    const app = await startApp(point.topology(spec), {
      broker,
      appId: spec.app,
      stateDir: spec.stateDir,
      // Also a single one: points of an axis differ in nothing else.
      ...(onlyOnKafka &&
        spec.bootstrap !== null && {
          startEngines: inThreads({ workers: point.workers, file, bootstrap: spec.bootstrap.split(',') }),
        }),
    })
    const caughtUp = Promise.race([app.caughtUp(), app.ended, stall(app)])
    const warm = await Promise.race([caughtUp.then(() => begun), warmedUp(app, (to - from) * warmUp)])
    await caughtUp
    const end = mark(to - from)
    // A run that was nearly over when it was looked at is told from its start.
    const start = end.records - warm.records < end.records * warmUp ? begun : warm
    await app.stop()
    return {
      records: end.records - start.records,
      cpuSeconds: end.cpuSeconds - start.cpuSeconds,
      seconds: (end.at - start.at) / 1000,
      rssMiB: process.resourceUsage().maxRSS / 1024,
    }
  }),
)

/** Every task runs and so many records are done: what starting and compiling cost lies before, and grows with nothing. */
async function warmedUp(app: StreamsApp, records: number): Promise<Mark> {
  for (;;) {
    const { state, recordsIn } = app.snapshot()
    if (state === 'running' && recordsIn >= records) return mark(recordsIn)
    await setTimeout(lookMs, undefined, { ref: false })
  }
}

function mark(records: number): Mark {
  const { user, system } = process.cpuUsage()
  return { records, cpuSeconds: (user + system) / 1e6, at: performance.now() }
}

async function stall(app: StreamsApp): Promise<never> {
  let last = -1
  for (;;) {
    const { recordsIn } = app.snapshot()
    if (recordsIn === last) throw new Error(`${recordsIn} records are processed, and none for ${patienceMs / 1000} s`)
    last = recordsIn
    await setTimeout(patienceMs, undefined, { ref: false })
  }
}
