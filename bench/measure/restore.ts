/** The same application started again with its state directory gone: how fast the changelog becomes state. */

import { mkdir, rm } from 'node:fs/promises'
import type { Broker } from '../../src/broker/port.ts'
import type { Bench, Prepared } from './run.ts'
import { internalTopics, partitionsOf } from './topics.ts'

export interface Restore {
  /** Offsets of the changelog, markers included. */
  readonly changelogRecords: number
  /** Changelog records / (running minus first restoring, as the process says). */
  readonly recordsPerSecond: number
  /** From the start of the process until it runs. */
  readonly startToRunningMs: number
}

/** After a run that has ended cleanly. */
export async function measureRestore(bench: Bench, run: Prepared): Promise<Restore> {
  const { state, app } = run.spec
  const changelogRecords = await changelogLength(bench.broker, app)
  await rm(state, { recursive: true, force: true })
  await mkdir(state)
  const child = run.start()
  await child.running
  await child.stop()
  const runningAt = child.at('running') as number
  const restoringAt = child.at('restoring')
  if (restoringAt === undefined) throw new Error(`${app} ran again without restoring ${changelogRecords} records`)
  return {
    changelogRecords,
    recordsPerSecond: changelogRecords / (Math.max(1, runningAt - restoringAt) / 1000),
    startToRunningMs: runningAt - child.startedAt,
  }
}

async function changelogLength(broker: Broker, app: string): Promise<number> {
  const changelogs = (await internalTopics(broker, app)).filter((name) => name.endsWith('-changelog'))
  const places = changelogs.flatMap(partitionsOf)
  const [starts, ends] = await Promise.all([broker.offsets(places, 'earliest'), broker.offsets(places, 'end')])
  const sum = (offsets: typeof ends) => offsets.reduce((sum, { offset }) => sum + offset, 0)
  return sum(ends) - sum(starts)
}
