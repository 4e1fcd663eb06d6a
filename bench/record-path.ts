/**
 * The record path without a broker, beside the floor, in a process of its own: one line of JSON.
 * Usage: node bench/record-path.ts <workload> [records, default 100000] [rounds, default 9]
 */

import { cpuSeconds } from './in-process/engine-path.ts'
import { type InProcess, leastOf } from './in-process/measurement.ts'
import { roundsOf } from './in-process/rounds.ts'

const [name = 'windowed', recordsText = '100000', roundsText = '9'] = process.argv.slice(2)
const records = Number(recordsText)
const { floor, inMemory, onDisk } = roundsOf(name, records)

let result: InProcess | undefined
for (let round = 0; round < Number(roundsText); round++) {
  const atFloor = perMillion(floor())
  const engineOnDisk = perMillion(await onDisk(cpuSeconds))
  // What disk costs is only for the record: fewer rounds do.
  const engineInMemory = round % 3 === 0 ? perMillion(await inMemory(cpuSeconds)) : Number.POSITIVE_INFINITY
  const measured = { floor: atFloor, engineInMemory, engineOnDisk, ratioToFloor: engineOnDisk / atFloor }
  result = result === undefined ? measured : leastOf(result, measured)
}
process.stdout.write(`${JSON.stringify(result)}\n`)

function perMillion(cpu: number): number {
  return (cpu / records) * 1e6
}
