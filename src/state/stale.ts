/**
 * Removes the directories of tasks whose state nobody has used for long. Invariant: only what has our marker is removed, never what is open, and who
 * opens it meanwhile either has it whole or is told LOCKED and finds it gone when it tries again. Nothing is written to a marker here.
 */

import { renameSync, statSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { StreamError } from '../common/errors.ts'
import { openLevel } from './level.ts'
import { markerFile } from './marker.ts'
import type { ByteStore } from './store.ts'

/** A task's directory, and when it was last opened or closed: ms since the epoch. */
export interface UsedState {
  readonly task: string
  readonly usedAt: number
}

/** Behind a task's name, that of a directory on its way out. A supplier's has a dot there, so it can be taken for none. */
const goingSuffix = '-stale'
const taskName = /^\d+_\d+$/
const goingName = /^\d+_\d+-stale$/

/** The directories of tasks in that of an application which have our marker. */
export async function usedStates(path: string): Promise<readonly UsedState[]> {
  const found: UsedState[] = []
  for (const task of await directoriesIn(path, taskName)) {
    const usedAt = usedAtOf(join(path, task))
    if (usedAt !== undefined) found.push({ task, usedAt })
  }
  return found
}

/**
 * Removes the state of a task that was last opened or closed before that time (ms since the epoch).
 * @returns false when it is open, or was used since.
 * @throws StreamError CORRUPT or INVALID_ARGUMENT when its database does not open: whether nobody has it cannot be told then, and it stays.
 */
export async function removeUnused(path: string, task: string, usedBefore: number): Promise<boolean> {
  const directory = join(path, task)
  const isUnused = (): boolean => (usedAtOf(directory) ?? usedBefore) < usedBefore
  let lock: ByteStore
  try {
    lock = await openLevel(join(directory, 'db'), { createIfMissing: false, blockCacheBytes: 1024 })
  } catch (thrown) {
    // Who wipes it has written a marker before.
    if ((thrown instanceof StreamError && thrown.code === 'LOCKED') || !isUnused()) return false
    throw thrown
  }
  const going = `${directory}${goingSuffix}`
  try {
    // Both in one turn, and while it is locked: who opens it now finds it locked, or not there.
    if (!isUnused()) return false
    renameSync(directory, going)
  } finally {
    await lock.close()
  }
  await removeGoing(going)
  return true
}

/** Removes what a crash has left of earlier removals. */
export async function removeLeftovers(path: string): Promise<void> {
  for (const name of await directoriesIn(path, goingName)) {
    const going = join(path, name)
    if (usedAtOf(going) !== undefined) await removeGoing(going)
  }
}

/** The marker goes last: what is left by a crash is told by it. */
async function removeGoing(going: string): Promise<void> {
  const names = (await readdir(going)).filter((name) => name !== markerFile)
  for (const name of names) await rm(join(going, name), { recursive: true, force: true })
  await rm(going, { recursive: true, force: true })
}

/** undefined where there is no marker of ours. */
function usedAtOf(directory: string): number | undefined {
  try {
    return statSync(join(directory, markerFile)).mtimeMs
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw thrown
  }
}

/** Links are none. */
async function directoriesIn(path: string, name: RegExp): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true })
  return entries.flatMap((entry) => (entry.isDirectory() && name.test(entry.name) ? [entry.name] : []))
}
