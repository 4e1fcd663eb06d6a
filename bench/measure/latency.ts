/**
 * End-to-end latency at a steady pace: from the moment a record is given to a producer until a read_committed consumer has
 * the first output that includes it. Beside it, until the broker appended that output, which the commit follows.
 */

import { setTimeout } from 'node:timers/promises'
import type { Broker, Fetcher } from '../../src/broker/port.ts'
import type { Shows } from '../workload.ts'
import { caughtUp } from './caught-up.ts'
import { includedIn } from './output.ts'
import { pacedInput } from './pace.ts'
import type { Bench, Prepared } from './run.ts'
import { percentile } from './statistics.ts'
import { partitionsOf } from './topics.ts'

export interface Latency {
  readonly recordsPerSecond: number
  /** Input records measured, after the warm-up. */
  readonly measured: number
  /** Until a read_committed consumer has the output, ms. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Until the output is appended, not yet committed, ms. */
  readonly appendP50Ms: number
  readonly appendP99Ms: number
}

export interface LatencyOptions {
  readonly recordsPerSecond: number
  readonly seconds: number
  /** Before anything counts. */
  readonly warmUpSeconds: number
}

/** The input topic must be empty. */
export async function measureLatency(bench: Bench, run: Prepared, options: LatencyOptions): Promise<Latency> {
  const { broker } = bench
  const { input, output, app } = run.spec
  const { recordsPerSecond, seconds, warmUpSeconds } = options
  const total = recordsPerSecond * (seconds + warmUpSeconds)
  const child = run.start()
  await child.running
  const arrivals = watch(broker, output)
  const sentAt = await Promise.race([pacedInput(broker, input, run.kind.record, total, recordsPerSecond), child.failed])
  await Promise.race([
    caughtUp(broker, { group: app, input, output, repartitions: run.kind.repartitions }),
    child.failed,
  ])
  const outputs = await arrivals.end()
  await child.stop()
  const shown = firstShown(outputs, run.kind.make(run.spec).shows, total)
  const seen: number[] = []
  const appended: number[] = []
  for (let number = recordsPerSecond * warmUpSeconds; number < total; number++) {
    const found = shown[number]
    if (found === undefined) continue
    seen.push(found.arrivedAt - (sentAt[number] as number))
    appended.push(found.appendedAt - (sentAt[number] as number))
  }
  return {
    recordsPerSecond,
    measured: seen.length,
    p50Ms: percentile(seen, 0.5),
    p99Ms: percentile(seen, 0.99),
    appendP50Ms: percentile(appended, 0.5),
    appendP99Ms: percentile(appended, 0.99),
  }
}

interface Arrival {
  readonly key: Buffer
  readonly value: Buffer
  readonly appendedAt: number
  readonly arrivedAt: number
}

/** Reads along from the start of the topic until `end`, which takes what is left. */
function watch(broker: Broker, topic: string): { end(): Promise<readonly Arrival[]> } {
  const arrivals: Arrival[] = []
  const fetcher: Fetcher = broker.fetcher()
  fetcher.assign(partitionsOf(topic).map((place) => ({ ...place, offset: 0 })))
  const positions = new Map<number, number>()
  let goal: ReadonlyMap<number, number> | undefined
  const there = () =>
    goal !== undefined && [...goal].every(([partition, end]) => end === 0 || (positions.get(partition) ?? 0) >= end)
  const reading = (async () => {
    while (!there()) {
      for (const { partition, records, position } of await fetcher.poll(100)) {
        const arrivedAt = Date.now()
        positions.set(partition, position)
        for (const { key, value, timestamp } of records) {
          arrivals.push({ key: key as Buffer, value: value as Buffer, appendedAt: timestamp, arrivedAt })
        }
      }
      // Records that are there at once must not keep the producer from its pace.
      await setTimeout(1)
    }
  })()
  reading.catch(() => undefined)
  return {
    end: async () => {
      const ends = await broker.offsets(partitionsOf(topic), 'end')
      goal = new Map(ends.map(({ partition, offset }) => [partition, offset]))
      await reading
      await fetcher.close()
      return arrivals
    },
  }
}

/** By input number, the first output that includes it. */
function firstShown(outputs: readonly Arrival[], shows: Shows, inputs: number): readonly (Arrival | undefined)[] {
  const members = new Map<string, number[]>()
  for (let number = 0; number < inputs; number++) {
    const group = shows.groupOf(number)
    if (group === null) continue
    const list = members.get(group) ?? []
    members.set(group, list)
    for (let left = shows.outputsOf?.(number) ?? 1; left > 0; left--) list.push(number)
  }
  const shown: (Arrival | undefined)[] = new Array(inputs)
  const included = new Map<string, number>()
  for (const arrival of outputs) {
    const group = shows.groupIn(arrival.key)
    const before = included.get(group) ?? 0
    const now = includedIn(shows, arrival.value, before)
    for (let at = before; at < now; at++) shown[members.get(group)?.[at] as number] ??= arrival
    included.set(group, now)
  }
  return shown
}
