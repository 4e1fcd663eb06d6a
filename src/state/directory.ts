/** The state directory of an application, `<state.dir>/<app-id>`, with a directory for each task: one process holds it at a time. */

import { mkdir, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, sep } from 'node:path'
import { messageOf, StreamError } from '../common/errors.ts'
import { openLevel } from './level.ts'
import { replaceFile } from './marker.ts'
import type { ByteStore } from './store.ts'

export interface StateDirectoryOptions {
  readonly stateDir: string
  readonly appId: string
}

export interface StateDirectory {
  /** Resolved path of `<state.dir>/<app-id>`. */
  readonly path: string
  /** Gives the directory free. */
  close(): Promise<void>
}

/** Names of ours inside the directory; no task is called so. */
const lockDir = 'lock'
const holderFile = 'holder.json'

/**
 * Takes the state directory for this process, creating it if need be (mode 0700).
 *
 * The lock is the one the operating system keeps on a LevelDB directory: it ends with its process however that ends, so there is
 * no stale lock to guess about, not even across containers with equal pids. The holder file only gives the message its names.
 * @throws StreamError LOCKED when another process, or another part of this one, holds it; INVALID_ARGUMENT for names that are no
 * names, or a directory that cannot be used.
 */
export async function openStateDirectory(options: StateDirectoryOptions): Promise<StateDirectory> {
  const appId = checkedName(options.appId, 'application id')
  let path: string
  try {
    await mkdir(options.stateDir, { recursive: true, mode: 0o700 })
    const root = await realpath(options.stateDir)
    await mkdir(join(root, appId), { recursive: true, mode: 0o700 })
    path = await realpath(join(root, appId))
    if (path !== join(root, appId)) throw new Error(`${appId} is a link that leads out of it, to ${path}`)
  } catch (thrown) {
    throw unusable(options.stateDir, thrown)
  }
  const lock = await takeLock(path)
  try {
    const holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() }
    await replaceFile(join(path, holderFile), JSON.stringify(holder))
  } catch (thrown) {
    await lock.close()
    throw unusable(path, thrown)
  }
  return {
    path,
    close: async () => {
      await rm(join(path, holderFile), { force: true })
      await lock.close()
    },
  }
}

/**
 * A name that is safe as one part of a path, by Kafka's rule for topics.
 * @throws StreamError INVALID_ARGUMENT
 */
function checkedName(name: string, what: string): string {
  if (/^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..') return name
  throw new StreamError('INVALID_ARGUMENT', `${JSON.stringify(name)} cannot be used as ${what}`, {
    hint: "Use 1 to 249 of the characters a-z A-Z 0-9 . _ - (and not '.' or '..').",
  })
}

async function takeLock(path: string): Promise<ByteStore> {
  const directory = join(path, lockDir)
  const open = (): Promise<ByteStore> =>
    openLevel(directory, { createIfMissing: true, writeBufferBytes: 64 * 1024, blockCacheBytes: 1024 })
  try {
    return await open()
  } catch (thrown) {
    if (thrown instanceof StreamError && thrown.code === 'LOCKED') throw await held(path, thrown)
    // Nobody holds it, else LevelDB had said so first: what lies there is the rest of a crash. The lock file itself stays, since
    // a second process that got here too must find the same one.
    const rest = await readdir(directory).catch(() => [])
    for (const name of rest) if (name !== 'LOCK') await rm(join(directory, name), { recursive: true, force: true })
    try {
      return await open()
    } catch (again) {
      throw again instanceof StreamError && again.code === 'LOCKED' ? await held(path, again) : unusable(path, again)
    }
  }
}

async function held(path: string, cause: StreamError): Promise<StreamError> {
  return new StreamError('LOCKED', `the state directory ${path} is held by ${await holderOf(path)}`, {
    cause,
    hint: 'Stop that process, or start this one with another state directory or application id.',
  })
}

async function holderOf(path: string): Promise<string> {
  try {
    const holder = JSON.parse(await readFile(join(path, holderFile), 'utf8')) as Partial<Record<string, unknown>>
    const { pid, host, since } = holder
    if (typeof pid === 'number' && typeof host === 'string' && typeof since === 'string') {
      return `process ${pid} on host ${JSON.stringify(host)} since ${JSON.stringify(since)}`
    }
  } catch {
    // It has just taken the lock, or is giving it back: its name is not known.
  }
  return 'another process'
}

function unusable(path: string, thrown: unknown): StreamError {
  return new StreamError('INVALID_ARGUMENT', `the state directory ${path} cannot be used: ${messageOf(thrown)}`, {
    cause: thrown,
    hint: `Give a directory that this user can write to (now ${path.endsWith(sep) ? path : path + sep}).`,
  })
}
