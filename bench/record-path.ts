/**
 * The record path without a broker, beside the floor, in a process of its own: one line of JSON.
 * Usage: node bench/record-path.ts <workload> [records, default 100000] [rounds, default 9]
 * With --cpu-prof before the file name: where the time goes.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accountRecord } from './accounts.ts'
import { enginePath } from './in-process/engine-path.ts'
import { floorPath } from './in-process/floor-path.ts'
import { type InProcess, leastOf } from './in-process/measurement.ts'
import { recordSets } from './in-process/wire.ts'
import { accountCount, paymentRecord } from './payments.ts'
import { workloads } from './workloads.ts'

/** About what arrives between two commits. */
const perCommit = 20_000

const [name = 'windowed', recordsText = '100000', roundsText = '9'] = process.argv.slice(2)
const records = Number(recordsText)
const kind = workloads.get(name)
if (kind === undefined) throw new Error(`there is no workload ${name}`)

const topics = { input: 'payments', output: 'results', table: 'accounts' }
const workload = kind.make(topics)
const input = recordSets(topics.input, records, perCommit, paymentRecord)
const table = kind.readsTable ? recordSets(topics.table, accountCount, perCommit, accountRecord) : []

let result: InProcess | undefined
for (let round = 0; round < Number(roundsText); round++) {
  const floor = perMillion(floorPath(kind, input))
  const engineOnDisk = await onDisk()
  // What disk costs is only for the record: fewer rounds do.
  const engineInMemory =
    round % 3 === 0 ? perMillion(await enginePath(workload, { topics, input, table }, null)) : Number.POSITIVE_INFINITY
  const measured = { floor, engineInMemory, engineOnDisk, ratioToFloor: engineOnDisk / floor }
  result = result === undefined ? measured : leastOf(result, measured)
}
process.stdout.write(`${JSON.stringify(result)}\n`)

async function onDisk(): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'streamctl-path-'))
  try {
    return perMillion(await enginePath(workload, { topics, input, table }, dir))
  } finally {
    await rm(dir, { recursive: true })
  }
}

function perMillion(cpuSeconds: number): number {
  return (cpuSeconds / records) * 1e6
}
