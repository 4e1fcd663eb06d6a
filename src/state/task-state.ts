/**
 * Opens the bytes of one task. Invariant: what it hands out is either empty or exactly the rows its checkpoint speaks of; anything
 * it cannot vouch for is deleted, said aloud, and rebuilt from the changelog. A damaged database is never repaired.
 */

import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, StreamError } from '../common/errors.ts'
import { readBootId } from './boot.ts'
import { type Checkpoint, trustedCheckpoint } from './checkpoint.ts'
import { type LevelOptions, openLevel } from './level.ts'
import { type Marker, markerFile, readMarker, writeMarker } from './marker.ts'
import { MemoryByteStore } from './memory.ts'
import type { ByteStore } from './store.ts'

export interface TaskStateOptions extends LevelOptions {
  /** The task's own directory, created if need be (mode 0700); null keeps everything in memory. */
  readonly dir: string | null
  readonly taskId: string
  /** Told, in one sentence, when state was wiped. */
  readonly warn: (message: string) => void
  /** Default: that of the kernel. */
  readonly bootId?: string | null
}

export interface TaskState {
  readonly bytes: ByteStore
  /** null: the bytes are empty, and the whole changelog has to be read. */
  readonly checkpoint: Checkpoint | null
  /** Every write must have ended. */
  close(): Promise<void>
}

/** Written once, by the first batch: when it is gone, so may be anything else. */
const sentinelKey = Buffer.from('\0created', 'utf8')
const sentinelValue = Buffer.from('1', 'utf8')

/**
 * @throws StreamError LOCKED when the task is open elsewhere, or was being removed as unused: try again; INVALID_ARGUMENT when the directory holds something else or cannot
 * be used.
 */
export async function openTaskState(options: TaskStateOptions): Promise<TaskState> {
  if (options.dir === null) {
    const bytes = new MemoryByteStore()
    return { bytes, checkpoint: null, close: () => bytes.close() }
  }
  try {
    return await openOnDisk(options, options.dir)
  } catch (thrown) {
    if (thrown instanceof StreamError) throw thrown
    throw new StreamError('INVALID_ARGUMENT', `state of task ${options.taskId}: ${messageOf(thrown)}`, {
      cause: thrown,
      where: { task: options.taskId },
      hint: `Check that ${options.dir} is a directory this user can write to.`,
    })
  }
}

async function openOnDisk(options: TaskStateOptions, dir: string): Promise<TaskState> {
  const make = () => mkdir(dir, { recursive: true, mode: 0o700 })
  // It fails when the clean-up takes away what it has found there: once, as what is made anew has no marker.
  await make().catch(make)
  try {
    return await openMade(options, dir)
  } catch (thrown) {
    // Nobody but the clean-up takes a task's directory away, and while it has the database open it may put a file into it.
    const { code } = thrown as NodeJS.ErrnoException
    if (existsSync(dir) && code !== 'ENOTEMPTY' && code !== 'EEXIST') throw thrown
    throw new StreamError('LOCKED', `${dir} was removed as unused while it was opened`, {
      cause: thrown,
      where: { task: options.taskId },
      hint: 'Start again; if it comes back, see that nothing but streamctl deletes files in the state directory.',
    })
  }
}

async function openMade(options: TaskStateOptions, dir: string): Promise<TaskState> {
  const bootId = options.bootId === undefined ? readBootId() : options.bootId
  const marker: Marker = { state: 'open', task: options.taskId, bootId }
  const database = join(dir, 'db')

  const found = await inspect(options, dir, database, bootId)
  let opened: Opened | undefined
  let wiped = found.damage
  if (found.kind === 'kept') {
    const result = await openKept(database, options)
    if (typeof result === 'string') wiped = result
    else opened = result
  }
  if (opened === undefined) {
    await writeMarker(dir, { ...marker, state: 'creating' })
    // Only now, as a directory that went meanwhile looks damaged, too.
    if (wiped !== null)
      options.warn(`state of task ${options.taskId} was wiped and is rebuilt from its changelog: ${wiped}`)
    opened = await openNew(dir, database, options)
  }
  await writeMarker(dir, marker)
  const { bytes, checkpoint } = opened
  return {
    bytes,
    checkpoint,
    close: async () => {
      // While the database is locked: another engine of this process may wait for it, and writes a marker of its own then.
      try {
        await writeMarker(dir, { ...marker, state: 'closed' })
      } finally {
        await bytes.close()
      }
    },
  }
}

type Found =
  /** Nothing of worth: damage says why when there should have been. */
  { readonly kind: 'new'; readonly damage: string | null } | { readonly kind: 'kept'; readonly damage: null }

/** What can be told without opening the database. */
async function inspect(
  options: TaskStateOptions,
  dir: string,
  database: string,
  bootId: string | null,
): Promise<Found> {
  const marker = await readMarker(dir)
  if (marker === 'absent') {
    const others = (await readdir(dir)).filter((name) => !name.startsWith(markerFile))
    if (others.length === 0) return { kind: 'new', damage: null }
    throw new StreamError('INVALID_ARGUMENT', `${dir} holds files but no ${markerFile}: it is not a task's state`, {
      where: { task: options.taskId },
      hint: 'Choose another state directory, or look at what is in this one and delete it by hand.',
    })
  }
  if (marker === 'damaged') return { kind: 'new', damage: `its ${markerFile} does not read` }
  if (marker.task !== options.taskId) return { kind: 'new', damage: `it belongs to task ${marker.task}` }
  // Its making was cut short; nothing was in it.
  if (marker.state === 'creating') return { kind: 'new', damage: null }
  const rebooted = marker.bootId !== null && bootId !== null && marker.bootId !== bootId
  if (marker.state === 'open' && rebooted && options.sync !== true) {
    return { kind: 'new', damage: 'the machine was restarted while it was open, so writes may be missing' }
  }
  const missing = await missingFile(database)
  return missing === null ? { kind: 'kept', damage: null } : { kind: 'new', damage: missing }
}

/** LevelDB itself would take a directory without CURRENT for a new one. */
async function missingFile(database: string): Promise<string | null> {
  try {
    const manifest = (await readFile(join(database, 'CURRENT'), 'utf8')).trim()
    if (!/^MANIFEST-\d+$/.test(manifest)) return 'its CURRENT file is damaged'
    await stat(join(database, manifest))
    return null
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown
    return 'its database has no CURRENT file, or not the manifest it names'
  }
}

interface Opened {
  readonly bytes: ByteStore
  readonly checkpoint: Checkpoint | null
}

/** The database, or why it cannot be trusted. */
async function openKept(database: string, options: TaskStateOptions): Promise<Opened | string> {
  let bytes: ByteStore
  try {
    bytes = await openLevel(database, { ...options, createIfMissing: false })
  } catch (thrown) {
    if (thrown instanceof StreamError && thrown.code === 'CORRUPT') return thrown.message
    throw thrown
  }
  const result = await examine(bytes).catch(messageOf)
  if (typeof result === 'string') await bytes.close()
  return result
}

async function examine(bytes: ByteStore): Promise<Opened | string> {
  if (bytes.get(sentinelKey)?.equals(sentinelValue) !== true) return 'the first row that was written to it is gone'
  const checkpoint = await trustedCheckpoint(bytes, (key) => key.equals(sentinelKey))
  return typeof checkpoint === 'string' ? checkpoint : { bytes, checkpoint }
}

async function openNew(dir: string, database: string, options: TaskStateOptions): Promise<Opened> {
  const bytes = await openEmpty(dir, database, options).catch((thrown: unknown) => {
    if (thrown instanceof StreamError && thrown.code === 'LOCKED') throw thrown
    // The clean-up may have had the database open before it saw the marker, and what LevelDB wrote for it then lies in the new directory: once, as
    // it is not locked any more.
    return openEmpty(dir, database, options)
  })
  try {
    await bytes.write([{ key: sentinelKey, value: sentinelValue }])
  } catch (thrown) {
    await bytes.close()
    throw thrown
  }
  return { bytes, checkpoint: null }
}

async function openEmpty(dir: string, database: string, options: TaskStateOptions): Promise<ByteStore> {
  await rm(database, { recursive: true, force: true })
  await mkdir(database, { mode: 0o700 })
  const bytes = await openLevel(database, { ...options, createIfMissing: true }).catch(async (thrown: unknown) => {
    // Where the clean-up has just taken all of it away, classic-level has made the directories anew, without a marker.
    if (!existsSync(join(dir, markerFile))) {
      await rm(database, { recursive: true, force: true })
      await rmdir(dir).catch(() => undefined)
    }
    throw thrown
  })
  if ((await trustedCheckpoint(bytes).catch(messageOf)) === null) return bytes
  await bytes.close()
  throw new StreamError('INTERNAL', `${database} is not empty when new`)
}
