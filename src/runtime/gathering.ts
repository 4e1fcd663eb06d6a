/**
 * How changelogs fill stores, of tasks that are restored and of standbys: from where, and on the way the last record of each key is kept until so many
 * have come that writing them is worth it.
 */

import type { Broker, Fetcher } from '../broker/port.ts'
import { StreamError } from '../common/errors.ts'
import { type ConsumerRecord, partitionName, type TopicPartition } from '../common/record.ts'
import type { TaskId } from './task-id.ts'
import type { StoreChangelog, TaskStores } from './task-stores.ts'

/** A changelog repeats its keys, and writing rows is what takes the time: so many are gathered before they are written. */
const gatheredRows = 16_384

/** Whose stores are filled. */
interface Holder {
  readonly id: TaskId
  readonly name: string
  readonly stores: TaskStores
}

/** A changelog, and the task whose store it fills. */
export interface Changelog<T extends Holder = Holder> extends StoreChangelog, TopicPartition {
  readonly task: T
}

/** Where a changelog began and ended when it was looked at. */
export interface Extent<T extends Holder = Holder> {
  readonly changelog: Changelog<T>
  readonly logStart: number
  readonly end: number
}

export interface Gathered {
  /** Fetched and not applied: the last record of each key, by its bytes as a latin1 string. */
  readonly gathered: Map<string, ConsumerRecord>
  /** Fetched since it was last applied; the gathered records keep them in memory. */
  gatheredBytes: number
}

export interface Gathering<T extends Holder = Holder> extends Changelog<T>, Gathered {
  /** Changelog offset up to which (exclusive) it has been fetched. */
  position: number
}

export function changelogsOf<T extends Holder>(tasks: readonly T[]): readonly Changelog<T>[] {
  return tasks.flatMap((task) =>
    task.stores.changelogs().map((changelog) => ({ ...changelog, task, partition: task.id.partition })),
  )
}

export async function extentsOf<T extends Holder>(
  broker: Broker,
  changelogs: readonly Changelog<T>[],
  endOf: 'stable' | 'end',
): Promise<readonly Extent<T>[]> {
  const starts = await broker.offsets(changelogs, 'earliest')
  const ends = await broker.offsets(changelogs, endOf)
  return changelogs.map((changelog, i) => ({
    changelog,
    logStart: starts[i]?.offset ?? 0,
    end: ends[i]?.offset ?? 0,
  }))
}

/** The store's checkpoint, where the changelog goes on from it; else undefined, with nothing in the store. @param warn told why what it held is gone. */
export async function usableCheckpoint(
  { changelog: { task, store, topic }, logStart, end }: Extent,
  warn: (why: string) => void,
): Promise<number | undefined> {
  const checkpoint = task.stores.checkpointOf(store)
  if (checkpoint === undefined || (checkpoint >= logStart && checkpoint <= end)) return checkpoint
  warn(`checkpoint ${checkpoint} is outside ${topic} [${logStart}, ${end}]`)
  await task.stores.wipe(store)
  return undefined
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

/** @param shareBytes of what may be fetched and not applied. */
export function isFull({ gathered, gatheredBytes }: Gathered, shareBytes: number): boolean {
  return gathered.size >= gatheredRows || gatheredBytes >= shareBytes
}

/** Writes what is gathered, and moves the store's checkpoint to the position. */
export async function applyGathered(from: Gathering): Promise<void> {
  const { task, store, gathered, position } = from
  await task.stores.applyChangelog(store, gathered.values(), position)
  forget(from)
}

/** The one whose next records are no longer in the log, if that is the error. */
export function overtakenOf<G extends Gathering>(error: unknown, some: ReadonlyMap<string, G>): G | undefined {
  if (!(error instanceof StreamError) || error.code !== 'OFFSET_OUT_OF_RANGE') return undefined
  const { topic = '', partition = -1 } = error.where
  return some.get(partitionName(topic, partition))
}

/**
 * For one that was overtaken by a purge: rows of closed windows are gone. What is left of the log is everything that counts, so the store starts over
 * from there.
 */
export async function startOver(broker: Broker, overtaken: Gathering): Promise<void> {
  const { task, store, topic, partition } = overtaken
  const [earliest] = await broker.offsets([{ topic, partition }], 'earliest')
  await task.stores.wipe(store)
  forget(overtaken)
  overtaken.position = earliest?.offset ?? 0
}

/** Each is fetched from its position on, and nothing else is. */
export function fetchOn(fetcher: Fetcher, some: Iterable<Gathering>): void {
  fetcher.assign(Array.from(some, ({ topic, partition, position }) => ({ topic, partition, offset: position })))
}

function forget(some: Gathered): void {
  some.gathered.clear()
  some.gatheredBytes = 0
}
