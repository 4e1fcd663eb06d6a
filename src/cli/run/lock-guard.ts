/** A run is held to the lock beside its topology, and takes down there what it has become. Only where state is kept: without, nothing can be lost. */

import { relative } from 'node:path'
import { messageOf, StreamError } from '../../common/errors.ts'
import type { Topology } from '../../topology/node.ts'
import { type Io, isCi } from '../io.ts'
import { type LockState, lockName, readLockState, resetHint, writeLock } from '../lock-file.ts'

export interface LockGuard {
  /** For people, before the start. */
  readonly notes: readonly string[]
  /** Once the application runs: brings the lock up to date where this is the place for it. For people: what was done, or is to be done. */
  keep(): Promise<string | undefined>
}

/** @throws StreamError TOPOLOGY_CHANGED when the application cannot go on with its state and that is not accepted. */
export async function guardTopology(
  topology: Topology,
  file: string,
  app: string,
  { acceptTopology }: { readonly acceptTopology?: boolean | undefined },
  io: Pick<Io, 'cwd' | 'env'>,
): Promise<LockGuard> {
  const state = await readLockState(topology, file, app, io)
  const reasons = state.changes.filter(({ severity }) => severity === 'reset').map(({ message }) => message)
  if (state.verdict === 'reset' && acceptTopology !== true) {
    throw new StreamError('TOPOLOGY_CHANGED', `${state.app} cannot go on as it was: ${reasons.join('; ')}`, {
      hint: `${resetHint} Or run it as it is: --accept-topology.`,
      where: { file: state.path },
    })
  }
  const notes = state.changes.map(({ message }) => message)
  return { notes, keep: () => keep(state, topology, file, io) }
}

async function keep(
  state: LockState,
  topology: Topology,
  file: string,
  { cwd, env }: Pick<Io, 'cwd' | 'env'>,
): Promise<string | undefined> {
  const { verdict, path, app } = state
  // An id that was given on the command line is one of many, perhaps: only those that somebody put into the lock are in it.
  if (verdict === 'same' || (verdict === 'new' && app !== topology.name)) return undefined
  if (isCi(env))
    return `${lockName} ${verdict === 'new' ? `does not know ${app}` : 'is behind'}: streamctl check ${file} --write`
  const shown = relative(cwd, path)
  try {
    await writeLock(state)
    return `${shown} written; commit it`
  } catch (thrown) {
    return `${shown} cannot be written, so the next version is not compared with this one: ${messageOf(thrown)}`
  }
}
