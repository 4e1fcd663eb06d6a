/** How a command hears that it should end: the first signal asks, the second ends the process whatever it does. */

import { exitCodes } from './exit-codes.ts'
import type { Io } from './io.ts'

export interface Stopping {
  /** Resolves at the first request to end. */
  readonly asked: Promise<void>
  readonly isAsked: boolean
  /** The same request from a key of the terminal view. */
  ask(): void
  force(): void
  /** Stops listening. */
  dispose(): void
}

/** @param announce tells the user what the first request starts. */
export function onStop(io: Io, announce: () => void = () => undefined): Stopping {
  let isAsked = false
  let resolveAsked: () => void = () => undefined
  const asked = new Promise<void>((resolve) => {
    resolveAsked = resolve
  })
  const force = (): void => io.exit(exitCodes.forced)
  const ask = (): void => {
    if (isAsked) return
    isAsked = true
    announce()
    resolveAsked()
  }
  const remove = io.onSignal(() => (isAsked ? force() : ask()))
  return {
    asked,
    get isAsked() {
      return isAsked
    },
    ask,
    force,
    dispose: remove,
  }
}
