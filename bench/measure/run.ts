/** A run of one side: its topics, its state directory and its process, and all of it gone at the end. */

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Broker } from '../../src/broker/port.ts'
import type { RunSpec, Side } from '../sides/side.ts'
import type { WorkloadKind, WorkloadTopics } from '../workload.ts'
import { type Child, startChild } from './child.ts'
import { createOutput, deleteTopics, internalTopics } from './topics.ts'

export interface Bench {
  readonly broker: Broker
  readonly bootstrap: string
  readonly threads: number
}

export interface Prepared {
  readonly spec: RunSpec
  readonly kind: WorkloadKind
  /** Starts the side; again after `stop` for a restart under the same name. */
  readonly start: () => Child
}

/** Topics that every run of a workload reads. */
export type Inputs = Pick<WorkloadTopics, 'input' | 'table'>

/** Calls `body` with a run of its own: no group, output or state of another run is met. */
export async function withRun<T>(
  bench: Bench,
  side: Side,
  kind: WorkloadKind,
  inputs: Inputs,
  body: (run: Prepared) => Promise<T>,
): Promise<T> {
  const { broker, bootstrap, threads } = bench
  const app = `bench-${kind.name}-${randomUUID()}`
  const output = `${app}-output`
  const state = await mkdtemp(join(tmpdir(), 'streamctl-bench-'))
  const spec: RunSpec = { bootstrap, workload: kind.name, app, state, threads, output, ...inputs }
  await createOutput(broker, output)
  let child: Child | undefined
  try {
    return await body({
      spec,
      kind,
      start: () => {
        child = startChild(side.command(spec))
        return child
      },
    })
  } finally {
    child?.kill()
    await rm(state, { recursive: true, force: true })
    await deleteTopics(bootstrap, await internalTopics(broker, app))
  }
}
