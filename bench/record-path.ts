/**
 * The record path without a broker, beside the floor, in a process of its own: one line of JSON.
 * Usage: node bench/record-path.ts <workload> [records, default 100000] [rounds, default 6]
 * With --cpu-prof before the file name: where the time goes.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accountRecord } from './accounts.ts'
import { enginePath } from './in-process/engine-path.ts'
import { floorPath } from './in-process/floor-path.ts'
import type { InProcess } from './in-process/measurement.ts'
import { recordSets } from './in-process/wire.ts'
import { accountCount, paymentRecord } from './payments.ts'
import { workloads } from './workloads.ts'

/** About what arrives between two commits. */
const perCommit = 20_000

const [name = 'windowed', recordsText = '100000', roundsText = '6'] = process.argv.slice(2)
const records = Number(recordsText)
const kind = workloads.get(name)
if (kind === undefined) throw new Error(`there is no workload ${name}`)

const topics = { input: 'payments', output: 'results', table: 'accounts' }
const workload = kind.make(topics)
const input = recordSets(topics.input, records, perCommit, paymentRecord)
const table = kind.readsTable ? recordSets(topics.table, accountCount, perCommit, accountRecord) : []

const least = { floor: Infinity, engineInMemory: Infinity, engineOnDisk: Infinity }
for (let round = 0; round < Number(roundsText); round++) {
  const dir = await mkdtemp(join(tmpdir(), 'streamctl-path-'))
  const perMillion = (seconds: number) => (seconds / records) * 1e6
  least.floor = Math.min(least.floor, perMillion(floorPath(kind, input)))
  least.engineInMemory = Math.min(
    least.engineInMemory,
    perMillion(await enginePath(workload, { topics, input, table }, null)),
  )
  least.engineOnDisk = Math.min(
    least.engineOnDisk,
    perMillion(await enginePath(workload, { topics, input, table }, dir)),
  )
  await rm(dir, { recursive: true })
}
const result: InProcess = { ...least, ratioToFloor: least.engineOnDisk / least.floor }
process.stdout.write(`${JSON.stringify(result)}\n`)
