/** Changelog records on their way into a store: the last of each key is kept until so many have come that writing them is worth it. */

import type { ConsumerRecord, TopicPartition } from '../common/record.ts'
import type { TaskId } from './task-id.ts'
import type { TaskStores } from './task-stores.ts'

/** A changelog repeats its keys, and writing rows is what takes the time: so many are gathered before they are written. */
export const gatheredRows = 16_384

/** A changelog, and the task whose store it fills. */
export interface Changelog extends TopicPartition {
  readonly task: { readonly id: TaskId; readonly name: string; readonly stores: TaskStores }
  readonly store: string
}

export interface Gathered {
  /** Fetched and not applied: the last record of each key, by its bytes as a latin1 string. */
  readonly gathered: Map<string, ConsumerRecord>
  /** Fetched since it was last applied; the gathered records keep them in memory. */
  gatheredBytes: number
}

export interface Gathering extends Changelog, Gathered {
  /** Changelog offset up to which (exclusive) it has been fetched. */
  position: number
}

export function gathering(): Gathered {
  return { gathered: new Map(), gatheredBytes: 0 }
}

export function gather(into: Gathered, records: readonly ConsumerRecord[]): void {
  for (const record of records) {
    const { bytes, keyStart, keyEnd, valueEnd } = record
    if (keyStart < 0) continue
    into.gathered.set(bytes.toString('latin1', keyStart, keyEnd), record)
    into.gatheredBytes += Math.max(keyEnd, valueEnd) - keyStart
  }
}

/** Writes what is gathered, and moves the store's checkpoint to the position. */
export async function applyGathered(from: Gathering): Promise<void> {
  const { task, store, gathered, position } = from
  await task.stores.applyChangelog(store, gathered.values(), position)
  gathered.clear()
  from.gatheredBytes = 0
}
