/**
 * The stores of a task, their bytes and their changelogs. Invariant: the bytes hold exactly what the changelogs hold up to
 * the checkpoint that lies in the same batch, so a crash loses nothing and wipes nothing. They follow the commits at a distance:
 * several go into one batch, where a row that changed in each of them is written once.
 */

import type { Output, PartitionOffset } from '../broker/port.ts'
import { StreamError } from '../common/errors.ts'
import { type ConsumerRecord, noHeaders, partitionName } from '../common/record.ts'
import type { Storage } from '../common/storage.ts'
import { sessionStretches, slidingStretches, type TimeWindows } from '../common/windows.ts'
import { formatOf } from '../serde/format-of.ts'
import { OverlayBufferStore } from '../state/buffer.ts'
import { type Checkpoint, checkpointWrite, type StreamTimes } from '../state/checkpoint.ts'
import { storeEnd, storePrefix } from '../state/codec.ts'
import { OverlayExpiringStore } from '../state/expiring.ts'
import { headedCodec } from '../state/headed-codec.ts'
import { OverlayJoinBuffer } from '../state/join-buffer.ts'
import { OverlayKeyValueStore } from '../state/key-value.ts'
import { OverlaySessionStore } from '../state/session.ts'
import { panesCodec } from '../state/session-codec.ts'
import { slidingClosing } from '../state/sliding.ts'
import type { AppendRow, ByteStore, ByteWrite, StateStore } from '../state/store.ts'
import { openSupplied } from '../state/supplied.ts'
import { openTaskState, type TaskState } from '../state/task-state.ts'
import { OverlayVersionedStore } from '../state/versioned.ts'
import { OverlayWindowStore, windowClosing } from '../state/window.ts'
import type { StoreSpec } from '../topology/node.ts'
import { ChangelogRetention } from './changelog-retention.ts'
import type { FlushBudget, StateBudget } from './state-budget.ts'

export interface TaskStoresOptions {
  readonly appId: string
  readonly taskId: string
  readonly partition: number
  /** null keeps every store in memory, but for those of a supplier. */
  readonly dir: string | null
  readonly specs: readonly StoreSpec[]
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

/** Nothing has to be written to what holds the rows already. */
const nowhere = (): void => undefined

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

/** Stores that share bytes and a checkpoint. A task has one on disk, one in memory and one of each supplier, as its stores are kept. */
interface Volume {
  readonly state: TaskState
  readonly stores: readonly BoundStore[]
  /** Per store: the changelog offset up to which (exclusive) it holds what is committed. */
  readonly offsets: Map<string, number>
  /** What of that is in the bytes, as their checkpoint says. */
  flushed: ReadonlyMap<string, number>
  /** When, on the clock of `performance.now()`. */
  flushedAt: number
  /** At the last commit. */
  streamTimes: StreamTimes
  /** How each store's bytes are to be read. */
  readonly formats: string
  seq: number
}

interface BoundStore {
  readonly spec: StoreSpec
  readonly store: StateStore
  readonly changelog: Changelog
  /** Where rows end with stream time. */
  readonly retention: ChangelogRetention | undefined
}

export class TaskStores {
  readonly #partition: number
  readonly #volumes: readonly Volume[]
  readonly #budget: FlushBudget
  readonly #diskBytes = new Map<string, number>()

  private constructor({ partition, budget }: TaskStoresOptions, volumes: readonly Volume[]) {
    this.#partition = partition
    this.#volumes = volumes
    this.#budget = budget.flush
  }

  /** @throws StreamError LOCKED, INVALID_ARGUMENT; PROCESSING from a supplier's store; INVALID_TOPOLOGY when a store on disk was written in another format. */
  static async open(options: TaskStoresOptions): Promise<TaskStores> {
    const { specs, dir } = options
    const homes = Map.groupBy(specs, ({ storage }) => (storage === 'disk' && dir === null ? 'memory' : storage))
    const volumes: Volume[] = []
    try {
      for (const [home, within] of homes) volumes.push(await openVolume(options, home, within))
    } catch (error) {
      await Promise.all(volumes.map((volume) => volume.state.close()))
      throw error
    }
    return new TaskStores(options, volumes)
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
    for (const { state, stores } of this.#volumes) {
      for (const { store } of stores) {
        const bytes = await state.bytes.diskBytes?.(storePrefix(store.name), storeEnd(store.name))
        if (typeof bytes === 'number') this.#diskBytes.set(store.name, bytes)
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
    for (const { store, changelog } of this.#bound) store.seal(this.#rowsTo(changelog))
    return streamTimes
  }

  #rowsTo(changelog: Changelog): AppendRow {
    if (changelog.kind === 'source') return nowhere
    const { output } = changelog
    return (source, start, keyLength, valueLength, timestamp) =>
      output.appendRange(this.#partition, source, start, keyLength, valueLength, timestamp, noHeaders)
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
      volume.streamTimes = streamTimes
      for (const { store, changelog } of volume.stores) {
        store.settle()
        const { kind, topic } = changelog
        const next =
          kind === 'own'
            ? nextOffsets.get(partitionName(topic, this.#partition))
            : positions.find((input) => input.topic === topic && input.partition === this.#partition)?.offset
        if (next !== undefined) volume.offsets.set(store.name, next)
      }
      if (isDue(volume, this.#budget)) await flush(volume)
    }
  }

  /** Whether committed rows have waited long enough for the bytes. */
  get isFlushDue(): boolean {
    return this.#volumes.some((volume) => isBehind(volume) && isDue(volume, this.#budget))
  }

  /** Writes what is committed to the bytes. Nothing may be sealed. */
  async flush(): Promise<void> {
    for (const volume of this.#volumes) if (isBehind(volume)) await flush(volume)
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
    for (const { stores, offsets, flushed } of this.#volumes) {
      for (const { store } of stores) store.discard()
      offsets.clear()
      for (const [store, offset] of flushed) offsets.set(store, offset)
    }
  }

  /** Sum of the changelog offsets that the stores hold: how far this state is, beside another of the same task. */
  get position(): number {
    let sum = 0
    for (const { offsets } of this.#volumes) for (const offset of offsets.values()) sum += offset
    return sum
  }

  changelogs(): readonly StoreChangelog[] {
    return this.#bound.map(({ store, changelog: { topic, kind } }) => ({ store: store.name, topic, kind }))
  }

  /** Offset in its changelog, whichever, up to which (exclusive) the store holds what is committed; undefined when it is empty. */
  checkpointOf(store: string): number | undefined {
    return this.#volumeOf(store).offsets.get(store)
  }

  /** Empties a store. The checkpoint goes first: rows of a store without one are deleted at the next opening. */
  async wipe(name: string): Promise<void> {
    const volume = this.#volumeOf(name)
    volume.offsets.delete(name)
    this.get(name).discard()
    await writeWithCheckpoint(volume, [], this.streamTimes())
    await deleteRows(volume.state.bytes, name)
  }

  /**
   * Applies committed changelog records and moves the checkpoint to `position`, in one batch.
   * @param records in any order, the last of each key.
   */
  async applyChangelog(name: string, records: Iterable<ConsumerRecord>, position: number): Promise<void> {
    const volume = this.#volumeOf(name)
    const store = this.get(name)
    const writes: ByteWrite[] = []
    for (const { key, value, timestamp } of records) {
      if (key !== null) writes.push(store.restore({ key, value, timestamp }))
    }
    volume.offsets.set(name, position)
    await writeWithCheckpoint(volume, writes, this.streamTimes())
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
    await Promise.all(this.#volumes.map((volume) => volume.state.close()))
  }

  #volumeOf(name: string): Volume {
    const volume = this.#volumes.find(({ stores }) => stores.some(({ store }) => store.name === name))
    if (volume === undefined) throw new StreamError('INTERNAL', `no store ${name} in this task`)
    return volume
  }
}

async function openVolume(options: TaskStoresOptions, home: Storage, specs: readonly StoreSpec[]): Promise<Volume> {
  const { taskId } = options
  const state = await openHome(options, home)
  try {
    checkFormats(specs, state.checkpoint, taskId)
    const checkpoint = await withoutMoved(specs, state)
    await finishWipes(specs, state.bytes, checkpoint)
    return makeVolume(options, specs, { ...state, checkpoint })
  } catch (error) {
    await state.close()
    throw error
  }
}

function openHome({ appId, taskId, dir, budget, warn }: TaskStoresOptions, home: Storage): Promise<TaskState> {
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

function makeVolume(options: TaskStoresOptions, specs: readonly StoreSpec[], state: TaskState): Volume {
  const { budget } = options
  const stores = specs.map((spec) => {
    const retention = spec.retentionMs === undefined ? undefined : new ChangelogRetention(spec.retentionMs)
    return { spec, changelog: changelogOf(spec, options), store: makeStore(spec, state, budget), retention }
  })
  for (const { store } of stores) {
    const time = state.checkpoint?.streamTimes[store.name]
    if (store.isTimed && time !== undefined) store.recoverStreamTime(time)
  }
  return {
    state,
    stores,
    offsets: new Map(Object.entries(state.checkpoint?.offsets ?? {})),
    flushed: new Map(Object.entries(state.checkpoint?.offsets ?? {})),
    flushedAt: performance.now(),
    streamTimes: state.checkpoint?.streamTimes ?? {},
    // Rows of a store that is not here now stay, and so does what is known of them.
    formats: JSON.stringify({ ...formatsIn(state.checkpoint), ...formatsOf(specs) }),
    seq: state.checkpoint?.seq ?? 0,
  }
}

function changelogOf(
  { name, sourceTopic }: StoreSpec,
  { changelogTopic, output }: Pick<TaskStoresOptions, 'changelogTopic' | 'output'>,
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
  if (checkpoint === null) return null
  const formats = formatsIn(checkpoint)
  const moved = Object.entries(formatsOf(specs)).filter(([name, format]) => (formats[name] ?? format) !== format)
  if (moved.length === 0) return checkpoint
  const gone = new Set(moved.map(([name]) => name))
  const offsets = Object.fromEntries(Object.entries(checkpoint.offsets).filter(([name]) => !gone.has(name)))
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

function makeStore(spec: StoreSpec, { bytes, checkpoint }: TaskState, budget: StateBudget): StateStore {
  const { name, kind, key, value, windows, session, sliding, join, historyMs, ttlMs, closes = false } = spec
  const options = { name, key, value, bytes, ...budget.cache }
  // What has no offset has no rows; what wipes left was deleted.
  const empty = checkpoint?.offsets[name] === undefined
  if (kind === 'buffer') return new OverlayBufferStore({ ...options, empty, measured: spec.measured === true })
  if (join !== undefined) {
    const { retentionMs = 0, ownTime = false } = spec
    return new OverlayJoinBuffer({ ...options, retentionMs, ownTime, empty })
  }
  if (spec.graceMs !== undefined) {
    return new OverlayJoinBuffer({ ...options, value: headedCodec(value), retentionMs: spec.graceMs + 1, empty })
  }
  if (historyMs !== undefined) return new OverlayVersionedStore({ ...options, historyMs, empty })
  if (ttlMs !== undefined) return new OverlayExpiringStore({ ...options, ttlMs, empty })
  if (windows === undefined && sliding === undefined && session === undefined)
    return new OverlayKeyValueStore({ ...options, empty })
  // No window starts after the stream time that has opened it, and no session ends there.
  const latestStored = empty ? -1 : (checkpoint?.streamTimes[name] ?? Number.POSITIVE_INFINITY)
  if (session !== undefined) return new OverlaySessionStore({ ...options, session, latestStored, closes })
  if (sliding === undefined) {
    const closing = closes ? windowClosing(windows as TimeWindows) : undefined
    return new OverlayWindowStore({ ...options, windows: windows as TimeWindows, latestStored, closing })
  }
  const closing = closes ? slidingClosing(sliding) : undefined
  const stretches = slidingStretches(sliding)
  return new OverlayWindowStore({ ...options, value: panesCodec(value), windows: stretches, latestStored, closing })
}

/** Whether the bytes are not yet what is committed; rows that ended before they were written leave a checkpoint to move. */
function isBehind(volume: Volume): boolean {
  if (unflushed(volume).rows > 0) return true
  for (const [store, offset] of volume.offsets) if (volume.flushed.get(store) !== offset) return true
  return false
}

function isDue(volume: Volume, budget: FlushBudget): boolean {
  const { rows, bytes } = unflushed(volume)
  return rows >= budget.rows || bytes >= budget.bytes || performance.now() - volume.flushedAt >= budget.intervalMs
}

function unflushed({ stores }: Volume): { readonly rows: number; readonly bytes: number } {
  let rows = 0
  let bytes = 0
  for (const { store } of stores) {
    rows += store.unflushedRows
    bytes += store.unflushedBytes
  }
  return { rows, bytes }
}

async function flush(volume: Volume): Promise<void> {
  const writes: ByteWrite[] = []
  for (const { store } of volume.stores) store.flush(writes)
  await writeWithCheckpoint(volume, writes, volume.streamTimes)
  for (const { store, retention } of volume.stores) {
    store.flushed()
    await store.expire()
    const offset = volume.offsets.get(store.name)
    if (offset !== undefined) retention?.committed(volume.streamTimes[store.name] as number, offset, store.expiryTime)
  }
}

async function writeWithCheckpoint(volume: Volume, writes: ByteWrite[], streamTimes: StreamTimes): Promise<void> {
  volume.seq += 1
  const offsets = Object.fromEntries(volume.offsets)
  writes.push(checkpointWrite({ seq: volume.seq, offsets, streamTimes, topology: volume.formats }))
  await volume.state.bytes.write(writes)
  volume.streamTimes = streamTimes
  volume.flushed = new Map(volume.offsets)
  volume.flushedAt = performance.now()
}

type Formats = Readonly<Record<string, string>>

/** Before the name of the topic that the rows are read from, where that is no changelog of the store's own. */
const from = '<- '

/** How the rows read, wherever they come from. */
function shapeOf(format: string): string {
  return format.replace(new RegExp(` ${from}[\\w.-]+$`), '')
}

function formatsOf(specs: readonly StoreSpec[]): Formats {
  return Object.fromEntries(
    specs.map(({ name, kind, key, value, windows, session, sliding, sourceTopic }) => {
      const shape = [
        ...(windows === undefined ? [] : [`${windows.sizeMs}/${windows.advanceMs}`]),
        ...(session === undefined ? [] : [`${session.gapMs}/${sessionStretches(session).advanceMs}`]),
        ...(sliding === undefined ? [] : [`${sliding.timeDifferenceMs}`]),
        ...(sourceTopic === undefined ? [] : [`${from}${sourceTopic}`]),
      ]
      return [name, [kind, formatOf(key), formatOf(value), ...shape].join(' ')]
    }),
  )
}

function formatsIn(checkpoint: Checkpoint | null): Formats {
  return checkpoint === null ? {} : (JSON.parse(checkpoint.topology) as Formats)
}

function checkFormats(specs: readonly StoreSpec[], checkpoint: Checkpoint | null, taskId: string): void {
  const before = formatsIn(checkpoint)
  for (const [name, format] of Object.entries(formatsOf(specs))) {
    const old = before[name]
    if (old === undefined || shapeOf(old) === shapeOf(format)) continue
    throw new StreamError(
      'INVALID_TOPOLOGY',
      `store ${name} was written as "${old}" and is now declared as "${format}"`,
      {
        hint: 'Its state and changelog cannot be read in the new format: give the store another name, or run under another --app-id.',
        where: { node: name, task: taskId },
      },
    )
  }
}
