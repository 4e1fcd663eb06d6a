/** The floor: the same bytes decoded, parsed, worked on by hand and encoded in one loop. No broker, no engine, no durable state. */

import { noHeaders } from '../../src/common/record.ts'
import type { WorkloadKind } from '../workload.ts'
import { decode, type RecordSet, Wire } from './wire.ts'

/** @returns CPU seconds. */
export function floorPath(kind: WorkloadKind, input: readonly RecordSet[]): number {
  const work = kind.floor()
  const wire = new Wire()
  const output = wire.output('output')
  const emit = (key: Buffer, value: Buffer, timestamp: number) => output.append(0, key, value, timestamp, noHeaders)
  const started = process.cpuUsage()
  for (const set of input) {
    for (const { key, value, timestamp } of decode(set)) work(key as Buffer, value as Buffer, timestamp, emit)
    wire.send(() => false)
  }
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1e6
}
