/** A workload's input, written once, to go through the engine's record path and the floor round by round. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accountRecord } from '../accounts.ts'
import { accountCount } from '../payments.ts'
import { workloads } from '../workloads.ts'
import { enginePath, type Measure } from './engine-path.ts'
import { floorPath } from './floor-path.ts'
import { recordSets } from './wire.ts'

export interface Rounds {
  /** @returns CPU seconds. */
  readonly floor: () => number
  readonly inMemory: <T>(measure: Measure<T>) => Promise<T>
  readonly onDisk: <T>(measure: Measure<T>) => Promise<T>
}

/** About what arrives between two commits. */
const perCommit = 20_000

/** @throws Error when there is no such workload. */
export function roundsOf(name: string, records: number): Rounds {
  const kind = workloads.get(name)
  if (kind === undefined) throw new Error(`there is no workload ${name}`)
  const topics = { input: 'payments', output: 'results', table: 'accounts' }
  const workload = kind.make(topics)
  const input = recordSets(topics.input, records, perCommit, kind.record)
  const table = kind.readsTable ? recordSets(topics.table, accountCount, perCommit, accountRecord) : []
  return {
    floor: () => floorPath(kind, input),
    inMemory: (measure) => enginePath(workload, { topics, input, table }, null, measure),
    onDisk: async (measure) => {
      const dir = await mkdtemp(join(tmpdir(), 'streamctl-path-'))
      try {
        return await enginePath(workload, { topics, input, table }, dir, measure)
      } finally {
        await rm(dir, { recursive: true })
      }
    },
  }
}
