/** What a workload is: a topology, the records it reads, and how its output tells which of them it includes. */

import type { Topology } from '../src/topology/node.ts'
import type { SideName } from './sides/side.ts'

/** Of every topic of a run. */
export const partitions = 4

export interface WorkloadTopics {
  readonly input: string
  readonly output: string
  /** The table that `table-join` enriches from; the others do not read it. */
  readonly table: string
}

export interface InputRecord {
  readonly key: Buffer
  readonly value: Buffer
  /** Event time, ms. */
  readonly timestamp: number
}

/**
 * Every output record belongs to a group (a key, or a key and window) and includes its first so many input records. Checks
 * that a run lost and doubled nothing, whoever made it, and finds the output at which an input record shows.
 */
export interface Shows {
  /** Group of the input record with this number; null when it is filtered out. */
  readonly groupOf: (number: number) => string | null
  /** Group of an output record. */
  readonly groupIn: (key: Buffer) => string
  /** How many input records of its group an output record includes; null when each has an output record of its own. */
  readonly countIn: ((value: Buffer) => number) | null
  /** How many output records of its own an input record has; asked in order of the numbers. Default 1. */
  readonly outputsOf?: (number: number) => number
}

/** The same work by hand: one loop body without broker, engine or durable state. */
export type Floor = (
  key: Buffer,
  value: Buffer,
  timestamp: number,
  emit: (key: Buffer, value: Buffer, timestamp: number) => void,
) => void

export interface Workload {
  readonly topology: Topology
  readonly shows: Shows
}

export interface WorkloadKind {
  readonly name: string
  readonly summary: string
  readonly readsTable: boolean
  /** Its output follows the input's commit later: there is a topic in between. */
  readonly repartitions: boolean
  /** Its changelog keeps growing with the input, so that a restore of it can be timed. */
  readonly restores: boolean
  /** What it reads: the record with this number, from 0. */
  readonly record: (number: number) => InputRecord
  /** Who has it. Default: all sides. */
  readonly sides?: readonly SideName[]
  /** Topics differ from run to run, so the topology is made anew. */
  readonly make: (topics: WorkloadTopics) => Workload
  /** With empty state of its own. */
  readonly floor: () => Floor
}
