/**
 * The plain kafkajs loop: consume a batch, transform it, produce the results and commit the offsets in one transaction.
 * State lives in Maps and is lost on restart. Runs until stdin ends.
 */

import { Kafka, logLevel } from 'kafkajs'
import { readArguments } from '../../sides/arguments.ts'
import { report, reportEnd, stopWanted } from '../../sides/report.ts'
import { loadTable } from './load-table.ts'
import { type Loop, startLoop } from './loop.ts'
import { loopsOf } from './transforms.ts'

const spec = readArguments(process.argv.slice(2))
const kafka = new Kafka({
  clientId: 'bench',
  brokers: spec.bootstrap.split(','),
  logLevel: logLevel.ERROR,
})
const accounts = spec.workload === 'table-join' ? await loadTable(kafka, spec.table, `${spec.app}-table`) : new Map()
const loops: Loop[] = []
for (const options of await loopsOf(kafka, spec, accounts)) loops.push(await startLoop(kafka, options))
report('running')
await Promise.race([stopWanted(), ...loops.map((loop) => loop.failed)])
for (const loop of loops) await loop.stop()
reportEnd()
