/** What an axis of growth is: points from small to large, each a topology, its input, and the work that the input is. */

import type { Topology } from '../../src/topology/node.ts'
import type { InputRecord } from '../workload.ts'

export interface GrowthTopics {
  readonly input: string
  readonly output: string
}

/**
 * Every output record belongs to a group, numbered from 0: a key, or a key and window. Checks that a run lost and doubled
 * nothing; by number, because ten million of them must fit in memory.
 */
export interface Groups {
  readonly count: number
  /** Groups of the input record with this number. */
  readonly of: (number: number) => readonly number[]
  /** Group of an output record; `count` for one that should not be. */
  readonly in: (key: Buffer, value: Buffer) => number
  /** How many input records of its group an output record includes; null when each has an output record of its own. */
  readonly countIn: ((value: Buffer) => number) | null
}

/** What is processed at a point. */
export interface Job {
  readonly topology: (topics: GrowthTopics) => Topology
  readonly recordOf: (number: number) => InputRecord
  readonly groups: Groups
}

export interface Point extends Job {
  /** Where it stands on the axis, above 0. */
  readonly value: number
  /** The value for people. */
  readonly label: string
  /** Of every topic. */
  readonly partitions: number
  readonly workers: number
  /** Records that fill the state before anything is measured, by a process of their own. */
  readonly loaded: number
  /** Records that are measured: numbers `loaded` and up. */
  readonly records: number
  /** Of the measured records, in the axis' unit: what their cost should be in proportion to. */
  readonly work: number
}

export interface Axis {
  readonly name: string
  readonly summary: string
  /** What `value` counts, in the plural. */
  readonly quantity: string
  /** A unit of work, in the singular. */
  readonly unit: string
  /** The embedded broker runs one engine, so there is nothing to measure on it. */
  readonly onlyOnKafka: boolean
  /** What peak memory of the process may not pass at any of the points. */
  readonly rssBoundMiB: (point: Point) => number
  /** @param records of a point, `fullRecords` at full size; state and bytes shrink with them. */
  readonly points: (records: number) => readonly Point[]
}

/** Records of a point at full size: a few seconds of work, so that what a run begins and ends with weighs little. */
export const fullRecords = 500_000

/** A size that goes with the records of a point. */
export function scaled(size: number, records: number): number {
  return Math.max(1, Math.round((size * records) / fullRecords))
}

/** Where an axis is not about partitions. */
export const usualPartitions = 4
