/**
 * Brings stores up to the end of their changelogs, from their checkpoints. It ends on a position, never on a record: the
 * last offsets of a changelog are often markers or aborted rows, which are never delivered. The end is the high watermark,
 * so an open transaction of a dead owner is waited out (Kafka Streams: StoreChangelogReader, KAFKA-10167).
 */

import type { Broker, FetchedPartition, Fetcher } from '../broker/port.ts'
import { StreamError } from '../common/errors.ts'
import { partitionName } from '../common/record.ts'
import type { RestoreProgress } from '../metrics/snapshot.ts'
import { applyGathered, type Changelog, type Gathering, gather, gatheredRows, gathering } from './gathering.ts'
import type { Task } from './task.ts'

interface Restoring extends Gathering {
  readonly task: Task
  readonly start: number
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
   */
  async begin(tasks: readonly Task[]): Promise<void> {
    const changelogs = tasks.flatMap((task) =>
      task.stores.changelogs().map(({ store, topic }) => ({ task, store, topic, partition: task.id.partition })),
    )
    const starts = await this.#broker.offsets(changelogs, 'earliest')
    const ends = await this.#broker.offsets(changelogs, 'end')
    for (const [i, changelog] of changelogs.entries()) {
      await this.#enter(changelog, starts[i]?.offset ?? 0, ends[i]?.offset ?? 0)
    }
    this.#assign()
  }

  /** @param logStart of the changelog, `end` where restoring ends. */
  async #enter(changelog: Changelog & { readonly task: Task }, logStart: number, end: number): Promise<void> {
    const { task, store, topic, partition } = changelog
    const checkpoint = task.stores.checkpointOf(store)
    const isUsable = checkpoint !== undefined && checkpoint >= logStart && checkpoint <= end
    if (checkpoint !== undefined && !isUsable) {
      const range = `${topic} [${logStart}, ${end}]`
      this.#log(
        'warn',
        `${store} of task ${task.name}: checkpoint ${checkpoint} is outside ${range}: restoring from its start`,
      )
      await task.stores.wipe(store)
    }
    const start = isUsable ? checkpoint : logStart
    if (start >= end) return
    const from = isUsable ? `checkpoint ${checkpoint}` : 'the start'
    this.#log(
      'info',
      `${store} of task ${task.name}: restoring ${end - start} changelog offsets from ${from} to ${end}`,
    )
    this.#active.set(partitionName(topic, partition), { ...changelog, ...gathering(), start, end, position: start })
  }

  /** Applies what has been fetched, waiting at most `maxWaitMs` for it. @returns tasks that have nothing left to restore. */
  async step(maxWaitMs: number): Promise<readonly Task[]> {
    const finished: Task[] = []
    let isDone = false
    for (const { topic, partition, records, position } of await this.#fetch(maxWaitMs)) {
      const restoring = this.#active.get(partitionName(topic, partition))
      if (restoring === undefined) continue
      gather(restoring, records)
      restoring.position = position
      const share = Math.max(leastGatheredBytes, gatheredBytes / this.#active.size)
      const isFull = restoring.gathered.size >= gatheredRows || restoring.gatheredBytes >= share
      if (isFull || position >= restoring.end) await applyGathered(restoring)
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
      if (!(error instanceof StreamError) || error.code !== 'OFFSET_OUT_OF_RANGE') throw error
      const { topic = '', partition = -1 } = error.where
      const restoring = this.#active.get(partitionName(topic, partition))
      if (restoring === undefined) throw error
      return this.#overtaken(restoring)
    }
  }

  /**
   * A former owner's purge has deleted what was about to be read: rows of closed windows. What is left of the log is
   * everything that counts, so the store starts over from there.
   * @returns the new position, as if it had been fetched.
   */
  async #overtaken(restoring: Restoring): Promise<readonly FetchedPartition[]> {
    const { task, store, topic, partition, end } = restoring
    const [earliest] = await this.#broker.offsets([{ topic, partition }], 'earliest')
    const position = earliest?.offset ?? end
    this.#log('info', `${store} of task ${task.name}: ${topic} was purged meanwhile, restoring from ${position}`)
    await task.stores.wipe(store)
    restoring.gathered.clear()
    this.#active.set(partitionName(topic, partition), { ...restoring, start: position, position })
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
    this.#fetcher.assign(
      [...this.#active.values()].map(({ topic, partition, position }) => ({ topic, partition, offset: position })),
    )
  }
}
