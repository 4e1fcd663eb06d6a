/** The stores of a task, wherever each keeps its rows: by name, and those of all volumes together through seal, settle and flush. */

import type { PartitionOffset } from '../broker/port.ts'
import { StreamError } from '../common/errors.ts'
import type { ConsumerRecord } from '../common/record.ts'
import type { StreamTimes } from '../state/checkpoint.ts'
import type { StateStore } from '../state/store.ts'
import type { StoreSpec } from '../topology/node.ts'
import { type BoundStore, Volume, type VolumeOptions } from './volume.ts'

export interface TaskStoresOptions extends VolumeOptions {
  readonly specs: readonly StoreSpec[]
}

/** Of a store, what its rows can be read from again. */
export interface StoreChangelog {
  readonly store: string
  readonly topic: string
  /**
   * `own`: written by the store, and holds what is committed up to its end. `source`: a topic of the user's, which holds what is committed up to the
   * input's committed position, and goes on from there.
   */
  readonly kind: 'own' | 'source'
}

export class TaskStores {
  readonly #partition: number
  /** One on disk, one in memory and one of each supplier, as the task's stores are kept. */
  readonly #volumes: readonly Volume[]
  readonly #diskBytes = new Map<string, number>()

  private constructor(partition: number, volumes: readonly Volume[]) {
    this.#partition = partition
    this.#volumes = volumes
  }

  /** @throws StreamError LOCKED, INVALID_ARGUMENT; PROCESSING from a supplier's store; INVALID_TOPOLOGY when a store on disk was written in another format. */
  static async open(options: TaskStoresOptions): Promise<TaskStores> {
    const { specs, dir, partition } = options
    const homes = Map.groupBy(specs, ({ storage }) => (storage === 'disk' && dir === null ? 'memory' : storage))
    const volumes: Volume[] = []
    try {
      for (const [home, within] of homes) volumes.push(await Volume.open(options, home, within))
    } catch (error) {
      await Promise.all(volumes.map((volume) => volume.close()))
      throw error
    }
    return new TaskStores(partition, volumes)
  }

  get(name: string): StateStore {
    const bound = this.#bound.find(({ spec }) => spec.name === name)
    if (bound === undefined) throw new StreamError('INTERNAL', `no store ${name} in this task`)
    return bound.store
  }

  get #bound(): readonly BoundStore[] {
    return this.#volumes.flatMap((volume) => volume.stores)
  }

  get uncommittedBytes(): number {
    let bytes = 0
    for (const volume of this.#volumes) for (const { store } of volume.stores) bytes += store.uncommittedBytes
    return bytes
  }

  /** What each store holds: rows in memory, and bytes on disk as last measured (null in memory, or not measured yet). */
  sizes(): readonly { readonly name: string; readonly rows: number; readonly diskBytes: number | null }[] {
    return this.#bound.map(({ store }) => ({
      name: store.name,
      rows: store.cachedRows,
      diskBytes: this.#diskBytes.get(store.name) ?? null,
    }))
  }

  /** Measures what the stores take on disk. */
  async measure(): Promise<void> {
    for (const volume of this.#volumes) {
      for (const { store } of volume.stores) {
        const bytes = await volume.diskBytes(store.name)
        if (bytes !== null) this.#diskBytes.set(store.name, bytes)
      }
    }
  }

  streamTimes(): StreamTimes {
    const times: Record<string, number> = {}
    for (const { store } of this.#bound) if (store.isTimed) times[store.name] = store.streamTime
    return times
  }

  /** Raises stream times to what was committed beside the positions. */
  advanceStreamTimes(times: StreamTimes): void {
    for (const { store } of this.#bound) {
      const time = times[store.name]
      if (store.isTimed && time !== undefined) store.recoverStreamTime(time)
    }
  }

  /**
   * Appends the changelog rows of everything written since the last seal to the open transaction. Synchronous.
   * @returns the stream times of that moment, which its settle is to be given.
   */
  seal(): StreamTimes {
    const streamTimes = this.streamTimes()
    for (const volume of this.#volumes) volume.seal()
    return streamTimes
  }

  /**
   * Takes note that a seal's transaction is committed; writes to the bytes when enough has gathered, or time has passed.
   * @param streamTimes as the seal gave them.
   * @param nextOffsets of the transaction, by partitionName.
   * @param positions of the task's inputs, which the transaction committed: all that was sealed is of records before them.
   */
  async settle(
    streamTimes: StreamTimes,
    nextOffsets: ReadonlyMap<string, number>,
    positions: readonly PartitionOffset[],
  ): Promise<void> {
    for (const volume of this.#volumes) {
      volume.settle(streamTimes, nextOffsets, positions)
      await volume.flushIfDue()
    }
  }

  /** Whether committed rows have waited long enough for the bytes. */
  get isFlushDue(): boolean {
    return this.#volumes.some((volume) => volume.isFlushDue)
  }

  /** Writes what is committed to the bytes. Nothing may be sealed. */
  async flush(): Promise<void> {
    for (const volume of this.#volumes) await volume.flush()
  }

  /** Changelog offsets before which only rows of closed windows lie; each is told once. */
  expiredChangelogs(): readonly PartitionOffset[] {
    return this.#bound.flatMap(({ changelog: { kind, topic }, retention }) => {
      const offset = kind === 'own' ? retention?.takeExpired() : undefined
      return offset === undefined ? [] : [{ topic, partition: this.#partition, offset }]
    })
  }

  /** Forgets what is not in the bytes. What of it is committed has to be restored. */
  discard(): void {
    for (const volume of this.#volumes) volume.discard()
  }

  /** Sum of the changelog offsets that the stores hold: how far this state is, beside another of the same task. */
  get position(): number {
    let sum = 0
    for (const volume of this.#volumes) sum += volume.position
    return sum
  }

  changelogs(): readonly StoreChangelog[] {
    return this.#bound.map(({ store, changelog: { topic, kind } }) => ({ store: store.name, topic, kind }))
  }

  /** Offset in its changelog, whichever, up to which (exclusive) the store holds what is committed; undefined when it is empty. */
  checkpointOf(store: string): number | undefined {
    return this.#volumeOf(store).checkpointOf(store)
  }

  /** Empties a store. */
  async wipe(name: string): Promise<void> {
    await this.#volumeOf(name).wipe(this.get(name), () => this.streamTimes())
  }

  /**
   * Applies committed changelog records and moves the checkpoint to `position`, in one batch.
   * @param records in any order, the last of each key.
   */
  async applyChangelog(name: string, records: Iterable<ConsumerRecord>, position: number): Promise<void> {
    await this.#volumeOf(name).apply(this.get(name), records, position, () => this.streamTimes())
  }

  /** Deletes the rows of a store that stream time has put out of reach, where changelogs alone write to it: elsewhere a flush does. */
  async trim(name: string): Promise<void> {
    await this.get(name).trim?.()
  }

  /** Makes the stores ready for records. What is committed must be in the bytes: opened, and restored if need be. */
  async load(): Promise<void> {
    for (const { store } of this.#bound) await store.load()
  }

  async close(): Promise<void> {
    await Promise.all(this.#volumes.map((volume) => volume.close()))
  }

  #volumeOf(name: string): Volume {
    const volume = this.#volumes.find(({ stores }) => stores.some(({ store }) => store.name === name))
    if (volume === undefined) throw new StreamError('INTERNAL', `no store ${name} in this task`)
    return volume
  }
}
