/**
 * The record path without a broker: the same records through a real task (decoded, processed, stored, encoded into
 * batches), and through the floor: one loop that parses, aggregates in a Map and encodes. Their ratio does not depend on the machine.
 * Usage: node bench/record-path.ts [records]
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BatchBuilder } from '../src/broker/kafka/record-batch/encode.ts'
import type { FetchedPartition, Output } from '../src/broker/port.ts'
import { noHeaders } from '../src/common/record.ts'
import { makeCounters } from '../src/runtime/counters.ts'
import { planWith } from '../src/runtime/plan.ts'
import { stateBudget } from '../src/runtime/state-budget.ts'
import { openTask } from '../src/runtime/tasks.ts'
import { paymentRecord } from './payments.ts'
import { windowedWorkload } from './workloads/windowed.ts'

const records = Number(process.argv[2] ?? 500_000)
const perBatch = 20_000

function batches(): FetchedPartition[] {
  const all: FetchedPartition[] = []
  for (let from = 0; from < records; from += perBatch) {
    const count = Math.min(perBatch, records - from)
    const list = Array.from({ length: count }, (_, i) => ({
      offset: from + i,
      headers: noHeaders,
      ...paymentRecord(from + i),
    }))
    const position = from + count
    all.push({
      topic: windowedWorkload.input.name,
      partition: 0,
      records: list,
      position,
      stableEnd: records,
      highWatermark: records,
    })
  }
  return all
}

function builderOutput(): { output: (topic: string) => Output; recycle: () => number } {
  const builders = new Map<string, BatchBuilder>()
  const builder = (name: string) => {
    let found = builders.get(name)
    if (found === undefined) {
      found = new BatchBuilder({ maxBatchBytes: 1 << 20 })
      builders.set(name, found)
    }
    return found
  }
  return {
    output: (topic) => {
      const target = builder(topic)
      return { append: (_partition, key, value, timestamp, headers) => target.append(key, value, timestamp, headers) }
    },
    recycle: () => {
      let bytes = 0
      for (const builder of builders.values()) {
        const taken = builder.take()
        for (const batch of taken)
          bytes += batch.stamp({ producerId: 1, epoch: 0, baseSequence: 0, transactional: true }).length
        builder.recycle(taken)
      }
      return bytes
    },
  }
}

async function engine(input: readonly FetchedPartition[], dir: string | null): Promise<number> {
  const counts = new Map([
    [windowedWorkload.input.name, 1],
    [windowedWorkload.output.name, 1],
  ])
  const plan = planWith(windowedWorkload.topology, 'bench', counts)
  const { output, recycle } = builderOutput()
  const task = await openTask(
    { subTopology: 0, partition: 0 },
    {
      plan,
      counters: makeCounters(plan.topology),
      output,
      taskDir: () => dir,
      budget: stateBudget(4, 1),
      warn: () => undefined,
    },
  )
  task.seek([
    { topic: windowedWorkload.input.name, partition: 0, offset: 0, metadata: '', stableEnd: records, committed: false },
  ])
  const started = process.cpuUsage()
  for (const batch of input) {
    task.enqueue(batch)
    task.run(Number.POSITIVE_INFINITY, () => 0)
    const positions = task.positions()
    const sealed = task.stores.seal()
    recycle()
    await task.stores.settle(sealed, new Map())
    task.committed(positions)
  }
  const { user, system } = process.cpuUsage(started)
  await task.stores.close()
  return (user + system) / 1e6
}

function floor(input: readonly FetchedPartition[]): number {
  const started = process.cpuUsage()
  const totals = new Map<string, { count: number; sum: number }>()
  const { output, recycle } = builderOutput()
  const out = output('totals')
  for (const batch of input) {
    for (const { key, value, timestamp } of batch.records) {
      const payment = JSON.parse((value as Buffer).toString()) as { amount: number }
      const account = (key as Buffer).toString()
      const window = timestamp - (timestamp % 60_000)
      const id = `${account}@${window}`
      const before = totals.get(id)
      const after =
        before === undefined
          ? { count: 1, sum: payment.amount }
          : { count: before.count + 1, sum: before.sum + payment.amount }
      totals.set(id, after)
      out.append(0, Buffer.from(id), Buffer.from(JSON.stringify(after)), timestamp, noHeaders)
    }
    recycle()
  }
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1e6
}

const input = batches()
for (let round = 0; round < 3; round++) {
  const dir = await mkdtemp(join(tmpdir(), 'streamctl-path-'))
  const perMillion = (seconds: number) => ((seconds / records) * 1e6).toFixed(2)
  const floorSeconds = floor(input)
  const memory = await engine(input, null)
  const disk = await engine(input, dir)
  await rm(dir, { recursive: true })
  console.log(
    `floor ${perMillion(floorSeconds)}  engine in memory ${perMillion(memory)} (${(memory / floorSeconds).toFixed(2)}x)  on disk ${perMillion(disk)} (${(disk / floorSeconds).toFixed(2)}x)  CPU s per million`,
  )
}
