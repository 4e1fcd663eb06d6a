/** Puts the screen on the terminal and takes it away again, whatever happens: the alternate screen, the cursor and the console are given back. */

import './react-production.ts'
import { render } from 'ink'
import { createElement } from 'react'
import type { Snapshot } from '../../metrics/snapshot.ts'
import { escapeText } from '../escape.ts'
import { App } from './app.tsx'
import { holdConsole } from './held-console.ts'
import { lookOf } from './look.ts'
import { restoreNodeEnv } from './react-production.ts'
import { everyBySystemClock } from './use-feed.ts'

restoreNodeEnv()

export interface AppScreen {
  /** Resolves when the terminal is as it was. A second call changes nothing. */
  close(): Promise<void>
}

export interface ScreenOptions {
  readonly snapshot: () => Snapshot
  /** `stop` once, at `q` or the first Ctrl-C; `force` at a Ctrl-C after it. */
  readonly onQuit: (how: 'stop' | 'force') => void
}

export function showApp({ snapshot, onQuit }: ScreenOptions): AppScreen {
  const look = lookOf(process.env, process.platform)
  const releaseConsole = holdConsole(console)
  const screen = render(createElement(App, { snapshot, onQuit, look, every: everyBySystemClock }), {
    alternateScreen: true,
    exitOnCtrlC: false,
    incrementalRendering: true,
    // The caller has decided that a person sits here.
    interactive: true,
    maxFps: 10,
    patchConsole: false,
  })
  const leave = (): void => {
    process.off('uncaughtExceptionMonitor', leave)
    process.off('unhandledRejection', leave)
    screen.unmount()
    releaseConsole()
  }
  // What is said of a crash must stay readable: it would vanish with the alternate screen.
  process.on('uncaughtExceptionMonitor', leave)
  // A listener of our own would hide rejections from Node; only one beside those that are there does no harm.
  if (process.listenerCount('unhandledRejection') > 0) process.prependListener('unhandledRejection', leave)

  const gone = screen.waitUntilExit().then(
    () => undefined,
    (thrown: unknown) => {
      // The app goes on without its screen.
      leave()
      const message = thrown instanceof Error ? thrown.message : String(thrown)
      process.stderr.write(`the screen failed: ${escapeText(message)}; the app goes on, Ctrl-C stops it\n`)
    },
  )
  return {
    async close() {
      leave()
      await gone
    },
  }
}
