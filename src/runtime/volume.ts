/**
 * Stores that share bytes and a checkpoint. Invariant: the bytes hold exactly what the changelogs hold up to the checkpoint that lies in the same
 * batch, so a crash loses nothing and wipes nothing. They follow the commits at a distance: several go into one batch, where a row that changed in each
 * of them is written once.
 */

import type { Output, PartitionOffset } from '../broker/port.ts'
import { type ConsumerRecord, noHeaders, partitionName } from '../common/record.ts'
import type { Storage } from '../common/storage.ts'
import { type Checkpoint, checkpointWrite, type StreamTimes } from '../state/checkpoint.ts'
import { storeEnd, storePrefix } from '../state/codec.ts'
import type { AppendRow, ByteStore, ByteWrite, StateStore } from '../state/store.ts'
import { openSupplied } from '../state/supplied.ts'
import { openTaskState, type TaskState } from '../state/task-state.ts'
import type { StoreSpec } from '../topology/node.ts'
import { ChangelogRetention } from './changelog-retention.ts'
import { makeStore } from './make-store.ts'
import type { FlushBudget, StateBudget } from './state-budget.ts'
import { checkFormats, formatsText, movedStores } from './store-formats.ts'

export interface VolumeOptions {
  readonly appId: string
  readonly taskId: string
  readonly partition: number
  /** null keeps every store in memory, but for those of a supplier. */
  readonly dir: string | null
  /** Full name of a store's own changelog topic. */
  readonly changelogTopic: (store: string) => string
  readonly output: (topic: string) => Output
  readonly budget: StateBudget
  readonly warn: (message: string) => void
}

/** What the rows of a store can be read from again: a topic of its own, which it is written to, or the one that its table is made of. */
type Changelog =
  | { readonly kind: 'own'; readonly topic: string; readonly output: Output }
  | { readonly kind: 'source'; readonly topic: string }

export interface BoundStore {
  readonly spec: StoreSpec
  readonly store: StateStore
  readonly changelog: Changelog
  /** Where rows end with stream time. */
  readonly retention: ChangelogRetention | undefined
}

/** Nothing has to be written to what holds the rows already. */
const nowhere = (): void => undefined

export class Volume {
  readonly stores: readonly BoundStore[]
  readonly #state: TaskState
  readonly #partition: number
  readonly #budget: FlushBudget
  /** How each store's bytes are to be read. */
  readonly #formats: string
  /** Per store: the changelog offset up to which (exclusive) it holds what is committed. */
  readonly #offsets: Map<string, number>
  /** What of that is in the bytes, as their checkpoint says. */
  #flushed: ReadonlyMap<string, number>
  /** When, on the clock of `performance.now()`. */
  #flushedAt = performance.now()
  /** At the last commit. */
  #streamTimes: StreamTimes
  #seq: number

  private constructor(options: VolumeOptions, specs: readonly StoreSpec[], state: TaskState) {
    const { partition, budget } = options
    const { offsets = {}, streamTimes = {}, seq = 0 } = state.checkpoint ?? {}
    this.#state = state
    this.#partition = partition
    this.#budget = budget.flush
    this.#formats = formatsText(specs, state.checkpoint)
    this.#offsets = new Map(Object.entries(offsets))
    this.#flushed = new Map(this.#offsets)
    this.#streamTimes = streamTimes
    this.#seq = seq
    this.stores = specs.map((spec) => bind(spec, state, options))
    for (const { store } of this.stores) {
      const time = streamTimes[store.name]
      if (store.isTimed && time !== undefined) store.recoverStreamTime(time)
    }
  }

  /** @throws StreamError as `TaskStores.open`; nothing is open then. */
  static async open(options: VolumeOptions, home: Storage, specs: readonly StoreSpec[]): Promise<Volume> {
    const state = await openHome(options, home)
    try {
      checkFormats(specs, state.checkpoint, options.taskId)
      const checkpoint = await withoutMoved(specs, state)
      await finishWipes(specs, state.bytes, checkpoint)
      return new Volume(options, specs, { ...state, checkpoint })
    } catch (error) {
      await state.close()
      throw error
    }
  }

  /** Changelog offset up to which (exclusive) the store holds what is committed; undefined when it is empty. */
  checkpointOf(store: string): number | undefined {
    return this.#offsets.get(store)
  }

  /** Sum of the changelog offsets that the stores hold. */
  get position(): number {
    let sum = 0
    for (const offset of this.#offsets.values()) sum += offset
    return sum
  }

  /** About how many bytes a store takes on disk; null where that is not known. */
  async diskBytes(store: string): Promise<number | null> {
    return (await this.#state.bytes.diskBytes?.(storePrefix(store), storeEnd(store))) ?? null
  }

  /** Appends the changelog rows of everything written since the last seal. Synchronous. */
  seal(): void {
    for (const { store, changelog } of this.stores) store.seal(this.#rowsTo(changelog))
  }

  #rowsTo(changelog: Changelog): AppendRow {
    if (changelog.kind === 'source') return nowhere
    const { output } = changelog
    return (source, start, keyLength, valueLength, timestamp) =>
      output.appendRange(this.#partition, source, start, keyLength, valueLength, timestamp, noHeaders)
  }

  /**
   * Takes note that a seal's transaction is committed.
   * @param streamTimes at the seal.
   * @param nextOffsets of the transaction, by partitionName.
   * @param positions of the task's inputs, which the transaction committed.
   */
  settle(
    streamTimes: StreamTimes,
    nextOffsets: ReadonlyMap<string, number>,
    positions: readonly PartitionOffset[],
  ): void {
    this.#streamTimes = streamTimes
    for (const { store, changelog } of this.stores) {
      store.settle()
      const { kind, topic } = changelog
      const next =
        kind === 'own'
          ? nextOffsets.get(partitionName(topic, this.#partition))
          : positions.find((position) => position.topic === topic && position.partition === this.#partition)?.offset
      if (next !== undefined) this.#offsets.set(store.name, next)
    }
  }

  /** After a settle: writes to the bytes when enough has gathered, or time has passed. */
  async flushIfDue(): Promise<void> {
    if (this.#isDue) await this.#flush()
  }

  /** Whether committed rows have waited long enough for the bytes. */
  get isFlushDue(): boolean {
    return this.#isBehind && this.#isDue
  }

  /** Writes what is committed and not in the bytes. Nothing may be sealed. */
  async flush(): Promise<void> {
    if (this.#isBehind) await this.#flush()
  }

  /** Forgets what is not in the bytes. What of it is committed has to be restored. */
  discard(): void {
    for (const { store } of this.stores) store.discard()
    this.#offsets.clear()
    for (const [store, offset] of this.#flushed) this.#offsets.set(store, offset)
  }

  /**
   * Empties a store. The checkpoint goes first: rows of a store without one are deleted at the next opening.
   * @param streamTimes asked when the store has gone back to what is committed, and its stream time with it.
   */
  async wipe(store: StateStore, streamTimes: () => StreamTimes): Promise<void> {
    this.#offsets.delete(store.name)
    store.discard()
    await this.#write([], streamTimes())
    await deleteRows(this.#state.bytes, store.name)
  }

  /**
   * Applies committed changelog records and moves the checkpoint to `position`, in one batch.
   * @param records in any order, the last of each key.
   * @param streamTimes asked when the store has seen the records, which may raise its own.
   */
  async apply(
    store: StateStore,
    records: Iterable<ConsumerRecord>,
    position: number,
    streamTimes: () => StreamTimes,
  ): Promise<void> {
    const writes: ByteWrite[] = []
    for (const { key, value, timestamp } of records) {
      if (key !== null) writes.push(store.restore({ key, value, timestamp }))
    }
    this.#offsets.set(store.name, position)
    await this.#write(writes, streamTimes())
  }

  close(): Promise<void> {
    return this.#state.close()
  }

  /** Whether the bytes are not yet what is committed; rows that ended before they were written leave a checkpoint to move. */
  get #isBehind(): boolean {
    if (this.#unflushed().rows > 0) return true
    for (const [store, offset] of this.#offsets) if (this.#flushed.get(store) !== offset) return true
    return false
  }

  get #isDue(): boolean {
    const { rows, bytes } = this.#unflushed()
    const budget = this.#budget
    return rows >= budget.rows || bytes >= budget.bytes || performance.now() - this.#flushedAt >= budget.intervalMs
  }

  #unflushed(): { readonly rows: number; readonly bytes: number } {
    let rows = 0
    let bytes = 0
    for (const { store } of this.stores) {
      rows += store.unflushedRows
      bytes += store.unflushedBytes
    }
    return { rows, bytes }
  }

  async #flush(): Promise<void> {
    const writes: ByteWrite[] = []
    for (const { store } of this.stores) store.flush(writes)
    await this.#write(writes, this.#streamTimes)
    for (const { store, retention } of this.stores) {
      store.flushed()
      await store.expire()
      const offset = this.#offsets.get(store.name)
      if (offset !== undefined) retention?.committed(this.#streamTimes[store.name] as number, offset, store.expiryTime)
    }
  }

  /** Rows, and the checkpoint that speaks of them. */
  async #write(writes: ByteWrite[], streamTimes: StreamTimes): Promise<void> {
    this.#seq += 1
    const offsets = Object.fromEntries(this.#offsets)
    writes.push(checkpointWrite({ seq: this.#seq, offsets, streamTimes, topology: this.#formats }))
    await this.#state.bytes.write(writes)
    this.#streamTimes = streamTimes
    this.#flushed = new Map(this.#offsets)
    this.#flushedAt = performance.now()
  }
}

function openHome({ appId, taskId, dir, budget, warn }: VolumeOptions, home: Storage): Promise<TaskState> {
  if (typeof home === 'object') {
    // Beside the task's own, which holds LevelDB's files alone.
    const own = dir === null ? null : `${dir}.${home.name}`
    return openSupplied(home, { appId, task: taskId, dir: own }, warn)
  }
  return openTaskState({
    dir: home === 'disk' ? dir : null,
    taskId,
    warn,
    writeBufferBytes: budget.writeBufferBytes,
    blockCacheBytes: budget.blockCacheBytes,
  })
}

function bind(spec: StoreSpec, state: TaskState, { changelogTopic, output, budget }: VolumeOptions): BoundStore {
  const retention = spec.retentionMs === undefined ? undefined : new ChangelogRetention(spec.retentionMs)
  const changelog = changelogOf(spec, changelogTopic, output)
  return { spec, changelog, store: makeStore(spec, state, budget.cache), retention }
}

function changelogOf(
  { name, sourceTopic }: StoreSpec,
  changelogTopic: VolumeOptions['changelogTopic'],
  output: VolumeOptions['output'],
): Changelog {
  if (sourceTopic !== undefined) return { kind: 'source', topic: sourceTopic }
  const topic = changelogTopic(name)
  return { kind: 'own', topic, output: output(topic) }
}

/**
 * The checkpoint without the stores whose rows were read from another topic: their offsets are those of that. As with a wipe it is written before
 * their rows are deleted, so that nobody takes what is left for whole.
 */
async function withoutMoved(specs: readonly StoreSpec[], { bytes, checkpoint }: TaskState): Promise<Checkpoint | null> {
  const moved = movedStores(specs, checkpoint)
  if (checkpoint === null || moved.size === 0) return checkpoint
  const offsets = Object.fromEntries(Object.entries(checkpoint.offsets).filter(([name]) => !moved.has(name)))
  const kept = { ...checkpoint, seq: checkpoint.seq + 1, offsets }
  await bytes.write([checkpointWrite(kept)])
  return kept
}

/** A wipe may have been cut short between its checkpoint and its rows; what is left must not outlive the restore. */
async function finishWipes(
  specs: readonly StoreSpec[],
  bytes: ByteStore,
  checkpoint: Checkpoint | null,
): Promise<void> {
  if (checkpoint === null) return
  for (const { name } of specs) if (checkpoint.offsets[name] === undefined) await deleteRows(bytes, name)
}

function deleteRows(bytes: ByteStore, store: string): Promise<void> {
  return bytes.deleteRange(storePrefix(store), storeEnd(store))
}
