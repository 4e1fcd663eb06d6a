/** What a workload is: a topology, the records it reads, and the topic whose first and last append time the run. */

import type { Topology } from '../src/topology/node.ts'

export interface WorkloadTopic {
  readonly name: string
  readonly partitions: number
}

export interface Workload {
  readonly name: string
  readonly summary: string
  readonly topology: Topology
  readonly input: WorkloadTopic
  readonly output: WorkloadTopic
  /** The record with this number, from 0: key, value, and event time in ms. */
  readonly record: (number: number) => { readonly key: Buffer; readonly value: Buffer; readonly timestamp: number }
}
