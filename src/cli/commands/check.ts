/** `check`: whether a topology can go on with the state and the topics of the version that its lock tells of. No broker is asked. */

import { relative } from 'node:path'
import { exitCodes } from '../exit-codes.ts'
import { envelope, type Io, say } from '../io.ts'
import { loadTopology } from '../load.ts'
import { type LockState, lockName, readLockState, resetHint, writeLock } from '../lock-file.ts'
import { loopWarnings } from '../loops.ts'

export interface CheckOptions {
  readonly appId?: string | undefined
  /** Whatever it says: from now on the lock is this topology. */
  readonly write?: boolean | undefined
  /** Anything but `same` fails. */
  readonly strict?: boolean | undefined
  readonly json?: boolean | undefined
}

const words: Readonly<Record<LockState['verdict'], string>> = {
  new: 'new',
  same: 'same',
  safe: 'safe',
  reset: 'needs reset',
}

export async function check(file: string, options: CheckOptions, io: Io): Promise<number> {
  const topology = await loadTopology(file, io)
  const state = await readLockState(topology, file, options.appId ?? topology.name, io)
  const { app, path, verdict, changes, siblings } = state
  const writes = options.write === true && verdict !== 'same'
  if (writes) await writeLock(state)
  const failed = !writes && (verdict === 'reset' || (options.strict === true && verdict !== 'same'))
  const warnings = loopWarnings(topology, io.cwd)
  for (const { message } of warnings) say(io, `warn: ${message}`)
  if (options.json === true) {
    await io.out.json(envelope('check', app, { verdict, lock: path, written: writes, changes }, warnings))
  } else {
    const lines = changes.map(({ severity, message }) => `  ${words[severity]}: ${message}`)
    await io.out.text(`${[`${app}: ${words[verdict]}`, ...lines].join('\n')}\n`)
  }
  const shown = relative(io.cwd, path)
  if (siblings.length > 0) say(io, `${shown} knows ${siblings.join(', ')} of ${file}: ${app} takes over no state of it`)
  if (writes) say(io, `${shown} written; commit it`)
  else if (verdict === 'reset') say(io, `${resetHint} Or accept it: streamctl check ${file} --write`)
  else if (verdict !== 'same')
    say(io, `${lockName} ${verdict === 'new' ? `does not know ${app}` : 'is behind'}: streamctl check ${file} --write`)
  return failed ? exitCodes.invalid : exitCodes.ok
}
