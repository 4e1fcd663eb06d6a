/**
 * Brings stores up to the end of their changelogs, from their checkpoints. It ends on a position, never on a record: the
 * last offsets of a changelog are often markers or aborted rows, which are never delivered. The end is the high watermark,
 * so an open transaction of a dead owner is waited out (Kafka Streams: StoreChangelogReader, KAFKA-10167). Where the topic of a table is its changelog, the
 * end is the committed position.
 */

import type { Broker, FetchedPartition, Fetcher } from '../broker/port.ts'
import { partitionName } from '../common/record.ts'
import type { RestoreProgress } from '../metrics/snapshot.ts'
import {
  applyGathered,
  changelogsOf,
  type Extent,
  extentsOf,
  fetchOn,
  type Gathering,
  gather,
  gathering,
  isFull,
  overtakenOf,
  startOver,
  usableCheckpoint,
} from './gathering.ts'
import { limitOf, upTo } from './source-changelog.ts'
import type { StartPositions } from './start-positions.ts'
import type { Task } from './task.ts'

interface Restoring extends Gathering<Task> {
  start: number
  readonly end: number
}

/** For all changelogs together. */
const gatheredBytes = 64 << 20
const leastGatheredBytes = 256 << 10

export class Restorer {
  readonly #broker: Broker
  readonly #fetcher: Fetcher
  readonly #log: (level: 'info' | 'warn', message: string) => void
  #active = new Map<string, Restoring>()

  constructor(broker: Broker, log: (level: 'info' | 'warn', message: string) => void) {
    this.#broker = broker
    this.#log = log
    this.#fetcher = broker.fetcher({ isolation: 'committed', maxBytes: 8 << 20, maxPartitionBytes: 2 << 20 })
  }

  get active(): boolean {
    return this.#active.size > 0
  }

  /**
   * Starts restoring the tasks' stores. Call it after their committed positions were read: nothing a former owner may
   * still commit is beyond the ends taken here.
   * @param starts those positions, at which topics end that are changelogs.
   */
  async begin(tasks: readonly Task[], starts: StartPositions): Promise<void> {
    const changelogs = changelogsOf(tasks).filter((changelog) => limitOf(changelog, starts) !== undefined)
    for (const extent of await extentsOf(this.#broker, changelogs, 'end')) {
      // A position beyond the log is refused when the task reads there: it is not waited for.
      const end = Math.min(extent.end, limitOf(extent.changelog, starts) ?? 0)
      await this.#enter({ ...extent, end })
    }
    this.#assign()
  }

  async #enter(extent: Extent<Task>): Promise<void> {
    const { changelog, logStart, end } = extent
    const { task, store, topic, partition } = changelog
    const what = `${store} of task ${task.name}`
    const checkpoint = await usableCheckpoint(extent, (why) =>
      this.#log('warn', `${what}: ${why}: restoring from its start`),
    )
    const start = checkpoint ?? logStart
    if (start >= end) return
    const from = checkpoint === undefined ? 'the start' : `checkpoint ${checkpoint}`
    this.#log('info', `${what}: restoring ${end - start} changelog offsets from ${from} to ${end}`)
    const restoring = { ...changelog, ...gathering(), start, end, position: start }
    this.#active.set(partitionName(topic, partition), restoring)
  }

  /** Applies what has been fetched, waiting at most `maxWaitMs` for it. @returns tasks that have nothing left to restore. */
  async step(maxWaitMs: number): Promise<readonly Task[]> {
    const finished: Task[] = []
    let isDone = false
    for (const fetched of await this.#fetch(maxWaitMs)) {
      const { topic, partition } = fetched
      const restoring = this.#active.get(partitionName(topic, partition))
      if (restoring === undefined) continue
      const { records, position } = restoring.kind === 'source' ? await rowsUpTo(restoring, fetched) : fetched
      gather(restoring, records)
      restoring.position = position
      const share = Math.max(leastGatheredBytes, gatheredBytes / this.#active.size)
      if (isFull(restoring, share) || position >= restoring.end) await applyGathered(restoring)
      if (position < restoring.end) continue
      this.#active.delete(partitionName(topic, partition))
      isDone = true
      if (!this.isRestoring(restoring.task)) finished.push(restoring.task)
    }
    // After all of them have moved: a fetcher would go back to where a later one stood.
    if (isDone) this.#assign()
    return finished
  }

  async #fetch(maxWaitMs: number): Promise<readonly FetchedPartition[]> {
    try {
      return await this.#fetcher.poll(maxWaitMs)
    } catch (error) {
      const overtaken = overtakenOf(error, this.#active)
      if (overtaken === undefined) throw error
      return this.#startOver(overtaken)
    }
  }

  /** After a former owner's purge. @returns the new position, as if it had been fetched. */
  async #startOver(restoring: Restoring): Promise<readonly FetchedPartition[]> {
    await startOver(this.#broker, restoring)
    const { task, store, topic, partition, end, position } = restoring
    restoring.start = position
    this.#log('info', `${store} of task ${task.name}: ${topic} was purged meanwhile, restoring from ${position}`)
    this.#assign()
    return [{ topic, partition, records: [], position, stableEnd: end, highWatermark: end }]
  }

  isRestoring(task: Task): boolean {
    return [...this.#active.values()].some((restoring) => restoring.task === task)
  }

  progress(task: Task): readonly RestoreProgress[] {
    return [...this.#active.values()]
      .filter((restoring) => restoring.task === task)
      .map(({ store, start, position, end }) => ({ store, done: position - start, total: end - start }))
  }

  /** Forgets what is under way; what was applied stays, with its checkpoint. */
  cancel(): void {
    this.#active.clear()
    this.#assign()
  }

  close(): Promise<void> {
    this.#active.clear()
    return this.#fetcher.close()
  }

  #assign(): void {
    fetchOn(this.#fetcher, this.#active.values())
  }
}

/** A topic of the user's is read as what was processed, and goes on after the end. */
async function rowsUpTo({ task, end }: Restoring, fetched: FetchedPartition): Promise<FetchedPartition> {
  const batch = upTo(end, fetched)
  return { ...batch, records: await task.rowsOf(batch) }
}
