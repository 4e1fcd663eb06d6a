/** `streamctl.lock.json` beside a topology's file: what each application was when it was last accepted. It belongs into version control. */

import { readFile, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { messageOf, StreamError } from '../common/errors.ts'
import { type Comparison, compareTopologies } from '../topology/diff.ts'
import { isTopologyLock, lockOf, type TopologyLock } from '../topology/lock.ts'
import type { Topology } from '../topology/node.ts'
import type { Io } from './io.ts'

export const lockName = 'streamctl.lock.json'

/** What to do about a topology that cannot go on. */
export const resetHint =
  'Give what changed a new name, or run under another --app-id, which starts from the beginning of its sources with state of its own.'

interface Entry extends TopologyLock {
  /** Of the topology, in the folder of the lock. */
  readonly file: string
}

interface LockFile {
  readonly version: 1
  /** By application id. */
  readonly applications: Readonly<Record<string, Entry>>
}

/** A topology beside what the lock says of its application. */
export interface LockState {
  readonly app: string
  readonly path: string
  /** `new` where the lock does not know the application. */
  readonly verdict: 'new' | Comparison['verdict']
  readonly changes: Comparison['changes']
  /** Applications of the same file that the lock does know, where it does not know this one. */
  readonly siblings: readonly string[]
  /** The lock with this topology. */
  readonly accepted: LockFile
}

/** @throws StreamError INVALID_TOPOLOGY when there is a lock that does not read. */
export async function readLockState(
  topology: Topology,
  file: string,
  app: string,
  io: Pick<Io, 'cwd'>,
): Promise<LockState> {
  const full = resolve(io.cwd, file)
  const path = join(dirname(full), lockName)
  const { applications } = await readLockFile(path)
  const known = Object.hasOwn(applications, app) ? applications[app] : undefined
  const now: Entry = { file: basename(full), ...lockOf(topology) }
  const { verdict, changes } =
    known === undefined ? { verdict: 'new' as const, changes: [] } : compareTopologies(known, now)
  const siblings =
    known === undefined ? Object.keys(applications).filter((id) => applications[id]?.file === now.file) : []
  const entries = Object.entries({ ...applications, [app]: now }).sort(([a], [b]) => (a < b ? -1 : 1))
  return { app, path, verdict, changes, siblings, accepted: { version: 1, applications: Object.fromEntries(entries) } }
}

/** All or nothing: several processes of an application may start at once. */
export async function writeLock({ path, accepted }: LockState): Promise<void> {
  const draft = `${path}.${process.pid}.new`
  await writeFile(draft, `${JSON.stringify(accepted, null, 2)}\n`)
  await rename(draft, path)
}

async function readLockFile(path: string): Promise<LockFile> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return { version: 1, applications: {} }
    throw thrown
  }
  const { version, applications } = parsed(text, path)
  if (typeof version === 'number' && version > 1) {
    throw unreadable(path, `is of version ${version}`, 'It was written by a newer streamctl: update this one.')
  }
  const entries = typeof applications === 'object' && applications !== null ? Object.values(applications) : []
  if (version !== 1 || entries.length === 0 || !entries.every(isTopologyLock)) {
    throw unreadable(path, 'is no lock of topologies', restore)
  }
  return { version, applications: applications as LockFile['applications'] }
}

const restore =
  'Take it from version control again, or delete it and accept the topology as it is: streamctl check <topology> --write.'

function parsed(text: string, path: string): Partial<Record<string, unknown>> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<Record<string, unknown>>
  } catch (thrown) {
    throw unreadable(path, `does not read: ${messageOf(thrown)}`, restore)
  }
}

function unreadable(path: string, what: string, hint: string): StreamError {
  return new StreamError('INVALID_TOPOLOGY', `${path} ${what}`, { hint, where: { file: path } })
}
