/**
 * Measures one case: a round is the whole input through new tasks with state on disk, a commit after each 20,000 records.
 * Time is that of the main thread, so what else the machine does weighs little.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import { defineTopology, type StreamsBuilder } from '../../src/index.ts'
import type { Topology } from '../../src/topology/node.ts'
import { type Measure, type PathInput, recordPath } from '../in-process/engine-path.ts'
import { type RecordSet, recordSets } from '../in-process/wire.ts'
import { keyCount, numberRecord, numbers, others, results, rowRecord } from './case.ts'
import { cases, widthCases } from './cases.ts'

/** About what arrives between two commits. */
const perCommit = 20_000

export interface Round {
  readonly records: number
  readonly run: <T>(measure: Measure<T>) => Promise<T>
}

interface Input {
  readonly reads: 'numbers' | 'both' | 'table first'
  readonly keys: number
  readonly stepMs: number
}

/**
 * @param name of an operator, or `name@narrow`, `name@wide` of one at two widths.
 * @throws Error when there is none of that name.
 */
export function roundOf(name: string, records: number): Round {
  const { build, input } = wanted(name)
  const topology = defineTopology('bench', build)
  const path = pathInput(input, records)
  return { records, run: (measure) => onDisk(topology, path, measure) }
}

function wanted(given: string): { readonly build: (b: StreamsBuilder) => void; readonly input: Input } {
  const [name = '', width] = given.split('@')
  if (width === undefined) {
    const found = cases.find((known) => known.name === name)
    if (found === undefined) throw new Error(`there is no operator ${name}`)
    return { build: found.build, input: { reads: found.reads ?? 'numbers', keys: keyCount, stepMs: 1 } }
  }
  const found = widthCases.find((known) => known.name === name)
  if (found === undefined) throw new Error(`there is no operator ${name} at two widths`)
  const widthMs = width === 'wide' ? found.wide : found.narrow
  return {
    build: (b) => found.build(b, widthMs),
    input: { reads: found.reads ?? 'numbers', keys: 1, stepMs: found.stepMs ?? 1 },
  }
}

function pathInput({ reads, keys, stepMs }: Input, records: number): PathInput {
  const rows = reads === 'table first' ? recordSets(others.name, keys, keys, rowRecord) : []
  return { before: rows.map((set) => [set]), measured: reads === 'both' ? both() : numbersAlone() }

  function numbersAlone(): readonly (readonly RecordSet[])[] {
    return recordSets(numbers.name, records, perCommit, (n) => numberRecord(n, keys, stepMs)).map((set) => [set])
  }

  /** Even numbers on one topic, odd ones on the other, under the same keys. */
  function both(): readonly (readonly RecordSet[])[] {
    const half = Math.ceil(records / 2)
    const of = (topic: string, odd: number) =>
      recordSets(topic, half, perCommit / 2, (n) => {
        const { timestamp } = numberRecord(2 * n + odd, keys, stepMs)
        return { ...numberRecord(n, keys, stepMs), timestamp }
      })
    const right = of(others.name, 1)
    return of(numbers.name, 0).map((set, at) => [set, right[at] as RecordSet])
  }
}

async function onDisk<T>(topology: Topology, input: PathInput, measure: Measure<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'streamctl-operator-'))
  try {
    return await recordPath(topology, [numbers.name, others.name, results.name], input, dir, measure)
  } finally {
    await rm(dir, { recursive: true })
  }
}

/** Nanoseconds of the main thread, per record. */
export function nanoseconds({ records, run }: Round): Promise<number> {
  return run(async (once) => {
    const started = process.threadCpuUsage()
    await once()
    const { user, system } = process.threadCpuUsage(started)
    return ((user + system) * 1000) / records
  })
}

/**
 * Bytes on V8's heap, per record: what the heap has grown by, as nothing of it was collected meanwhile. Undefined when something was: the process needs a
 * young generation that takes it all, `roomy`, or fewer records.
 */
export function bytes({ records, run }: Round): Promise<number | undefined> {
  return run(async (once) => {
    await collect()
    const collections: PerformanceEntryLike[] = []
    const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()))
    observer.observe({ entryTypes: ['gc'] })
    const before = getHeapStatistics().used_heap_size
    await once()
    const after = getHeapStatistics().used_heap_size
    await setImmediate()
    observer.disconnect()
    return collections.length > 0 ? undefined : (after - before) / records
  })
}

interface PerformanceEntryLike {
  readonly name: string
}

/** Flags of Node: `gc()`, and a young generation that is not full before everything is measured. */
export const roomy: readonly string[] = ['--expose-gc', '--min-semi-space-size=512', '--max-semi-space-size=512']

/** What was garbage before is not to be collected later. */
async function collect(): Promise<void> {
  globalThis.gc?.()
  await setImmediate()
}
